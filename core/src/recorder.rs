//! What a thread needs to record: its lane of the hand-off, its ids, its spare buffers, the engines it has
//! met. Kept per thread, made on first use, void after a fork.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::engine::{Engine, Live, Shard};
use crate::frame::batch::Events;
use crate::frame::view::SpanView;
use crate::frame::{EventKind, VERSION, unsampled};
use crate::id::IdGenerator;
use crate::kinds::SpanFlags;
use crate::lifecycle::generation;
use crate::pipeline::leave_out::left_out;
use crate::registry;
use crate::ring::Writer;
use crate::runtime::{self, Runtime};
use crate::sampling::SamplingInput;
use crate::span::{Counted, Cuts, Home, Open};
use crate::stats::DropReason;

/// Rooms of ended spans kept for the next ones.
const SPARE_SPANS: usize = 32;
/// Larger ones are freed ...
const SPARE_CAPACITY: usize = 8 * 1024;
/// ... but for a few that are not much larger: inputs and outputs of model calls follow one another on a thread.
const LARGE_CAPACITY: usize = 32 * 1024;
const LARGE_SPANS: usize = 2;
/// Engines remembered per thread.
const KNOWN_ENGINES: usize = 8;
/// The number of open spans is looked at every so many starts.
const OPEN_CHECK: u32 = 64;

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The recording side of one thread.
pub(crate) struct Recorder {
    generation: usize,
    runtime: &'static Runtime,
    pub(crate) writer: Writer,
    pub(crate) ids: IdGenerator,
    /// Picks the shard of counters.
    pub(crate) thread: usize,
    #[allow(clippy::vec_box)] // The boxes themselves are what is kept.
    spare: Vec<Box<Open>>,
    known: Vec<Arc<Live>>,
    default: Option<Arc<Live>>,
    version: u64,
    until_check: u32,
    /// The event of the log record, or of the unsampled span, at hand.
    log: Vec<u8>,
}

/// Runs `f` with this thread's recorder. While the thread ends, or when called from within itself (a
/// sampler that records), a recorder for this one call stands in. `None` where the process is forked too
/// deeply.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    let mut f = Some(f);
    let result = RECORDER.try_with(|cell| {
        let mut slot = cell.try_borrow_mut().ok()?;
        if slot.as_ref().is_none_or(|recorder| recorder.generation != generation()) {
            // What the parent process had is left as it is: nothing of it may run here.
            std::mem::forget(slot.take());
            *slot = Some(Recorder::new()?);
        }
        Some(f.take()?(slot.as_mut()?))
    });
    match (result, f) {
        (Ok(Some(result)), _) => Some(result),
        (_, Some(f)) => Some(f(&mut Recorder::new()?)),
        (_, None) => None,
    }
}

/// Runs `f` with the thread's recorder and the state of the engine: the one that is given, or else the one
/// at home, or else the default one. `None` where there is none.
#[inline]
pub(crate) fn with_engine<R>(
    engine: Option<&Engine>,
    home: Option<Home>,
    f: impl FnOnce(&mut Recorder, &Live) -> R,
) -> Option<R> {
    with(|recorder| match engine {
        Some(engine) => Some(f(recorder, engine.live()?)),
        None => {
            // Lent and put back rather than cloned: the count of its holders is shared by all threads.
            let default = recorder.take_default();
            let slot = home.and_then(Home::slot);
            let elsewhere = slot.filter(|slot| default.as_ref().is_none_or(|live| live.slot != *slot));
            if let Some(own) = elsewhere.and_then(|slot| recorder.running(slot)) {
                if let Some(live) = default {
                    recorder.put_default(live);
                }
                return Some(f(recorder, &own));
            }
            let live = default?;
            let result = f(recorder, &live);
            recorder.put_default(live);
            Some(result)
        }
    })
    .flatten()
}

impl Recorder {
    #[cold]
    fn new() -> Option<Self> {
        let runtime = runtime::current()?;
        Some(Self {
            generation: generation(),
            runtime,
            writer: Writer::new(&runtime.handoff),
            ids: IdGenerator::from_seed(crate::entropy::seed()),
            thread: THREADS.fetch_add(1, Ordering::Relaxed),
            spare: Vec::new(),
            known: Vec::new(),
            default: None,
            // One off, so that the first look goes to the registry.
            version: registry::version().wrapping_sub(1),
            until_check: OPEN_CHECK,
            log: Vec::new(),
        })
    }

    /// The engine for a span whose caller named none; to be put back with [`Recorder::put_default`].
    #[inline]
    pub(crate) fn take_default(&mut self) -> Option<Arc<Live>> {
        let version = registry::version();
        if self.version != version {
            self.version = version;
            self.default = registry::default_engine().and_then(|engine| engine.live().cloned());
        }
        self.default.take().or_else(|| registry::default_engine()?.live().cloned())
    }

    /// Puts the default engine back.
    #[inline]
    pub(crate) fn put_default(&mut self, live: Arc<Live>) {
        self.default = Some(live);
    }

    /// The engine of that number.
    #[inline]
    fn live(&mut self, slot: u16) -> Option<&Arc<Live>> {
        let place = self.place(slot)?;
        self.known.get(place)
    }

    /// The engine of that number, unless it has been shut down.
    pub(crate) fn running(&mut self, slot: u16) -> Option<Arc<Live>> {
        self.live(slot).filter(|live| !live.stopped.load(Ordering::Relaxed)).cloned()
    }

    #[inline]
    fn place(&mut self, slot: u16) -> Option<usize> {
        match self.known.iter().position(|live| live.slot == slot) {
            Some(place) => Some(place),
            None => {
                let live = self.runtime.live(slot)?;
                Some(self.remember(live))
            }
        }
    }

    #[cold]
    fn remember(&mut self, live: Arc<Live>) -> usize {
        self.known.retain(|known| !known.stopped.load(Ordering::Relaxed));
        if self.known.len() >= KNOWN_ENGINES {
            self.known.remove(0);
        }
        self.known.push(live);
        self.known.len() - 1
    }

    /// Room for an open span.
    #[inline]
    pub(crate) fn open(&mut self) -> Box<Open> {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps the room of an ended span.
    #[inline]
    fn reuse(&mut self, open: Box<Open>) {
        let capacity = open.capacity();
        if self.spare.len() < SPARE_SPANS && (capacity <= SPARE_CAPACITY || self.keeps_large(capacity)) {
            self.spare.push(open);
        }
    }

    /// Whether the room of a large span is kept.
    #[cold]
    fn keeps_large(&self, capacity: usize) -> bool {
        let large = self.spare.iter().filter(|open| open.capacity() > SPARE_CAPACITY);
        capacity <= LARGE_CAPACITY && large.count() < LARGE_SPANS
    }

    /// Whether too many spans are open for another one to record.
    #[inline]
    pub(crate) fn is_open_limit_reached(&mut self, live: &Live) -> bool {
        self.until_check -= 1;
        if self.until_check == 0 || live.open_over.load(Ordering::Relaxed) {
            self.until_check = OPEN_CHECK;
            return live.check_open();
        }
        false
    }

    /// Hands an ended span to the export thread and counts it.
    #[inline]
    pub(crate) fn hand_off(&mut self, mut open: Box<Open>, end: u64) {
        open.finish(end);
        if let Some(place) = self.place(open.slot())
            && let Some(live) = self.known.get(place)
        {
            let shard = live.shard(self.thread);
            shard.ended.fetch_add(1, Ordering::AcqRel);
            note(shard, &open);
            if live.stopped.load(Ordering::Acquire) {
                shard.already_shutdown.fetch_add(1, Ordering::AcqRel);
            } else {
                self.runtime.ensure_thread();
                if self.writer.push(open.event()).is_err() {
                    shard.buffer_full.fetch_add(1, Ordering::AcqRel);
                    lose(live, &open, DropReason::BufferFull.as_str());
                }
            }
        }
        self.reuse(open);
    }

    /// Hands what metrics count of an unsampled span that ended to the export thread, and counts it.
    pub(crate) fn hand_off_counted(&mut self, slot: u16, counted: &Counted, end: u64) {
        let Some(place) = self.place(slot) else { return };
        let Some(live) = self.known.get(place) else { return };
        let shard = live.shard(self.thread);
        shard.unsampled.fetch_add(1, Ordering::AcqRel);
        if live.stopped.load(Ordering::Acquire) {
            shard.counted_late.fetch_add(1, Ordering::AcqRel);
            return;
        }
        unsampled::write(&mut self.log, slot, &counted.ended(end));
        self.runtime.ensure_thread();
        if self.writer.push(&self.log).is_err() {
            shard.counted_full.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// An open span is thrown away.
    pub(crate) fn discard(&mut self, open: Box<Open>) {
        let thread = self.thread;
        if let Some(live) = self.live(open.slot()) {
            let shard = live.shard(thread);
            shard.discarded.fetch_add(1, Ordering::AcqRel);
            note(shard, &open);
            lose(live, &open, "discarded");
        }
        self.reuse(open);
    }

    /// Says that a span was started, where exporters follow spans while they are open.
    #[inline]
    pub(crate) fn announce(&mut self, live: &Live, open: &mut Open) {
        if live.definition.settings.following.starts {
            self.announce_to(live, open);
        }
    }

    #[cold]
    fn announce_to(&mut self, live: &Live, open: &mut Open) {
        let head = open.head();
        let hiding = &live.definition.settings.config.trace.hiding;
        if !head.trace_flags.is_sampled()
            || head.flags.contains(SpanFlags::EVENT)
            || head.flags.contains(SpanFlags::ANNOUNCED)
            || left_out(head, hiding, false).is_some()
            || live.stopped.load(Ordering::Relaxed)
        {
            return;
        }
        self.runtime.ensure_thread();
        let said = !self.runtime.handoff.under_pressure() && live.may_announce();
        if said && self.writer.push(open.so_far(EventKind::SpanStarted)).is_ok() {
            open.mark_announced();
            return;
        }
        if said {
            live.settle_announced();
        }
        live.shard(self.thread).events_dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// The same of an open span, which its host has completed by now.
    pub(crate) fn announce_later(&mut self, open: &mut Open) {
        if let Some(live) = self.live(open.slot()).cloned() {
            self.announce(&live, open);
        }
    }

    /// Says what an announced span is by now, where anybody wants to know.
    pub(crate) fn announce_change(&mut self, open: &mut Open) {
        let Some(live) = self.live(open.slot()).cloned() else { return };
        if !live.definition.settings.following.updates
            || !open.head().flags.contains(SpanFlags::ANNOUNCED)
            || live.stopped.load(Ordering::Relaxed)
        {
            return;
        }
        let said = !self.runtime.handoff.under_pressure()
            && self.writer.push(open.so_far(EventKind::SpanUpdated)).is_ok();
        if !said {
            live.shard(self.thread).events_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// An open span goes on in a host, whose frame will count its start and its end.
    pub(crate) fn hand_over(&mut self, open: Box<Open>) {
        let thread = self.thread;
        if let Some(live) = self.live(open.slot()) {
            let shard = live.shard(thread);
            shard.recording.fetch_sub(1, Ordering::AcqRel);
            note(shard, &open);
        }
        self.reuse(open);
    }

    /// An open span has grown.
    pub(crate) fn charge(&mut self, slot: u16, bytes: usize) {
        let thread = self.thread;
        if let Some(live) = self.live(slot) {
            live.shard(thread).open_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    /// Adds one to a counter.
    #[inline]
    pub(crate) fn count(&mut self, slot: u16, counter: impl FnOnce(&Shard) -> &AtomicU64) {
        let thread = self.thread;
        if let Some(live) = self.live(slot) {
            counter(live.shard(thread)).fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Takes one back.
    pub(crate) fn uncount(&mut self, slot: u16, counter: impl FnOnce(&Shard) -> &AtomicU64) {
        let thread = self.thread;
        if let Some(live) = self.live(slot) {
            counter(live.shard(thread)).fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// A span that was started before a fork ended in the child. Which engine's it was is the parent's
    /// knowledge; the default engine counts it, and tells exporters that follow.
    pub(crate) fn count_forked(&mut self, open: Option<&Open>) {
        let thread = self.thread;
        if let Some(live) = self.take_default() {
            live.shard(thread).forked.fetch_add(1, Ordering::AcqRel);
            if let Some(open) = open {
                lose(&live, open, DropReason::ForkedChild.as_str());
            }
            self.put_default(live);
        }
    }
}

/// A span is lost that exporters may have been told of.
#[inline]
fn lose(live: &Live, open: &Open, why: &'static str) {
    if open.head().flags.contains(SpanFlags::ANNOUNCED) {
        live.lose(open.head(), why);
    }
}

/// Gives back what an open span was charged with and adds up what it had to change.
#[inline]
fn note(shard: &Shard, open: &Open) {
    if open.charged() > 0 {
        shard.open_bytes.fetch_sub(open.charged() as u64, Ordering::Relaxed);
    }
    let cuts = open.cuts();
    if cuts.altered > 0 {
        shard.altered.fetch_add(cuts.altered, Ordering::Relaxed);
    }
    if cuts.limited > 0 {
        shard.limited.fetch_add(cuts.limited, Ordering::Relaxed);
    }
}

/// Hands a log record to the export thread and counts it. `write` makes the event in the buffer it is given, and
/// says what it had to cut or leave out. False where the record is lost, which is counted too.
pub(crate) fn log(live: &Live, write: impl FnOnce(&mut Vec<u8>) -> Cuts) -> bool {
    with(|recorder| {
        let shard = live.shard(recorder.thread);
        let mut event = core::mem::take(&mut recorder.log);
        let cuts = write(&mut event);
        if cuts != Cuts::default() {
            shard.altered.fetch_add(cuts.altered, Ordering::Relaxed);
            shard.limited.fetch_add(cuts.limited, Ordering::Relaxed);
        }
        shard.logs.fetch_add(1, Ordering::AcqRel);
        let lost = if live.stopped.load(Ordering::Acquire) {
            Some(&shard.logs_already_shutdown)
        } else {
            live.runtime.ensure_thread();
            recorder.writer.push(&event).is_err().then_some(&shard.logs_buffer_full)
        };
        if let Some(counter) = lost {
            counter.fetch_add(1, Ordering::AcqRel);
        }
        if event.capacity() <= SPARE_CAPACITY {
            recorder.log = event;
        }
        lost.is_none()
    })
    .unwrap_or(false)
}

/// Hands a host's frame of `spans` ended spans to the export thread as one event.
pub(crate) fn submit(live: &Arc<Live>, frame: &[u8], spans: u64) -> bool {
    let announced = u32::try_from(spans).unwrap_or(u32::MAX);
    let spans = u64::from(announced);
    with(|recorder| {
        let shard = live.shard(recorder.thread);
        shard.frames.fetch_add(spans, Ordering::AcqRel);
        live.runtime.ensure_thread();
        if live.stopped.load(Ordering::Acquire) {
            shard.already_shutdown.fetch_add(spans, Ordering::AcqRel);
            return false;
        }
        let length = ((frame.len() + 4) as u32).to_le_bytes();
        let kind = [EventKind::Frame as u8, VERSION];
        let (slot, announced) = (live.slot.to_le_bytes(), announced.to_le_bytes());
        let written = recorder.writer.push_parts([&length, &kind, &slot, &announced, frame]).is_ok();
        if !written {
            shard.buffer_full.fetch_add(spans, Ordering::AcqRel);
            lose_all(live, frame);
        }
        written
    })
    .unwrap_or(false)
}

/// A host's frame is lost, whose spans exporters may have been told of.
#[cold]
fn lose_all(live: &Live, frame: &[u8]) {
    if !live.definition.settings.following.starts {
        return;
    }
    let mut events = Events::new(frame);
    while let Ok(Some(event)) = events.next_event() {
        if event.kind == Some(EventKind::SpanEnded)
            && let Ok(span) = SpanView::new(event.body)
        {
            live.lose(span.head(), DropReason::BufferFull.as_str());
        }
    }
}

/// The engine that a root span belongs to, when a selector is set.
pub(crate) fn selected(root: &SamplingInput<'_>) -> Option<Engine> {
    registry::has_selector().then(|| registry::select(root)).flatten()
}
