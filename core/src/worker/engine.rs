//! One engine on the export thread: the way of its spans from the hand-off through the stages of the pipeline
//! to the exporters.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use crate::engine::{Live, WorkerCounts};
use crate::export::lane::ExportLane;
use crate::frame::batch::{Events, RawEvent, StringTable};
use crate::frame::check::TextBudget;
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::frame::{EventKind, FrameError};
use crate::pipeline::limits::Limiter;
use crate::stats::DropReason;

/// An engine on the export thread.
pub(super) struct EngineWorker {
    pub(super) live: Arc<Live>,
    pub(super) lanes: Vec<Box<dyn ExportLane>>,
    limiter: Limiter,
    pub(super) counts: WorkerCounts,
    /// Spans of the event at hand of which it is not yet decided what becomes of them.
    pub(super) undecided: u64,
}

impl EngineWorker {
    pub(super) fn new(live: Arc<Live>, lanes: Vec<Box<dyn ExportLane>>) -> Self {
        let limiter = Limiter::new(live.definition.settings.config.limits);
        Self { live, lanes, limiter, counts: WorkerCounts::default(), undecided: 0 }
    }

    fn decided(&mut self) {
        self.undecided = self.undecided.saturating_sub(1);
    }

    /// Takes one event of a segment: a span, or a frame of many events. What it leaves undecided was lost.
    #[inline]
    pub(super) fn take(&mut self, event: &RawEvent<'_>, now: Instant) -> Result<(), FrameError> {
        match event.kind {
            Some(EventKind::SpanEnded) => self.span_ended(&SpanView::new(event.body)?, now),
            Some(EventKind::Frame) => self.frame(event.body, now),
            // Realtime events have no reader yet, and later kinds are not ours to understand.
            _ => Ok(()),
        }
    }

    /// A frame as a host batched it. Strangers' bytes: checked before they are used.
    fn frame(&mut self, body: &[u8], now: Instant) -> Result<(), FrameError> {
        let body = body.get(4..).ok_or(FrameError::Truncated)?;
        let mut table = StringTable::new();
        let mut texts = TextBudget::of(body.len());
        let mut events = Events::new(body);
        while let Ok(Some(event)) = events.next_event() {
            match event.kind {
                Some(EventKind::StringEntry) if table.define(event.body).is_err() => break,
                Some(EventKind::SpanEnded) => {
                    if self.undecided == 0 {
                        // More than the host announced, and counted as ended.
                        self.live.shard(0).frames.fetch_add(1, Ordering::AcqRel);
                        self.undecided = 1;
                    }
                    let read = SpanView::in_frame(event.body, &table)
                        .and_then(|span| span.check_within(&mut texts).map(|()| span))
                        .and_then(|span| self.span_ended(&span, now));
                    if read.is_err() {
                        self.decided();
                        self.counts.drops.add(DropReason::BadFrame, 1);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The way of a finished span: the stages in their order, then every exporter.
    #[inline]
    fn span_ended(&mut self, span: &SpanView<'_>, now: Instant) -> Result<(), FrameError> {
        if !span.head().trace_flags.is_sampled() {
            self.decided();
            self.counts.unsampled += 1;
            return Ok(());
        }
        let Self { live, lanes, limiter, counts, undecided } = self;
        limiter.apply(span, |span| {
            *undecided = undecided.saturating_sub(1);
            counts.accepted += 1;
            fan_out(live, lanes, span, now);
        })
    }
}

/// Gives a span to every exporter.
#[inline]
fn fan_out(live: &Live, lanes: &mut [Box<dyn ExportLane>], span: &SpanView<'_>, now: Instant) {
    let scope_id = span.head().scope;
    let context = RecordContext {
        scope: live.definition.scope_of(scope_id),
        scope_id,
        resource: &live.definition.settings.resource,
    };
    for lane in lanes {
        lane.push(span, &context, now);
    }
}
