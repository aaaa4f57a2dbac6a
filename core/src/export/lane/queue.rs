//! What waits in a lane, and what of it is with the sink; `lane.rs` keeps it under its mutex.
//!
//! Batches that come while the destination hangs or is tried again are packed (`Encoder::pack`), so that the same bytes
//! hold about four times as many spans of an outage. They are unpacked just before they are sent.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::stats::Drops;

/// A destination that has not settled a batch for so long lets the others wait.
const PATIENCE: Duration = Duration::from_millis(250);

/// Bytes of a lane, as in `LaneLimits`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) joined: usize,
    pub(super) queue: usize,
}

/// A batch and what it counts.
pub(super) struct Waiting<B> {
    pub(super) batch: B,
    pub(super) spans: u64,
    /// Records that are no finished spans.
    pub(super) aside: u64,
    /// As it waits, and as it is sent.
    pub(super) bytes: usize,
    pub(super) unpacked: usize,
}

pub(super) enum Item<B> {
    Batch(Waiting<B>),
    /// Everything before it is settled once the task gets here.
    Mark(oneshot::Sender<()>),
}

pub(super) struct State<B> {
    pub(super) queue: VecDeque<Item<B>>,
    /// Bytes in the queue.
    waiting: usize,
    /// Bytes with the sink.
    sending: usize,
    /// How many of the batches in the queue are packed, and what the largest of them takes when it is unpacked.
    packed: usize,
    largest_packed: usize,
    /// When the sink was given what it has.
    given: Option<Instant>,
    pub(super) accepted: u64,
    /// Spans in the open batch, as of the last pass.
    pub(super) open: u64,
    pub(super) queued: u64,
    pub(super) in_flight: u64,
    /// Records that are no finished spans, in the queue and in flight.
    pub(super) aside: u64,
    pub(super) exported: u64,
    pub(super) drops: Drops,
    /// Nothing goes by itself.
    pub(super) held: bool,
    pub(super) closing: bool,
}

impl<B> State<B> {
    pub(super) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            waiting: 0,
            sending: 0,
            packed: 0,
            largest_packed: 0,
            given: None,
            accepted: 0,
            open: 0,
            queued: 0,
            in_flight: 0,
            aside: 0,
            exported: 0,
            drops: Drops::default(),
            held: false,
            closing: false,
        }
    }

    /// Bytes in the queue and in flight, with the room to unpack the next batch.
    pub(super) fn bytes(&self) -> usize {
        self.waiting + self.sending.max(self.largest_packed)
    }

    /// Whether what is queued will lie there for a while.
    pub(super) fn is_stuck(&self) -> bool {
        self.held || self.given.is_some_and(|given| given.elapsed() >= PATIENCE)
    }

    pub(super) fn push(&mut self, waiting: Waiting<B>) {
        self.queued += waiting.spans;
        self.aside += waiting.aside;
        self.waiting += waiting.bytes;
        if waiting.bytes != waiting.unpacked {
            self.packed += 1;
            self.largest_packed = self.largest_packed.max(waiting.unpacked);
        }
        self.queue.push_back(Item::Batch(waiting));
    }

    pub(super) fn push_mark(&mut self, mark: oneshot::Sender<()>) {
        // Flushes that gave up leave no trace, however often one is tried at a dead destination.
        while matches!(self.queue.back(), Some(Item::Mark(given_up)) if given_up.is_closed()) {
            self.queue.pop_back();
        }
        self.queue.push_back(Item::Mark(mark));
    }

    /// Whether what is queued has to stay there. A flush wants all that was given before it, unless it gave up.
    fn waits(&self) -> bool {
        let is_wanted = |item: &Item<B>| matches!(item, Item::Mark(settled) if !settled.is_closed());
        self.held && !self.closing && !self.queue.iter().any(is_wanted)
    }

    /// The next item for the sink, with the batches behind it joined to it as far as they may be.
    pub(super) fn next(&mut self, bounds: Bounds, join: fn(&mut B, B) -> Option<B>) -> Option<Item<B>> {
        if self.waits() {
            return None;
        }
        let mut first = match self.queue.pop_front()? {
            Item::Batch(first) => first,
            mark @ Item::Mark(_) => return Some(mark),
        };
        self.leave(first.bytes, first.unpacked);
        while let Some(more) = self.pop_if(|more, waiting| {
            let together = first.unpacked + more.unpacked;
            let is_packed = more.bytes != more.unpacked;
            // What comes out of its packing has to have room beside what still waits.
            together <= bounds.joined && (!is_packed || waiting - more.bytes + together <= bounds.queue)
        }) {
            let Waiting { batch, spans, aside, bytes, unpacked } = more;
            if let Some(batch) = join(&mut first.batch, batch) {
                self.queue.push_front(Item::Batch(Waiting { batch, spans, aside, bytes, unpacked }));
                break;
            }
            self.leave(bytes, unpacked);
            first.spans += spans;
            first.aside += aside;
            first.unpacked += unpacked;
        }
        self.queued -= first.spans;
        self.in_flight += first.spans;
        self.sending = first.unpacked;
        self.given = Some(Instant::now());
        Some(Item::Batch(first))
    }

    fn pop_if(&mut self, wanted: impl FnOnce(&Waiting<B>, usize) -> bool) -> Option<Waiting<B>> {
        let is_wanted = matches!(self.queue.front(), Some(Item::Batch(more)) if wanted(more, self.waiting));
        match is_wanted.then(|| self.queue.pop_front())?? {
            Item::Batch(more) => Some(more),
            Item::Mark(_) => None,
        }
    }

    /// Takes a batch off the bytes that wait.
    fn leave(&mut self, bytes: usize, unpacked: usize) {
        self.waiting -= bytes;
        self.packed -= usize::from(bytes != unpacked);
        if self.packed == 0 {
            self.largest_packed = 0;
        }
    }

    /// Takes what the sink has settled off the counts; what became of it is the caller's to add.
    pub(super) fn settle(&mut self, spans: u64, aside: u64) {
        self.in_flight -= spans;
        self.aside = self.aside.saturating_sub(aside);
        self.sending = 0;
        self.given = None;
    }

    /// Empties it; answers with the spans that were not given to the sink, and those that were.
    pub(super) fn clear(&mut self) -> (u64, u64) {
        let lost = (self.open + self.queued, self.in_flight);
        (self.open, self.queued, self.in_flight, self.aside) = (0, 0, 0, 0);
        (self.waiting, self.sending, self.packed, self.largest_packed) = (0, 0, 0, 0);
        self.given = None;
        self.queue.clear();
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { joined: 1_000, queue: 1_200 };

    /// A batch of one span for each letter.
    fn batch(letters: &str, bytes: usize, unpacked: usize) -> Waiting<String> {
        let spans = letters.len() as u64;
        Waiting { batch: letters.to_owned(), spans, aside: 0, bytes, unpacked }
    }

    fn join(into: &mut String, more: String) -> Option<String> {
        into.push_str(&more);
        None
    }

    fn next(state: &mut State<String>) -> Option<Waiting<String>> {
        match state.next(BOUNDS, join)? {
            Item::Batch(batch) => Some(batch),
            Item::Mark(_) => None,
        }
    }

    #[test]
    fn batches_go_together_as_large_as_they_are_unpacked() {
        let mut state = State::new();
        for letters in ["ab", "c", "d", "e"] {
            state.push(batch(letters, 100, 400));
        }
        // Room is kept for the one that is unpacked next.
        assert_eq!((state.queued, state.bytes()), (5, 400 + 400));
        let first = next(&mut state).unwrap();
        assert_eq!((first.batch.as_str(), first.spans, first.unpacked), ("abc", 3, 800));
        assert_eq!((state.queued, state.in_flight, state.bytes()), (2, 3, 200 + 800));
        state.settle(3, 0);
        assert_eq!(state.bytes(), 200 + 400);
        assert_eq!(next(&mut state).unwrap().batch, "de");
        assert_eq!(state.bytes(), 800);
        state.settle(2, 0);
        assert!(next(&mut state).is_none() && state.bytes() == 0 && state.in_flight == 0);
    }

    #[test]
    fn unpacking_stays_within_the_queue() {
        let mut state = State::new();
        state.push(batch("a", 100, 300));
        state.push(batch("b", 100, 300));
        state.push(batch("c", 800, 800));
        assert_eq!(next(&mut state).unwrap().batch, "a", "two of them would take 1,400 with the third");
        state.settle(1, 0);
        assert_eq!(next(&mut state).unwrap().batch, "b");
        state.settle(1, 0);
        assert_eq!(next(&mut state).unwrap().batch, "c");
    }

    #[test]
    fn what_is_given_back_waits_as_before() {
        let mut state = State::new();
        state.push(batch("a", 300, 300));
        state.push(batch("b", 100, 300));
        let Some(Item::Batch(first)) = state.next(BOUNDS, |_, more| Some(more)) else { unreachable!() };
        assert_eq!((first.batch.as_str(), state.queued, state.bytes()), ("a", 1, 100 + 300));
        assert_eq!(state.clear(), (1, 1));
        assert_eq!((state.queued, state.bytes()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_is_stuck_when_its_batch_is_long_under_way_or_it_is_held() {
        let mut state = State::new();
        state.push(batch("a", 100, 100));
        tokio::time::sleep(PATIENCE * 2).await;
        assert!(!state.is_stuck(), "nothing was given yet");
        assert!(next(&mut state).is_some() && !state.is_stuck());
        tokio::time::sleep(PATIENCE).await;
        assert!(state.is_stuck());
        state.settle(1, 0);
        assert!(!state.is_stuck());
        state.held = true;
        assert!(state.is_stuck());
    }
}
