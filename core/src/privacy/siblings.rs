//! Objects inside text: a name in one member and its value in another, and objects that are no value at all.

use super::label::Label;
use super::lex::{self, Quote};
use super::names::{Doubt, Group, Verdict};
use super::pair::Wanted;
use super::text::{Name, Scanner};
use super::words::Words;

/// Members that hold the name of something ...
const NAMES: [&str; 19] = [
    "name",
    "key",
    "k",
    "header",
    "headername",
    "field",
    "fieldname",
    "id",
    "type",
    "param",
    "parameter",
    "property",
    "attribute",
    "label",
    "variable",
    "option",
    "selector",
    "element",
    "placeholder",
];
/// ... and members that hold its value.
const VALUES: [&str; 9] =
    ["value", "val", "v", "values", "stringvalue", "text", "content", "data", "newvalue"];

/// Whether a member of that key names what the value of another member is.
pub(super) fn is_name_key(key: &[u8]) -> bool {
    matches(key, &NAMES)
}

/// Whether a member of that key holds the value of what another member names.
pub(super) fn is_value_key(key: &[u8]) -> bool {
    matches(key, &VALUES)
}

fn matches(key: &[u8], known: &[&str]) -> bool {
    key.len() <= 16
        && known.iter().any(|name| {
            let letters = key.iter().filter(|byte| !matches!(byte, b'_' | b'-'));
            letters.map(u8::to_ascii_lowercase).eq(name.bytes())
        })
}

/// A member of an object in text.
#[derive(Debug, Clone, Copy)]
struct Member<'t> {
    key: (usize, usize),
    quote: Option<Quote<'t>>,
    /// Where its value begins ...
    value: usize,
    /// ... and what is behind it.
    after: usize,
}

impl<'t> Scanner<'t, '_> {
    /// A sensitive name that is the value of `name`, `key` and the like: its own value is a sibling's.
    pub(super) fn names_a_sibling(&mut self, name: &Name<'t>) -> bool {
        let Some(quote) = name.quote else { return false };
        let text = self.text;
        let start = name.start - name.dashes - quote.0.len();
        let Some((key, equals)) = self.key_before(start) else { return false };
        if !is_name_key(self.slice(key.0, key.1)) {
            return false;
        }
        // The whole content names the thing, be it `#password` or `input[name=password]`.
        let content = quote.close(text, start + quote.0.len());
        let whole = self.slice(start + quote.0.len(), content.end);
        if whole.len() > 64 || whole.iter().filter(|byte| **byte == b' ').count() > 2 {
            return false;
        }
        let Verdict::Secret(label) = self.judge(whole) else { return false };
        if equals && self.form_part(name, content.after, label) {
            return true;
        }
        let mut at = content.after;
        for _ in 0..12 {
            let Some(member) = self.member(at) else { break };
            if is_value_key(self.slice(member.key.0, member.key.1)) {
                self.take(&member, label);
                return true;
            }
            at = member.after;
        }
        self.earlier_sibling(key.0, label)
    }

    /// The key of the member whose value begins at `start`; true with it if an equals sign joins them.
    fn key_before(&self, start: usize) -> Option<((usize, usize), bool)> {
        let head = self.text.get(start.saturating_sub(48)..start)?;
        let offset = start - head.len();
        let head = head.trim_ascii_end();
        let (head, equals) = match head.strip_suffix(b"=>").or_else(|| head.strip_suffix(b":")) {
            Some(head) => (head, false),
            None => (head.strip_suffix(b"=")?, true),
        };
        let head = head.trim_ascii_end();
        let quote = Quote::before(head, head.len());
        let head = head.get(..head.len() - quote.map_or(0, |quote| quote.0.len()))?;
        let length = lex::name_before(head, head.len(), head.len());
        let end = offset + head.len();
        (length > 0).then_some(((end - length, end), equals))
    }

    /// The value of a part of a multipart form: it stands behind an empty line, up to the next boundary.
    fn form_part(&mut self, name: &Name<'t>, from: usize, label: Label) -> bool {
        let line = self.slice(name.start.saturating_sub(48), name.start);
        if !line.windows(9).any(|window| window.eq_ignore_ascii_case(b"form-data")) {
            return false;
        }
        let near = self.slice(from, (from + 256).min(self.text.len()));
        let breaks: [(&[u8], &[u8]); 3] =
            [(b"\r\n\r\n", b"\r\n--"), (b"\n\n", b"\n--"), (b"\\r\\n\\r\\n", b"\\r\\n--")];
        for (empty, boundary) in breaks {
            if let Some(found) = near.windows(empty.len()).position(|window| window == empty) {
                let start = from + found + empty.len();
                let rest = self.text.get(start..).unwrap_or_default();
                let end = rest.windows(boundary.len()).position(|window| window == boundary);
                self.hide(start, end.map_or(self.text.len(), |end| start + end), label);
                return true;
            }
        }
        false
    }

    /// The value in a member before the one whose key begins at `key`.
    fn earlier_sibling(&mut self, key: usize, label: Label) -> bool {
        const FAR: usize = 512;
        if !self.pay(FAR) {
            return false;
        }
        let from = key.saturating_sub(FAR);
        let mut depth = 0;
        let head = self.slice(from, key);
        let open = head.iter().rposition(|byte| match byte {
            b'}' | b']' | b')' => {
                depth += 1;
                false
            }
            b'{' | b'[' | b'(' | b'<' if depth == 0 => true,
            b'{' | b'[' | b'(' => {
                depth -= 1;
                false
            }
            _ => false,
        });
        let Some(open) = open else { return false };
        let mut at = from + open + 1;
        for _ in 0..12 {
            let Some(member) = self.member(at).filter(|member| member.after <= key) else { return false };
            if is_value_key(self.slice(member.key.0, member.key.1)) {
                self.take(&member, label);
                return true;
            }
            at = member.after;
        }
        false
    }

    /// The member that begins behind the separators at `at`.
    fn member(&mut self, at: usize) -> Option<Member<'t>> {
        let text = self.text;
        let mut at = at;
        loop {
            let next = lex::skip_blanks(text, at, true);
            let next = next + usize::from(matches!(self.byte(next), Some(b',' | b';')));
            if next == at {
                break;
            }
            at = next;
        }
        // A tag's name stands before its attributes.
        let quote = Quote::at(text, at);
        let start = at + quote.map_or(0, |quote| quote.0.len());
        let rest = text.get(start..)?;
        let length = rest.iter().take(64).take_while(|byte| lex::is_name(**byte)).count();
        let mut end = start + length;
        let key = (start, end);
        if length == 0 {
            return None;
        }
        if let Some(quote) = quote {
            text.get(end..)?.strip_prefix(quote.0)?;
            end += quote.0.len();
        }
        let join = lex::skip_blanks(text, end, true);
        let behind = match (self.byte(join)?, self.byte(join + 1)) {
            (b'=', Some(b'>')) => join + 2,
            (b':' | b'=', _) => join + 1,
            // A tag's name, or an attribute without a value.
            _ if quote.is_none() && join > end => {
                return Some(Member { key: (end, end), quote, value: end, after: end });
            }
            _ => return None,
        };
        let value = lex::skip_blanks(text, behind, true);
        let after = self.end_of_value(value, quote.map_or(0, Quote::escapes));
        self.pay(after - at).then_some(Member { key, quote, value, after })
    }

    fn end_of_value(&self, at: usize, escapes: usize) -> usize {
        let text = self.text;
        if let Some(quote) = Quote::at(text, at) {
            return quote.close(text, at + quote.0.len()).after;
        }
        if matches!(self.byte(at), Some(b'{' | b'[' | b'(')) {
            return lex::close_bracket(text, at, escapes);
        }
        let rest = text.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| !b",}])>\\\"' \t\r\n".contains(byte)).count()
    }

    /// Hides the value of a member.
    fn take(&mut self, member: &Member<'t>, label: Label) {
        let (start, end) = member.key;
        let name = Name { start, end, quote: member.quote, closed: member.quote.is_some(), dashes: 0 };
        let wanted = Wanted { name, label, doubt: None };
        if let Some(quote) = Quote::at(self.text, member.value) {
            self.quoted(&wanted, member.value, quote);
        } else if matches!(self.byte(member.value), Some(b'{' | b'[' | b'(')) {
            self.bracketed(&wanted, member.value);
        } else {
            let value = self.slice(member.value, member.after);
            if !super::prose::is_nothing(value) {
                let wrap = member.quote.map(|quote| (end, end + quote.0.len()));
                self.put(super::text::Edit { start: member.value, end: member.after, label, wrap });
            }
        }
    }

    /// The members of a group in which some names have a meaning of their own.
    pub(super) fn members(&mut self, name: &Name<'t>, group: Group, at: usize) {
        if group == Group::None || self.byte(at) != Some(b'{') || name.dashes > 0 {
            return;
        }
        let mut next = at + 1;
        for _ in 0..24 {
            let Some(member) = self.member(next) else { return };
            let key = Words::of(self.slice(member.key.0, member.key.1));
            match super::names::judge(&key, group) {
                Verdict::Secret(label) => self.take(&member, label),
                Verdict::Maybe(label, Doubt::Text) if group == Group::Auth => self.take(&member, label),
                _ => {}
            }
            next = member.after;
        }
    }

    /// Whether an object describes a value instead of being it, as a JSON Schema does: it has a `type`, and no
    /// member that could hold a value.
    pub(super) fn is_schema(&mut self, at: usize, end: usize) -> bool {
        let mut next = at + 1;
        let mut typed = false;
        for _ in 0..24 {
            let Some(member) = self.member(next).filter(|member| member.after < end) else { break };
            let key = self.slice(member.key.0, member.key.1);
            if !is_schema_key(key) {
                return false;
            }
            let value = self.slice(member.value, member.after);
            typed |= key == b"type" && is_schema_type(value);
            next = member.after;
        }
        let rest = self.slice(lex::skip_blanks(self.text, next, true), end);
        typed && matches!(rest, b"}" | b"")
    }
}

fn is_schema_type(value: &[u8]) -> bool {
    let word: Vec<u8> = value.iter().copied().filter(u8::is_ascii_alphabetic).collect();
    is_schema_type_name(&word)
}

/// Whether that is the name of a type in JSON Schema.
pub(super) fn is_schema_type_name(word: &[u8]) -> bool {
    matches!(
        word,
        b"string" | b"integer" | b"number" | b"boolean" | b"array" | b"object" | b"null" | b"stringnull"
    )
}

/// Whether that is a member of a JSON Schema that holds no value.
pub(super) fn is_schema_key(key: &[u8]) -> bool {
    matches!(
        key,
        b"type"
            | b"description"
            | b"title"
            | b"format"
            | b"minLength"
            | b"maxLength"
            | b"pattern"
            | b"nullable"
            | b"items"
            | b"properties"
            | b"required"
            | b"additionalProperties"
            | b"writeOnly"
            | b"readOnly"
            | b"deprecated"
            | b"$ref"
            | b"minimum"
            | b"maximum"
            | b"minItems"
            | b"maxItems"
            | b"anyOf"
            | b"oneOf"
            | b"allOf"
            | b"in"
            | b"schema"
            | b"optional"
    )
}
