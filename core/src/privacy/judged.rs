//! Names that were judged before: the keys of an application are few and come again for ever, in structures and
//! inside text, and taking one apart into its words costs more than all else that is done with it.

use super::names::{Group, Verdict};
use super::rules::Rules;

/// Pairs of names remembered, each in the pair that its hash says: were there one place only, two names that
/// stand side by side in every text could drive each other out for ever.
const PAIRS: usize = 128;
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
    /// None until the first name; of each pair the one that was met last stands first.
    pairs: Vec<[Slot; 2]>,
}

impl Judged {
    /// What a name says of its value, outside of any group.
    pub(super) fn verdict(&mut self, rules: &Rules, name: &[u8]) -> Verdict {
        if name.is_empty() || name.len() > LONGEST {
            return rules.judge(name, Group::None);
        }
        if self.pairs.is_empty() {
            self.pairs = vec![[Slot::EMPTY; 2]; PAIRS];
        }
        let Some([slot, other]) = self.pairs.get_mut(hash(name)) else {
            return rules.judge(name, Group::None);
        };
        if slot.holds(name) {
            return slot.verdict;
        }
        core::mem::swap(slot, other);
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

/// A pair's number; names that differ in one letter or in case have different ones, as a rule.
fn hash(name: &[u8]) -> usize {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mut hash = name.len() as u64;
    let (words, rest) = name.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    // The last bytes once more with what stands before them, where there is so much: one step for all of them.
    let rest = match (name.last_chunk::<8>(), rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(last), ..) => u64::from_le_bytes(*last),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => rest.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    (mix(hash, rest) >> 20) as usize % PAIRS
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
        // More names than places, twice, so that they drive each other out.
        let many: Vec<String> =
            (0..6 * PAIRS).map(|number| format!("token{number}_{}", number % 7)).collect();
        for name in few.into_iter().chain(many.iter().map(String::as_str)).cycle().take(16 * PAIRS) {
            let verdict = judged.verdict(&redactor.rules, name.as_bytes());
            assert_eq!(verdict, redactor.rules.judge(name.as_bytes(), Group::None), "{name}");
        }
        assert_eq!(judged.pairs.len(), PAIRS);
    }
}
