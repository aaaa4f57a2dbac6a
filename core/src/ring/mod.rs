//! The hand-off: how finished events get from recording threads to the export thread without a lock.
//!
//! Each recording thread has a *lane* with one slot. To write, the thread takes the segment out of its slot
//! (or a new one from the pool), appends the event and puts it back; a full segment goes onto a stack that
//! all lanes share. The export thread takes what is in the slots and on the stack. A segment belongs to
//! whoever took it, so no byte is ever shared, and a thread that is silent after a drain holds nothing.
//! `docs/decisions/0001-hand-off.md` says why it is not a chain of segments with a published length.
//!
//! A writer that is just appending has its segment in hand, and the export thread leaves it there: it never
//! waits. A pass names the lanes it left out, so that a flush is answered only after each of them was seen.
//!
//! Order: segments of a lane are numbered; a pass looks at the slots first and at the stack afterwards, so
//! that it never sees a later segment of a lane without the earlier ones, and sorts by number.
//!
//! Waking: full segments rouse the export thread once they are a good part of the budget; until then its timer will
//! do, since a thread that is woken for each one runs beside the one that records, which costs both of them more than
//! the work itself. It sleeps without a timer only in [`IDLE`]. A writer that put a *new* segment
//! into its slot looks at the state after a fence; the export thread looks at the slots after it has said
//! that it will sleep, also after a fence. One of the two sees the other.

mod slot;
mod sync;

use slot::{Found, Node, Owned, Slot, Stack};
use sync::{Arc, AtomicBool, AtomicU8, AtomicUsize, Mutex, MutexGuard, Ordering, fence};

/// The first segment of a lane.
pub(crate) const SMALLEST_SEGMENT: usize = 4 * 1024;
/// Segments double up to this size; a larger event gets one of its own size.
pub(crate) const LARGEST_SEGMENT: usize = 64 * 1024;

/// The export thread sleeps until it is woken.
const IDLE: u8 = 0;
/// The export thread is awake or has a timer running.
const ARMED: u8 = 1;
/// Full segments wait: the export thread should not wait for its timer.
const URGENT: u8 = 2;
/// They do when they are this part of the budget.
const URGENT_PART: usize = 16;

/// Events of one lane, one after the other.
#[derive(Debug)]
struct Segment {
    lane: usize,
    number: u64,
    charge: usize,
    bytes: Vec<u8>,
}

impl Segment {
    #[inline]
    fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    #[inline]
    fn append<const N: usize>(&mut self, event: [&[u8]; N]) {
        for part in event {
            self.bytes.extend_from_slice(part);
        }
    }
}

/// A segment on its way; the export thread gives it back with [`Handoff::recycle`].
#[derive(Debug)]
pub(crate) struct Taken(Owned<Node<Segment>>);

impl Taken {
    /// The events, one after the other.
    pub(crate) fn events(&self) -> &[u8] {
        &self.0.value.bytes
    }
}

#[derive(Debug)]
struct Lane {
    id: usize,
    slot: Slot<Node<Segment>>,
    closed: AtomicBool,
}

/// Everything recording threads and the export thread share.
pub(crate) struct Handoff {
    lanes: Mutex<Vec<Arc<Lane>>>,
    next_lane: AtomicUsize,
    full: Stack<Segment>,
    used: AtomicUsize,
    budget: usize,
    state: AtomicU8,
    #[cfg(not(any(loom, shuttle)))]
    pool: crossbeam_queue::ArrayQueue<Vec<u8>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// The hand-off's byte budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Handoff {
    /// `budget` bounds the bytes of all segments; `wake` rouses the export thread and may be called by any
    /// thread, often more than once.
    pub(crate) fn new(budget: usize, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            lanes: Mutex::new(Vec::new()),
            next_lane: AtomicUsize::new(0),
            full: Stack::empty(),
            used: AtomicUsize::new(0),
            budget,
            state: AtomicU8::new(IDLE),
            #[cfg(not(any(loom, shuttle)))]
            pool: crossbeam_queue::ArrayQueue::new((budget / 2 / LARGEST_SEGMENT).clamp(1, 256)),
            wake,
        }
    }

    /// Whether more than three quarters of the budget are in use.
    #[inline]
    pub(crate) fn under_pressure(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.budget / 4 * 3
    }

    /// The bytes of segments in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn lanes(&self) -> MutexGuard<'_, Vec<Arc<Lane>>> {
        #[cfg(not(any(loom, shuttle)))]
        return self.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        #[cfg(any(loom, shuttle))]
        #[allow(clippy::unwrap_used)]
        return self.lanes.lock().unwrap();
    }

    fn segment(&self, lane: usize, number: u64, capacity: usize) -> Option<Owned<Node<Segment>>> {
        let before = self.used.fetch_add(capacity, Ordering::Relaxed);
        if before + capacity > self.budget {
            self.used.fetch_sub(capacity, Ordering::Relaxed);
            return None;
        }
        let bytes = self.pooled(capacity).unwrap_or_else(|| Vec::with_capacity(capacity));
        Some(Node::new(Segment { lane, number, charge: capacity, bytes }))
    }

    #[cfg(not(any(loom, shuttle)))]
    fn pooled(&self, capacity: usize) -> Option<Vec<u8>> {
        if capacity == LARGEST_SEGMENT { self.pool.pop() } else { None }
    }

    #[cfg(any(loom, shuttle))]
    fn pooled(&self, _: usize) -> Option<Vec<u8>> {
        None
    }

    /// Tells the export thread that a lane holds something again.
    fn arm(&self) {
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) == IDLE
            && self.state.compare_exchange(IDLE, ARMED, Ordering::SeqCst, Ordering::Relaxed).is_ok()
        {
            (self.wake)();
        }
    }

    /// Tells the export thread not to wait for its timer.
    fn hurry(&self) {
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) != URGENT && self.state.swap(URGENT, Ordering::SeqCst) != URGENT
        {
            (self.wake)();
        }
    }

    /// Takes everything written so far, in order per lane, but for the lanes whose writer is at work: these
    /// are named in `in_hand`. Called by the export thread alone.
    pub(crate) fn drain(&self, into: &mut Vec<Taken>, in_hand: &mut Vec<usize>) {
        // From here on a full segment wakes the thread anew.
        self.state.store(ARMED, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.lanes().retain(|lane| {
            // Read before the slot: a closed lane gets nothing more.
            let closed = lane.closed.load(Ordering::Acquire);
            match lane.slot.take() {
                Found::Nothing => {}
                Found::InHand => in_hand.push(lane.id),
                Found::Taken(segment) => into.push(Taken(segment)),
            }
            !closed
        });
        self.full.take_all(|segment| into.push(Taken(segment)));
        into.sort_unstable_by_key(|segment| (segment.0.value.lane, segment.0.value.number));
    }

    /// Says that the export thread will sleep until woken. False when something was written meanwhile: then
    /// it stays armed and must drain again.
    pub(crate) fn may_sleep(&self) -> bool {
        self.state.store(IDLE, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let empty = !self.full.looks_full() && !self.lanes().iter().any(|lane| lane.slot.in_use());
        if !empty {
            self.state.store(ARMED, Ordering::SeqCst);
        }
        empty
    }

    /// Whether a full segment waits.
    pub(crate) fn is_urgent(&self) -> bool {
        self.state.load(Ordering::Relaxed) == URGENT
    }

    /// Gives a drained segment's bytes back to the budget, and its memory to the pool.
    pub(crate) fn recycle(&self, segment: Taken) {
        let Segment { charge, bytes, .. } = segment.0.into_inner().value;
        #[cfg(not(any(loom, shuttle)))]
        if bytes.capacity() == LARGEST_SEGMENT {
            let mut bytes = bytes;
            bytes.clear();
            drop(self.pool.push(bytes));
        }
        #[cfg(any(loom, shuttle))]
        drop(bytes);
        self.used.fetch_sub(charge, Ordering::Relaxed);
    }

    /// Frees the pooled memory, after a while without work.
    pub(crate) fn trim(&self) {
        #[cfg(not(any(loom, shuttle)))]
        while self.pool.pop().is_some() {}
    }
}

impl std::fmt::Debug for Handoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handoff")
            .field("used", &self.used())
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// The writing end of a lane, owned by one recording thread.
#[derive(Debug)]
pub(crate) struct Writer {
    handoff: Arc<Handoff>,
    lane: Arc<Lane>,
    next_number: u64,
    capacity: usize,
    /// Bytes written since the last new segment, to size the next one.
    filled: usize,
}

impl Writer {
    /// Registers a lane for the calling thread.
    pub(crate) fn new(handoff: &Arc<Handoff>) -> Self {
        let id = handoff.next_lane.fetch_add(1, Ordering::Relaxed);
        let lane = Arc::new(Lane { id, slot: Slot::empty(), closed: AtomicBool::new(false) });
        {
            let mut lanes = handoff.lanes();
            if lanes.len() == lanes.capacity() {
                // While nothing is recorded no pass clears away what threads that ended have left.
                lanes.retain(|lane| !lane.closed.load(Ordering::Acquire) || lane.slot.in_use());
            }
            lanes.push(Arc::clone(&lane));
        }
        Self { handoff: Arc::clone(handoff), lane, next_number: 0, capacity: SMALLEST_SEGMENT, filled: 0 }
    }

    /// Appends an event.
    ///
    /// # Errors
    /// [`Full`] when the budget has no room; the event is not written.
    #[inline]
    pub(crate) fn push(&mut self, event: &[u8]) -> Result<(), Full> {
        self.push_parts([event])
    }

    /// Appends an event that lies in several places, without putting it together first.
    ///
    /// # Errors
    /// [`Full`] as for [`Writer::push`].
    #[inline]
    pub(crate) fn push_parts<const N: usize>(&mut self, event: [&[u8]; N]) -> Result<(), Full> {
        let length = event.iter().map(|part| part.len()).sum();
        match self.lane.slot.lend() {
            Some(mut segment) if segment.value.room() >= length => {
                segment.value.append(event);
                self.lane.slot.put(segment);
                self.filled += length;
                Ok(())
            }
            Some(segment) => self.push_after(segment, event, length),
            None => self.push_first(event, length),
        }
    }

    /// The segment in the slot has no room.
    #[cold]
    fn push_after<const N: usize>(
        &mut self,
        full: Owned<Node<Segment>>,
        event: [&[u8]; N],
        length: usize,
    ) -> Result<(), Full> {
        self.capacity = (self.capacity * 2).min(LARGEST_SEGMENT);
        let written = match self.segment_with(event, length) {
            Some(next) => {
                self.handoff.full.push(full);
                self.lane.slot.put(next);
                Ok(())
            }
            None => {
                self.lane.slot.put(full);
                Err(Full)
            }
        };
        if self.handoff.used() > self.handoff.budget / URGENT_PART {
            self.handoff.hurry();
        }
        written
    }

    /// The slot was empty: the export thread has taken everything.
    #[cold]
    fn push_first<const N: usize>(&mut self, event: [&[u8]; N], length: usize) -> Result<(), Full> {
        if self.filled < self.capacity / 4 {
            self.capacity = (self.capacity / 2).max(SMALLEST_SEGMENT);
        }
        let Some(segment) = self.segment_with(event, length) else {
            self.lane.slot.put_nothing();
            self.handoff.hurry();
            return Err(Full);
        };
        self.lane.slot.put(segment);
        self.handoff.arm();
        Ok(())
    }

    fn segment_with<const N: usize>(
        &mut self,
        event: [&[u8]; N],
        length: usize,
    ) -> Option<Owned<Node<Segment>>> {
        // A host's frame takes most of the largest segment, which is pooled, where one of the frame's own size would
        // be new memory each time.
        let rounded = length.next_power_of_two().min(LARGEST_SEGMENT);
        let capacity = self.capacity.max(rounded).max(length);
        let mut segment = self.handoff.segment(self.lane.id, self.next_number, capacity)?;
        self.next_number += 1;
        segment.value.append(event);
        self.filled = length;
        Some(segment)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lane.closed.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
