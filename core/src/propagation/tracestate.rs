//! Parsing and changing the vendor list of W3C Trace Context level 2, section 3.3.
//!
//! Propagators parse it from headers; samplers, span APIs and [`super::ot`] read and change members. Every
//! [`TraceState`] that exists keeps the limits below, so whatever writes it to a carrier need not check.

use core::fmt;
use core::str::FromStr;

use crate::context::TraceState;

/// Members a list may have (W3C Trace Context, section 3.3.1.1).
pub const MAX_MEMBERS: usize = 32;
/// Characters a list keeps. The specification asks for at least 512, and some receivers throw a longer list
/// away as a whole, so what does not fit is left out here, member by member.
pub const MAX_CHARS: usize = 512;
/// Characters of a key.
pub const MAX_KEY_CHARS: usize = 256;
/// Characters of a value.
pub const MAX_VALUE_CHARS: usize = 256;
/// Members longer than this go first when a list must be cut (section 3.3.1.5).
const LONG_MEMBER_CHARS: usize = 128;

/// Why a list or a member was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceStateError {
    /// A member has no `=`.
    Member,
    /// A key is empty, too long, or holds something other than `a-z 0-9 _ - * / @`, the first of them a
    /// letter or digit.
    Key,
    /// A value is empty, too long, ends in a space, or holds something other than printable ASCII without
    /// comma and equals sign.
    Value,
    /// The list has more than 32 members.
    TooMany,
    /// A single member does not fit into a list of 512 characters.
    TooLong,
}

impl fmt::Display for TraceStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member => "a tracestate member has no equals sign",
            Self::Key => {
                "a tracestate key has 1 to 256 of a-z 0-9 _ - * / @ and starts with a letter or digit"
            }
            Self::Value => {
                "a tracestate value has 1 to 256 printable ASCII characters without comma, equals sign and \
                 trailing space"
            }
            Self::TooMany => "a tracestate list has at most 32 members",
            Self::TooLong => "a tracestate list keeps at most 512 characters",
        })
    }
}

impl core::error::Error for TraceStateError {}

impl TraceState {
    /// Reads one header value, or several joined by commas, in the order they came.
    ///
    /// Blanks around members and empty members are taken out; of members with the same key the leftmost, which
    /// is the latest, stays. A list of more than 512 characters loses whole members: those of more than 128
    /// characters first, from the right, then any from the right.
    ///
    /// # Errors
    /// [`TraceStateError`] when any member is malformed or there are more than 32: such a list is not used.
    pub fn from_header(header: &[u8]) -> Result<Self, TraceStateError> {
        Self::from_header_counting(header).map(|(state, _)| state)
    }

    /// [`TraceState::from_header`], and how many members were cut off.
    pub(crate) fn from_header_counting(header: &[u8]) -> Result<(Self, u32), TraceStateError> {
        let mut members: Vec<&str> = Vec::new();
        let mut seen = 0;
        for raw in header.split(|byte| *byte == b',') {
            let raw = trim(raw);
            if raw.is_empty() {
                continue;
            }
            seen += 1;
            if seen > MAX_MEMBERS {
                return Err(TraceStateError::TooMany);
            }
            let member = core::str::from_utf8(raw).map_err(|_| TraceStateError::Value)?;
            let (key, value) = member.split_once('=').ok_or(TraceStateError::Member)?;
            check(key, value)?;
            if !members.iter().any(|other| key_of(other) == key) {
                members.push(member);
            }
        }
        let cut = truncate(&mut members, 0);
        Ok((join(&members), cut))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Keys and values from left, the latest, to right.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.header().split(',').filter_map(|member| member.split_once('='))
    }

    /// The list with this member added or replaced, moved leftmost; the others keep their order. Where the
    /// limits ask for it, members at the right give way.
    ///
    /// # Errors
    /// [`TraceStateError::Key`] or [`TraceStateError::Value`] for a malformed member,
    /// [`TraceStateError::TooLong`] for one that fits into no list.
    pub fn insert(&self, key: &str, value: &str) -> Result<Self, TraceStateError> {
        check(key, value)?;
        if key.len() + 1 + value.len() > MAX_CHARS {
            return Err(TraceStateError::TooLong);
        }
        let mut first = String::with_capacity(key.len() + 1 + value.len());
        first.push_str(key);
        first.push('=');
        first.push_str(value);
        let mut members = vec![first.as_str()];
        members.extend(self.members().filter(|member| key_of(member) != key));
        members.truncate(MAX_MEMBERS);
        truncate(&mut members, 1);
        Ok(join(&members))
    }

    /// The list without this key.
    #[must_use]
    pub fn delete(&self, key: &str) -> Self {
        if self.get(key).is_none() {
            return self.clone();
        }
        let members: Vec<&str> = self.members().filter(|member| key_of(member) != key).collect();
        join(&members)
    }

    fn members(&self) -> impl Iterator<Item = &str> {
        self.header().split(',').filter(|member| !member.is_empty())
    }
}

impl FromStr for TraceState {
    type Err = TraceStateError;

    fn from_str(text: &str) -> Result<Self, TraceStateError> {
        Self::from_header(text.as_bytes())
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header())
    }
}

/// Cuts whole members until the list has at most [`MAX_CHARS`]; the first `keep` stay. Returns how many went.
fn truncate(members: &mut Vec<&str>, keep: usize) -> u32 {
    let mut chars = members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1);
    let mut cut = 0;
    while chars > MAX_CHARS && members.len() > keep {
        let long = members.iter().skip(keep).rposition(|member| member.len() > LONG_MEMBER_CHARS);
        let place = long.map_or(members.len() - 1, |place| keep + place);
        chars = chars.saturating_sub(members.remove(place).len() + 1);
        cut += 1;
    }
    cut
}

fn join(members: &[&str]) -> TraceState {
    match members {
        [only] => TraceState::from_valid(only),
        several => TraceState::from_valid(&several.join(",")),
    }
}

fn key_of(member: &str) -> &str {
    member.split('=').next().unwrap_or(member)
}

fn check(key: &str, value: &str) -> Result<(), TraceStateError> {
    if !is_key(key.as_bytes()) {
        Err(TraceStateError::Key)
    } else if !is_value(value.as_bytes()) {
        Err(TraceStateError::Value)
    } else {
        Ok(())
    }
}

fn is_key(key: &[u8]) -> bool {
    key.len() <= MAX_KEY_CHARS
        && key.first().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && key.iter().all(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@')
        })
}

fn is_value(value: &[u8]) -> bool {
    value.len() <= MAX_VALUE_CHARS
        && value.last().is_some_and(|byte| *byte != b' ')
        && value.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'='))
}

/// Takes away the optional blanks (space, tab) that RFC 9110 allows around a field value or list member.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(header: &str) -> TraceState {
        header.parse().unwrap()
    }

    #[test]
    fn a_changed_member_moves_leftmost() {
        let state = list("a=1,b=2,c=3");
        assert_eq!(state.insert("c", "4").unwrap().header(), "c=4,a=1,b=2");
        assert_eq!(state.insert("d", "4").unwrap().header(), "d=4,a=1,b=2,c=3");
        assert_eq!(state.delete("b").header(), "a=1,c=3");
        assert_eq!(state.delete("x"), state);
        assert!(list("a=1").delete("a").is_empty());
    }

    #[test]
    fn a_full_list_gives_way_at_the_right() {
        let full: Vec<String> = (0..32).map(|n| format!("k{n}={n}")).collect();
        let changed = list(&full.join(",")).insert("new", "1").unwrap();
        assert_eq!(changed.iter().count(), 32);
        assert_eq!((changed.iter().next(), changed.get("k31")), (Some(("new", "1")), None));
    }

    #[test]
    fn long_members_are_cut_first_and_the_new_one_stays() {
        let state = list(&format!("a=1,long={},b=2", "x".repeat(200)));
        let changed = state.insert("mine", &"y".repeat(256)).unwrap();
        assert_eq!(changed.header().len(), 4 + 1 + 256 + 1 + 3 + 1 + 205 + 1 + 3);
        let changed = changed.insert("more", &"z".repeat(100)).unwrap();
        assert_eq!(changed.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["more", "mine", "a", "b"]);
    }

    #[test]
    fn a_member_that_fits_no_list_is_refused() {
        let key = "k".repeat(256);
        assert_eq!(TraceState::EMPTY.insert(&key, &"v".repeat(256)), Err(TraceStateError::TooLong));
        assert!(TraceState::EMPTY.insert(&key, &"v".repeat(255)).is_ok());
        assert_eq!(list(&format!("{key}={},a=1", "v".repeat(256))).header(), "a=1");
    }
}
