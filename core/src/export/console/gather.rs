//! Holding spans back until their tree is complete.
//!
//! Spans end before their parents, and threads are drained in any order, so a tree is taken a moment after
//! its local root has ended. What never gets a root is taken after a longer time; what is held is bounded.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::export::Encoder;
use crate::frame::record::{RecordContext, SpanData};
use crate::frame::view::SpanView;
use crate::id::{SpanId, TraceId};
use crate::kinds::SpanFlags;

/// A pass over all threads takes less: what was ended before a root is here by then.
const SETTLE: Duration = Duration::from_millis(80);
/// How long a trace without a root may be silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// Held spans and bytes; beyond either the oldest traces are taken as they are.
const MAX_SPANS: u32 = 1000;
const MAX_BYTES: usize = 4 << 20;
/// How many traces are remembered as printed, so that late spans need not wait for a root.
const REMEMBERED: usize = 256;

/// Spans of one trace that are printed together.
#[derive(Debug, Clone, PartialEq)]
pub struct GatheredTrace {
    /// The spans, in the order they ended.
    pub spans: Vec<SpanData>,
    /// Whether spans of the trace were printed before.
    pub continued: bool,
}

/// Collects spans by trace and hands over complete trees.
#[derive(Debug, Default)]
pub struct ConsoleEncoder {
    /// In the order in which their first span came.
    traces: Vec<Held>,
    printed: VecDeque<TraceId>,
    spans: u32,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    trace_id: TraceId,
    spans: Vec<(SpanData, usize)>,
    /// Local roots that have ended, and when they came; the first of them decides.
    roots: Vec<(SpanId, Instant)>,
    continued: bool,
    touched: Instant,
}

impl ConsoleEncoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }

    fn put(&mut self, span: SpanData, bytes: usize) {
        let now = Instant::now();
        let trace_id = span.context.trace_id;
        let at = self.traces.iter().rposition(|held| held.trace_id == trace_id).unwrap_or_else(|| {
            let continued = self.printed.contains(&trace_id);
            self.traces.push(Held {
                trace_id,
                spans: Vec::new(),
                roots: Vec::new(),
                continued,
                touched: now,
            });
            self.traces.len() - 1
        });
        let Some(held) = self.traces.get_mut(at) else { return };
        if span.flags.contains(SpanFlags::LOCAL_ROOT) || span.flags.contains(SpanFlags::ROOT) {
            held.roots.push((span.context.span_id, now));
        }
        held.touched = now;
        held.spans.push((span, bytes));
        self.spans += 1;
        self.bytes += bytes;
    }

    fn take_where(&mut self, mut is_wanted: impl FnMut(&Held) -> Wanted) -> Vec<GatheredTrace> {
        let mut taken = Vec::new();
        for held in core::mem::take(&mut self.traces) {
            let (spans, rest) = match is_wanted(&held) {
                Wanted::Nothing => (Vec::new(), Some(held)),
                Wanted::Everything => (held.spans, None),
                Wanted::Trees => held.cut_trees(),
            };
            if let Some((first, _)) = spans.first() {
                let trace_id = first.context.trace_id;
                let continued = self.printed.contains(&trace_id);
                if !continued {
                    self.printed.truncate(REMEMBERED - 1);
                    self.printed.push_front(trace_id);
                }
                self.spans -= spans.len() as u32;
                self.bytes -= spans.iter().map(|(_, bytes)| bytes).sum::<usize>();
                taken.push(GatheredTrace {
                    spans: spans.into_iter().map(|(span, _)| span).collect(),
                    continued,
                });
            }
            self.traces.extend(rest);
        }
        taken
    }
}

/// What of a trace is taken.
enum Wanted {
    Nothing,
    /// The trees under the local roots that have ended.
    Trees,
    Everything,
}

impl Held {
    fn wanted(&self, now: Instant) -> Wanted {
        let silent = now - self.touched;
        match self.roots.first() {
            Some((_, came)) if now - *came >= SETTLE => Wanted::Trees,
            None if silent >= PATIENCE || self.continued && silent >= SETTLE => Wanted::Everything,
            _ => Wanted::Nothing,
        }
    }

    /// The spans under the roots, and what is left of the trace. With its true root a trace is complete,
    /// and spans whose parents are not here will not get them any more.
    fn cut_trees(mut self) -> (Vec<(SpanData, usize)>, Option<Self>) {
        let true_root = |(span, _): &(SpanData, usize)| span.flags.contains(SpanFlags::ROOT);
        if self.spans.iter().any(true_root) {
            return (self.spans, None);
        }
        let parents: HashMap<SpanId, SpanId> =
            self.spans.iter().map(|(span, _)| (span.context.span_id, span.parent_span_id)).collect();
        let roots: HashSet<SpanId> = self.roots.drain(..).map(|(root, _)| root).collect();
        let is_below_a_root = |mut id: SpanId| {
            // No chain is longer than there are spans, unless it goes round.
            for _ in 0..=parents.len() {
                if roots.contains(&id) {
                    return true;
                }
                match parents.get(&id) {
                    Some(parent) => id = *parent,
                    None => return false,
                }
            }
            false
        };
        let (taken, left) = core::mem::take(&mut self.spans)
            .into_iter()
            .partition::<Vec<_>, _>(|(span, _)| is_below_a_root(span.context.span_id));
        self.spans = left;
        let rest = (!self.spans.is_empty()).then_some(self);
        (taken, rest)
    }
}

impl Encoder for ConsoleEncoder {
    type Batch = Vec<GatheredTrace>;

    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>) {
        self.put(SpanData::from_view(span, context), size_of::<SpanData>() + 2 * span.fields_len());
    }

    fn spans(&self) -> u32 {
        self.spans
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn take(&mut self) -> Vec<GatheredTrace> {
        self.take_where(|_| Wanted::Everything)
    }

    fn take_ready(&mut self) -> Vec<GatheredTrace> {
        let now = Instant::now();
        let (mut spans, mut bytes) = (self.spans, self.bytes);
        let is_over = spans > MAX_SPANS || bytes > MAX_BYTES;
        self.take_where(|held| {
            if is_over && (spans > MAX_SPANS / 2 || bytes > MAX_BYTES / 2) {
                spans -= held.spans.len() as u32;
                bytes -= held.spans.iter().map(|(_, bytes)| bytes).sum::<usize>();
                return Wanted::Everything;
            }
            held.wanted(now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::SpanContext;

    fn span(trace: u8, id: u8, parent: u8, flags: SpanFlags) -> SpanData {
        SpanData {
            context: SpanContext {
                trace_id: TraceId::from_bytes([trace; 16]),
                span_id: SpanId::from_bytes([id; 8]),
                ..SpanContext::default()
            },
            parent_span_id: SpanId::from_bytes([parent; 8]),
            flags,
            ..SpanData::default()
        }
    }

    const CHILD: SpanFlags = SpanFlags::empty();

    fn ids(traces: &[GatheredTrace]) -> Vec<Vec<u8>> {
        let ids = |trace: &GatheredTrace| {
            trace.spans.iter().map(|span| span.context.span_id.to_bytes()[0]).collect()
        };
        traces.iter().map(ids).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_tree_is_taken_a_moment_after_its_root() {
        let mut encoder = ConsoleEncoder::new();
        encoder.put(span(1, 2, 1, CHILD), 10);
        encoder.put(span(2, 9, 8, CHILD), 10);
        encoder.put(span(1, 1, 0, SpanFlags::ROOT.with(SpanFlags::LOCAL_ROOT)), 10);
        assert!(encoder.take_ready().is_empty());
        encoder.put(span(1, 3, 1, CHILD), 10);
        tokio::time::advance(SETTLE).await;
        assert_eq!(ids(&encoder.take_ready()), [[2, 1, 3]]);
        assert_eq!((encoder.spans(), encoder.bytes()), (1, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn late_spans_follow_soon_and_are_marked() {
        let mut encoder = ConsoleEncoder::new();
        encoder.put(span(1, 1, 0, SpanFlags::ROOT), 10);
        tokio::time::advance(SETTLE).await;
        assert!(!encoder.take_ready()[0].continued);
        encoder.put(span(1, 2, 1, CHILD), 10);
        assert!(encoder.take_ready().is_empty());
        tokio::time::advance(SETTLE).await;
        let late = encoder.take_ready();
        assert_eq!(ids(&late), [[2]]);
        assert!(late[0].continued);
    }

    #[tokio::test(start_paused = true)]
    async fn a_local_root_takes_its_own_tree_only() {
        let mut encoder = ConsoleEncoder::new();
        encoder.put(span(1, 2, 1, CHILD), 10);
        encoder.put(span(1, 6, 5, CHILD), 10);
        encoder.put(span(1, 7, 6, CHILD), 10);
        encoder.put(span(1, 5, 4, SpanFlags::LOCAL_ROOT), 10);
        tokio::time::advance(SETTLE).await;
        assert_eq!(ids(&encoder.take_ready()), [[6, 7, 5]]);
        encoder.put(span(1, 1, 0, SpanFlags::ROOT), 10);
        tokio::time::advance(SETTLE).await;
        assert_eq!(ids(&encoder.take_ready()), [[2, 1]]);
        assert_eq!((encoder.spans(), encoder.bytes()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn spans_without_a_root_are_taken_after_a_while() {
        let mut encoder = ConsoleEncoder::new();
        encoder.put(span(1, 2, 1, CHILD), 10);
        tokio::time::advance(PATIENCE / 2).await;
        encoder.put(span(1, 3, 1, CHILD), 10);
        tokio::time::advance(PATIENCE / 2).await;
        assert!(encoder.take_ready().is_empty(), "the trace is not silent yet");
        tokio::time::advance(PATIENCE / 2).await;
        assert_eq!(ids(&encoder.take_ready()), [[2, 3]]);
    }

    #[tokio::test(start_paused = true)]
    async fn parents_that_go_round_are_taken_too() {
        let mut encoder = ConsoleEncoder::new();
        encoder.put(span(1, 2, 3, CHILD), 10);
        encoder.put(span(1, 3, 2, CHILD), 10);
        encoder.put(span(1, 5, 4, SpanFlags::LOCAL_ROOT), 10);
        tokio::time::advance(SETTLE).await;
        assert_eq!(ids(&encoder.take_ready()), [[5]]);
        assert_eq!(ids(&encoder.take()), [[2, 3]]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_bounded() {
        let mut encoder = ConsoleEncoder::new();
        for trace in 0..=(MAX_SPANS / 10) as u8 {
            for id in 1..=10 {
                encoder.put(span(trace, id, 99, CHILD), 10);
            }
        }
        let taken = encoder.take_ready();
        assert!(taken.iter().all(|trace| trace.spans.len() == 10));
        assert_eq!(taken[0].spans[0].context.trace_id, TraceId::from_bytes([0; 16]), "the oldest go first");
        assert!(encoder.spans() <= MAX_SPANS / 2);
        encoder.put(span(200, 1, 99, CHILD), MAX_BYTES + 1);
        encoder.take_ready();
        assert_eq!((encoder.spans(), encoder.bytes()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_of_printed_traces_is_bounded() {
        let mut encoder = ConsoleEncoder::new();
        for trace in 0..2 * REMEMBERED as u64 {
            let mut span = span(1, 1, 0, SpanFlags::ROOT);
            span.context.trace_id =
                TraceId::from_bytes([trace.to_be_bytes(); 2].concat().try_into().unwrap());
            encoder.put(span, 1);
            assert_eq!(encoder.take().len(), 1);
        }
        assert_eq!(encoder.printed.len(), REMEMBERED);
    }
}
