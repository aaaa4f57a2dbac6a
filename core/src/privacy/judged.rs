//! Names that were judged before: the keys of an application are few and come again for ever, in structures and
//! inside text, and taking one apart into its words costs more than all else that is done with it.

use super::names::{Group, Verdict};
use super::rules::Rules;

/// Names remembered, each in the one slot that its hash says.
const SLOTS: usize = 256;
/// Bytes of the longest name remembered.
const LONGEST: usize = 40;

/// A name with its verdict.
#[derive(Debug, Clone, Copy)]
struct Slot {
    name: [u8; LONGEST],
    length: u8,
    verdict: Verdict,
}

impl Slot {
    const EMPTY: Self = Self { name: [0; LONGEST], length: 0, verdict: Verdict::Plain };

    fn holds(&self, name: &[u8]) -> bool {
        self.name.get(..usize::from(self.length)) == Some(name)
    }
}

/// The names that one user of one engine's rules has met.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// None until the first name.
    slots: Vec<Slot>,
}

impl Judged {
    /// What a name says of its value, outside of any group.
    pub(super) fn verdict(&mut self, rules: &Rules, name: &[u8]) -> Verdict {
        if name.is_empty() || name.len() > LONGEST {
            return rules.judge(name, Group::None);
        }
        if self.slots.is_empty() {
            self.slots = vec![Slot::EMPTY; SLOTS];
        }
        let Some(slot) = self.slots.get_mut(hash(name)) else { return rules.judge(name, Group::None) };
        if !slot.holds(name) {
            let verdict = rules.judge(name, Group::None);
            *slot = Slot { length: name.len() as u8, verdict, ..Slot::EMPTY };
            if let Some(place) = slot.name.get_mut(..name.len()) {
                place.copy_from_slice(name);
            }
        }
        slot.verdict
    }
}

/// A slot's number; names that differ in one letter or in case have different ones, as a rule.
fn hash(name: &[u8]) -> usize {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mut hash = name.len() as u64;
    let (words, rest) = name.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    // The end once more, together with what is left, rather than that byte by byte.
    hash = match name.last_chunk() {
        Some(last) => mix(hash, u64::from_le_bytes(*last)),
        None => mix(hash, rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    };
    (hash >> 20) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::{Redaction, Redactor};

    #[test]
    fn what_is_remembered_is_what_was_judged() {
        let redactor = Redactor::new(&Redaction::new().key("employee").allow_key("session_token")).unwrap();
        let mut judged = Judged::default();
        let long = "x".repeat(LONGEST) + "_token";
        let few = ["password", "passwords", "token_count", "employee_no", "session_token", "auth", "", &long];
        // More names than slots, twice, so that they drive each other out.
        let many: Vec<String> =
            (0..3 * SLOTS).map(|number| format!("token{number}_{}", number % 7)).collect();
        for name in few.into_iter().chain(many.iter().map(String::as_str)).cycle().take(8 * SLOTS) {
            let verdict = judged.verdict(&redactor.rules, name.as_bytes());
            assert_eq!(verdict, redactor.rules.judge(name.as_bytes(), Group::None), "{name}");
        }
        assert_eq!(judged.slots.len(), SLOTS);
    }
}
