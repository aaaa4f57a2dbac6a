//! Spans that exporters follow while they are open: who was told that a span or a trace has begun, so that it is
//! told the end as well, whatever becomes of it.
//!
//! On the export thread, which learns of starts from events of their own. The recording side announces no more
//! than [`MOST`] spans of an engine at a time, and everything here is bounded by that.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};

use tokio::time::Instant;

use crate::export::lane::ExportLane;
use crate::frame::record::RecordContext;
use crate::frame::view::{Field, SpanView, text};
use crate::frame::write::{self, Head};
use crate::host::{HostEvent, TRACE_DROPPED, TRACE_SPANS};
use crate::id::{SpanId, TraceId};
use crate::kinds::SpanFlags;
use crate::stats::DropReason;

/// Spans of an engine that are announced and of which it is not decided yet what becomes of them.
pub(crate) const MOST: usize = 20_000;
/// Traces remembered, those that have ended among them.
const TRACES: usize = MOST;
/// So many that are still open are looked at for one that may be forgotten.
const SPARED: usize = 8;
/// So much of a name is kept for the end of its trace.
const NAME_BYTES: usize = 256;

type Key = (TraceId, SpanId);

/// The exporters of an engine, and what a record does not carry.
pub(crate) struct Listeners<'a> {
    pub(crate) lanes: &'a mut [Box<dyn ExportLane>],
    /// By the number of a scope.
    pub(crate) context: &'a dyn Fn(u32) -> RecordContext<'a>,
    pub(crate) now: Instant,
}

impl Listeners<'_> {
    /// Tells those whose bits are in `whom`. The bits of those that had no room.
    fn tell(&mut self, whom: u64, event: HostEvent, record: &SpanView<'_>) -> u64 {
        let context = (self.context)(record.head().scope);
        let mut refused = 0;
        for (at, lane) in self.lanes.iter_mut().take(64).enumerate() {
            let bit = 1 << at;
            if whom & bit != 0 && lane.events().follows() && !lane.tell(event, record, &context, self.now) {
                refused |= bit;
            }
        }
        refused
    }

    /// The bits of those that follow at all.
    fn all(&self) -> u64 {
        let placed = self.lanes.iter().take(64).enumerate();
        placed.filter(|(_, lane)| lane.events().follows()).fold(0, |bits, (at, _)| bits | 1 << at)
    }
}

/// An announced span.
#[derive(Debug)]
struct Followed {
    head: Head,
    /// The exporters that were told, by their places.
    told: u64,
}

/// What this process has of a trace.
#[derive(Debug)]
struct Trace {
    /// Those of its local root, or of the first span that was told while that is not known.
    head: Head,
    name: String,
    told: u64,
    /// Spans that some exporter was told of and that have not ended.
    open: usize,
    ended: u64,
    dropped: u64,
    root_is_over: bool,
    /// Its end was said.
    is_over: bool,
}

/// Who was told what.
#[derive(Debug, Default)]
pub(crate) struct Follow {
    spans: HashMap<Key, Followed>,
    /// Announced spans whose end was dealt with before their announcement came.
    early: HashSet<Key>,
    traces: HashMap<TraceId, Trace>,
    order: VecDeque<TraceId>,
    scratch: Vec<u8>,
}

fn key(head: &Head) -> Key {
    (head.trace_id, head.span_id)
}

fn name_of(span: &SpanView<'_>) -> String {
    let names = span.fields().filter_map(|field| match field {
        Field::Name(name) => Some(name),
        _ => None,
    });
    names.last().map_or_else(String::new, |name| write::cut(&text(name), NAME_BYTES).to_owned())
}

impl Follow {
    /// An announcement has come. False where the span's end was dealt with before: nobody is to be told then.
    pub(crate) fn announced(&mut self, head: &Head) -> bool {
        if self.early.remove(&key(head)) {
            return false;
        }
        self.spans.insert(key(head), Followed { head: *head, told: 0 });
        true
    }

    /// Whether it was announced and is not decided yet what becomes of it.
    pub(crate) fn knows(&self, head: &Head) -> bool {
        self.spans.contains_key(&key(head))
    }

    /// Whether another span may be announced by a host, which does not keep to the bound itself.
    pub(crate) fn has_room(&self) -> bool {
        self.spans.len() + self.early.len() < MOST
    }

    /// Tells exporters that a span was started. How many had no room.
    pub(crate) fn started(&mut self, span: &SpanView<'_>, to: &mut Listeners<'_>) -> u64 {
        let head = span.head();
        if !self.knows(head) {
            return 0;
        }
        let all = to.all();
        let without_trace = self.begin_trace(span, all, to);
        let refused = to.tell(all, HostEvent::SpanStarted, span);
        let told = all & !refused;
        if let Some(known) = self.spans.get_mut(&key(head)) {
            known.told = told;
        }
        if let Some(trace) = self.traces.get_mut(&head.trace_id).filter(|_| told != 0) {
            trace.open += 1;
        }
        u64::from(refused.count_ones() + without_trace.count_ones())
    }

    /// Tells those that were told of its start that a span has changed. How many had no room.
    pub(crate) fn updated(&mut self, span: &SpanView<'_>, to: &mut Listeners<'_>) -> u64 {
        let told = self.spans.get(&key(span.head())).map_or(0, |known| known.told);
        u64::from(to.tell(told, HostEvent::SpanUpdated, span).count_ones())
    }

    /// A span has ended that was given to the exporters, but for those whose bits are in `refused`. True if it
    /// had been announced.
    pub(crate) fn ended(&mut self, span: &SpanView<'_>, refused: u64, to: &mut Listeners<'_>) -> bool {
        let known = self.forget(span.head());
        let told = known.as_ref().map_or(0, |known| known.told);
        if told & refused != 0 {
            self.say_dropped(span.head(), DropReason::QueueFull.as_str(), told & refused, to);
        }
        self.end_in_trace(span.head(), Some(span), told != 0, to);
        known.is_some()
    }

    /// A span will never be exported. True if it had been announced.
    pub(crate) fn lost(&mut self, head: &Head, why: &str, to: &mut Listeners<'_>) -> bool {
        let known = self.forget(head);
        let told = known.as_ref().map_or(0, |known| known.told);
        if told != 0 {
            self.say_dropped(head, why, told, to);
        }
        self.end_in_trace(head, None, told != 0, to);
        known.is_some()
    }

    /// A span of the process that forked this one ended here, where nobody knows who was told what.
    pub(crate) fn lost_by_fork(&mut self, head: &Head, to: &mut Listeners<'_>) {
        self.say_dropped(head, DropReason::ForkedChild.as_str(), to.all(), to);
    }

    /// Nothing comes any more: what is still open is dropped.
    pub(crate) fn end_all(&mut self, to: &mut Listeners<'_>) {
        let open: Vec<Head> = self.spans.values().map(|known| known.head).collect();
        for head in open {
            self.lost(&head, DropReason::Shutdown.as_str(), to);
        }
        while let Some(oldest) = self.order.pop_front() {
            self.close_trace(oldest, to);
        }
    }

    fn forget(&mut self, head: &Head) -> Option<Followed> {
        let known = self.spans.remove(&key(head));
        if known.is_none() && head.flags.contains(SpanFlags::ANNOUNCED) {
            self.early.insert(key(head));
        }
        known
    }

    /// Says that a trace has started unless that was said. The bits of those that had no room.
    fn begin_trace(&mut self, span: &SpanView<'_>, all: u64, to: &mut Listeners<'_>) -> u64 {
        let head = span.head();
        let is_root = head.flags.contains(SpanFlags::LOCAL_ROOT);
        if let Some(trace) = self.traces.get_mut(&head.trace_id).filter(|trace| !trace.is_over || !is_root) {
            if is_root {
                (trace.head, trace.name) = (*head, name_of(span));
            }
            return 0;
        }
        let refused = to.tell(all, HostEvent::TraceStarted, span);
        let trace = Trace {
            head: *head,
            name: name_of(span),
            told: all & !refused,
            open: 0,
            ended: 0,
            dropped: 0,
            root_is_over: false,
            is_over: false,
        };
        match self.traces.insert(head.trace_id, trace) {
            // Spans that outlive the former root of the same trace.
            Some(before) => {
                if let Some(trace) = self.traces.get_mut(&head.trace_id) {
                    trace.open = before.open;
                }
            }
            None => self.order.push_back(head.trace_id),
        }
        self.forget_traces(to);
        refused
    }

    /// Keeps to the bound: of the oldest traces one that has ended is forgotten first.
    fn forget_traces(&mut self, to: &mut Listeners<'_>) {
        let mut spared = 0;
        while self.order.len() > TRACES
            && let Some(oldest) = self.order.pop_front()
        {
            let is_open = self.traces.get(&oldest).is_some_and(|trace| !trace.is_over);
            if is_open && spared < SPARED {
                spared += 1;
                self.order.push_back(oldest);
            } else {
                self.close_trace(oldest, to);
            }
        }
    }

    /// Counts a span that has ended or was lost, and ends its trace with the last one.
    fn end_in_trace(&mut self, head: &Head, span: Option<&SpanView<'_>>, told: bool, to: &mut Listeners<'_>) {
        let Some(trace) = self.traces.get_mut(&head.trace_id) else { return };
        trace.open = trace.open.saturating_sub(usize::from(told));
        match span {
            Some(_) => trace.ended += 1,
            None => trace.dropped += u64::from(told),
        }
        if head.flags.contains(SpanFlags::LOCAL_ROOT) {
            trace.root_is_over = true;
            trace.head = *head;
            if let Some(span) = span {
                trace.name = name_of(span);
            }
        }
        if trace.root_is_over && trace.open == 0 && !trace.is_over {
            trace.is_over = true;
            let record = trace.record(&mut self.scratch);
            let told = trace.told;
            if let Ok(record) = record {
                to.tell(told, HostEvent::TraceEnded, &record);
            }
        }
    }

    /// Forgets a trace, and ends it if that was not said yet.
    fn close_trace(&mut self, id: TraceId, to: &mut Listeners<'_>) {
        if let Some(trace) = self.traces.remove(&id).filter(|trace| !trace.is_over)
            && let Ok(record) = trace.record(&mut self.scratch)
        {
            to.tell(trace.told, HostEvent::TraceEnded, &record);
        }
    }

    fn say_dropped(&mut self, head: &Head, why: &str, whom: u64, to: &mut Listeners<'_>) {
        self.scratch.clear();
        write::head(&mut self.scratch, head);
        write::status_message(&mut self.scratch, why);
        if let Ok(record) = SpanView::new(&self.scratch) {
            to.tell(whom, HostEvent::SpanDropped, &record);
        }
    }
}

impl Trace {
    /// What is said at its end.
    fn record<'s>(&self, scratch: &'s mut Vec<u8>) -> Result<SpanView<'s>, crate::frame::FrameError> {
        scratch.clear();
        write::head(scratch, &self.head);
        write::name(scratch, &self.name);
        for (key, count) in [(TRACE_SPANS, self.ended), (TRACE_DROPPED, self.dropped)] {
            write::attribute(scratch, key, &i64::try_from(count).unwrap_or(i64::MAX).into());
        }
        SpanView::new(scratch)
    }
}
