//! Which secret is which: the numbers that the indexed style gives to equal values of a trace.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::label::Label;
use crate::id::TraceId;

/// Traces that are remembered; of more the one that was used longest ago is forgotten.
const TRACES: usize = 1000;
/// Values of a trace that get numbers.
const VALUES: usize = 1000;

/// The numbers given so far. No value is kept, only its hash under a key drawn when the book is made.
#[derive(Debug, Default)]
pub(super) struct Book {
    hasher: RandomState,
    traces: HashMap<TraceId, Page>,
    /// Counts the uses.
    clock: u64,
}

#[derive(Debug, Default)]
struct Page {
    used: u64,
    numbers: HashMap<u64, (Label, u32)>,
    last: HashMap<Label, u32>,
}

impl Book {
    /// The label and number of a value: those that an equal one has in this trace, or new ones. `None` if the
    /// trace has had too many different values.
    pub(super) fn number(&mut self, trace: TraceId, label: Label, value: &[u8]) -> Option<(Label, u32)> {
        let hash = self.hasher.hash_one(value);
        self.clock += 1;
        if self.traces.len() >= TRACES && !self.traces.contains_key(&trace) {
            self.forget_oldest();
        }
        let page = self.traces.entry(trace).or_default();
        page.used = self.clock;
        if let Some(known) = page.numbers.get(&hash) {
            return Some(*known);
        }
        if page.numbers.len() >= VALUES {
            return None;
        }
        let last = page.last.entry(label).or_default();
        *last += 1;
        page.numbers.insert(hash, (label, *last));
        Some((label, *last))
    }

    /// An eighth at once, so that it is rarely done.
    fn forget_oldest(&mut self) {
        let mut uses: Vec<u64> = self.traces.values().map(|page| page.used).collect();
        let (_, middle, _) = uses.select_nth_unstable(TRACES / 8);
        let oldest = *middle;
        self.traces.retain(|_, page| page.used > oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(number: u8) -> TraceId {
        TraceId::from_bytes([number; 16])
    }

    #[test]
    fn equal_values_of_a_trace_have_equal_numbers() {
        let mut book = Book::default();
        let one = trace(1);
        assert_eq!(book.number(one, Label::TOKEN, b"a"), Some((Label::TOKEN, 1)));
        assert_eq!(book.number(one, Label::TOKEN, b"b"), Some((Label::TOKEN, 2)));
        assert_eq!(book.number(one, Label::PASSWORD, b"a"), Some((Label::TOKEN, 1)));
        assert_eq!(book.number(one, Label::PASSWORD, b"c"), Some((Label::PASSWORD, 1)));
        assert_eq!(book.number(trace(2), Label::TOKEN, b"b"), Some((Label::TOKEN, 1)));
    }

    #[test]
    fn the_book_is_bounded() {
        let mut book = Book::default();
        for value in 0..VALUES as u32 {
            assert!(book.number(trace(1), Label::TOKEN, &value.to_le_bytes()).is_some());
        }
        assert_eq!(book.number(trace(1), Label::TOKEN, b"one more"), None);
        assert!(book.number(trace(1), Label::TOKEN, &7u32.to_le_bytes()).is_some());
        for number in 0..3 * TRACES as u128 {
            let trace = TraceId::from_bytes((number + 1).to_be_bytes());
            assert!(book.number(trace, Label::TOKEN, b"a").is_some());
            assert!(book.traces.len() <= TRACES);
        }
        assert_eq!(book.number(trace(1), Label::TOKEN, b"one more"), Some((Label::TOKEN, 1)), "forgotten");
    }
}
