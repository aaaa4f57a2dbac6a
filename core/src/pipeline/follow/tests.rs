//! Who is told what, by a lane that keeps it.

use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, oneshot};

use super::*;
use crate::export::lane::LaneCounts;
use crate::frame::record::SpanData;
use crate::frame::{EVENT_HEADER, EventKind};
use crate::host::HostEvents;

/// What was told, by the first byte of the trace id and that of the span id.
type Said = Arc<Mutex<Vec<(HostEvent, u64, u8)>>>;

/// A lane that keeps what it is told and has room for so many starts.
struct Ear {
    said: Said,
    room: usize,
}

impl ExportLane for Ear {
    fn push(&mut self, _: &SpanView<'_>, _: &RecordContext<'_>, _: Instant) -> bool {
        true
    }

    fn tell(
        &mut self,
        event: HostEvent,
        record: &SpanView<'_>,
        context: &RecordContext<'_>,
        _: Instant,
    ) -> bool {
        if event == HostEvent::SpanStarted {
            let Some(left) = self.room.checked_sub(1) else { return false };
            self.room = left;
        }
        let data = SpanData::from_view(record, context);
        let [.., a, b, c] = data.context.trace_id.to_bytes();
        let trace = u64::from(a) << 16 | u64::from(b) << 8 | u64::from(c);
        self.said.lock().unwrap().push((event, trace, data.context.span_id.to_bytes()[7]));
        true
    }

    fn events(&self) -> HostEvents {
        HostEvents::from_iter([HostEvent::SpanStarted])
    }

    fn end_of_pass(&mut self, _: Instant) {}

    fn due(&self) -> Option<Instant> {
        None
    }

    fn seal(&mut self) {}

    fn is_pressed(&self) -> bool {
        false
    }

    fn flush(&mut self) -> oneshot::Receiver<()> {
        oneshot::channel().1
    }

    fn close(&mut self, _: Instant) -> oneshot::Receiver<()> {
        oneshot::channel().1
    }

    fn abandon(&mut self) {}

    fn start(&mut self, _: &Arc<Notify>) {}

    fn counts(&self) -> Arc<dyn LaneCounts> {
        unreachable!("nobody counts")
    }
}

struct Told {
    follow: Follow,
    lanes: Vec<Box<dyn ExportLane>>,
    said: Said,
}

fn told(room: usize) -> Told {
    let said = Said::default();
    let ear: Box<dyn ExportLane> = Box::new(Ear { said: Arc::clone(&said), room });
    Told { follow: Follow::default(), lanes: vec![ear], said }
}

impl Told {
    fn with(&mut self, act: impl FnOnce(&mut Follow, &mut Listeners<'_>)) -> Vec<(HostEvent, u64, u8)> {
        static SCOPE: std::sync::LazyLock<(
            Arc<crate::frame::record::Scope>,
            Arc<crate::frame::record::Resource>,
        )> = std::sync::LazyLock::new(Default::default);
        let context = |scope_id| RecordContext { scope: &SCOPE.0, scope_id, resource: &SCOPE.1 };
        let mut to = Listeners { lanes: &mut self.lanes, context: &context, now: Instant::now() };
        act(&mut self.follow, &mut to);
        core::mem::take(&mut *self.said.lock().unwrap())
    }

    fn start(&mut self, trace: u64, span: u8) -> Vec<(HostEvent, u64, u8)> {
        let record = record(trace, span);
        self.with(|follow, to| {
            let view = view(&record);
            assert!(follow.announced(view.head()));
            follow.started(&view, to);
        })
    }

    fn end(&mut self, trace: u64, span: u8) -> Vec<(HostEvent, u64, u8)> {
        let record = record(trace, span);
        self.with(|follow, to| {
            follow.ended(&view(&record), 0, to);
        })
    }
}

/// Span 1 is the root of its trace.
fn record(trace: u64, span: u8) -> Vec<u8> {
    let [.., a, b, c] = trace.to_be_bytes();
    let mut id = [1; 16];
    id[13..].copy_from_slice(&[a, b, c]);
    let root = if span == 1 { SpanFlags::LOCAL_ROOT } else { SpanFlags::empty() };
    let head = Head {
        trace_id: TraceId::from_bytes(id),
        span_id: SpanId::from_bytes([0, 0, 0, 0, 0, 0, 0, span]),
        flags: root.with(SpanFlags::ANNOUNCED),
        ..Head::default()
    };
    let mut record = Vec::new();
    write::begin_span(&mut record);
    write::finish_span(&mut record, EventKind::SpanStarted, 0, &head);
    record.split_off(EVENT_HEADER)
}

fn view(record: &[u8]) -> SpanView<'_> {
    SpanView::new(record).unwrap()
}

#[test]
fn who_had_no_room_for_a_start_is_told_no_more_of_that_span() {
    let mut told = told(1);
    assert_eq!(told.start(7, 1), [(HostEvent::TraceStarted, 7, 1), (HostEvent::SpanStarted, 7, 1)]);
    assert_eq!(told.start(7, 2), []);
    let lost = record(7, 2);
    assert_eq!(told.with(|follow, to| assert!(follow.lost(view(&lost).head(), "queue_full", to))), []);
    assert_eq!(told.end(7, 1), [(HostEvent::TraceEnded, 7, 1)]);
    assert!(told.follow.spans.is_empty() && told.follow.early.is_empty());
}

#[test]
fn an_end_before_its_announcement_silences_it() {
    let mut told = told(9);
    assert_eq!(told.end(7, 1), []);
    let late = record(7, 1);
    assert!(!told.follow.announced(view(&late).head()));
    assert!(told.follow.spans.is_empty() && told.follow.early.is_empty());
}

#[test]
fn a_trace_begins_anew_with_another_root() {
    let mut told = told(9);
    told.start(7, 1);
    assert_eq!(told.end(7, 1), [(HostEvent::TraceEnded, 7, 1)]);
    assert_eq!(told.start(7, 2), [(HostEvent::SpanStarted, 7, 2)], "late, and of the trace that is over");
    assert_eq!(told.end(7, 2), []);
    assert_eq!(told.start(7, 1), [(HostEvent::TraceStarted, 7, 1), (HostEvent::SpanStarted, 7, 1)]);
    assert_eq!(told.end(7, 1), [(HostEvent::TraceEnded, 7, 1)]);
}

#[test]
fn traces_that_have_ended_are_forgotten_first() {
    let mut told = told(usize::MAX);
    told.start(0, 1);
    for trace in 1..=2 * TRACES as u64 {
        told.start(trace, 1);
        told.end(trace, 1);
    }
    assert_eq!(told.follow.traces.len(), TRACES);
    assert_eq!(told.end(0, 1), [(HostEvent::TraceEnded, 0, 1)]);
    assert_eq!(told.follow.order.len(), TRACES);
}
