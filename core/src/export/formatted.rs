//! An exporter of the engine's own behind formatters of the host: each span goes out to the host, comes back
//! changed, passes redaction and limits again, and enters the exporter's lane.
//!
//! What the host has counts as pending with the exporter, so that formatters that hang cost this one its spans
//! and no other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::lane::{ExportLane, LaneCounts};
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::host::{HostEvent, HostHandler, HostTask, Passed, Tap, TapBounds, Verdict};
use crate::pipeline::host::replaced;
use crate::pipeline::shown::Shown;
use crate::stats::{DropReason, Drops, ExporterStats};

/// A lane with formatters before it.
pub(crate) struct FormattedLane {
    handler: HostHandler,
    bounds: TapBounds,
    /// Made when the lane starts, and away while it is read.
    tap: Option<Tap<oneshot::Sender<()>>>,
    inner: Box<dyn ExportLane>,
    stages: Shown,
    counts: Arc<Counts>,
}

struct Counts {
    inner: Arc<dyn LaneCounts>,
    accepted: AtomicU64,
    drops: Mutex<Drops>,
}

impl Counts {
    fn lose(&self, reason: DropReason, spans: u64) {
        self.drops.lock().unwrap_or_else(PoisonError::into_inner).add(reason, spans);
    }
}

impl LaneCounts for Counts {
    /// What became of spans is read before how many there were, and pending is what is left.
    fn snapshot(&self) -> ExporterStats {
        let mut stats = self.inner.snapshot();
        for (reason, count) in self.drops.lock().unwrap_or_else(PoisonError::into_inner).by_reason() {
            *stats.dropped.entry(reason).or_default() += count;
        }
        let settled = stats.exported + stats.on_disk + stats.dropped.values().sum::<u64>();
        stats.accepted = self.accepted.load(Ordering::Acquire);
        stats.pending = stats.accepted.saturating_sub(settled);
        stats
    }

    fn hold(&self, held: bool) {
        self.inner.hold(held);
    }
}

impl FormattedLane {
    pub(crate) fn new(
        handler: HostHandler,
        bounds: TapBounds,
        inner: Box<dyn ExportLane>,
        stages: Shown,
    ) -> Self {
        let counts = Counts { inner: inner.counts(), accepted: AtomicU64::new(0), drops: Mutex::default() };
        Self { handler, bounds, tap: None, inner, stages, counts: Arc::new(counts) }
    }

    /// Takes on what came back, and gives the host what is next.
    fn poll(&mut self, now: Instant) {
        let Some(mut tap) = self.tap.take() else { return };
        let Self { inner, stages, counts, .. } = self;
        let failed = tap.poll(|passed| match passed {
            Passed::Record(record, verdict) => {
                let body = match verdict {
                    Some(Verdict::Replace(body)) => {
                        replaced(&record, body).and_then(|body| stages.apply(&body))
                    }
                    // Formatters leave nothing out.
                    Some(_) => Ok(record.body.to_vec()),
                    None => return counts.lose(DropReason::HostFailed, 1),
                };
                let context = RecordContext {
                    scope: record.scope,
                    scope_id: record.scope_id,
                    resource: record.resource,
                };
                match body.as_deref().map(SpanView::new) {
                    Ok(Ok(span)) => {
                        inner.push(&span, &context, now);
                    }
                    _ => counts.lose(DropReason::BadFrame, 1),
                }
            }
            Passed::Mark(settled) => {
                let flushed = inner.flush();
                tokio::spawn(async move {
                    if flushed.await.is_ok() {
                        // Whoever waited may have stopped waiting.
                        let _ = settled.send(());
                    }
                });
            }
        });
        self.handler.count_failures(failed);
        self.tap = Some(tap);
    }
}

impl ExportLane for FormattedLane {
    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>, _: Instant) -> bool {
        self.counts.accepted.fetch_add(1, Ordering::AcqRel);
        let taken = self.tap.as_mut().is_some_and(|tap| tap.push(HostEvent::SpanEnded, span, context));
        if !taken {
            self.counts.lose(DropReason::HostFull, 1);
        }
        taken
    }

    fn end_of_pass(&mut self, now: Instant) {
        self.poll(now);
        self.inner.end_of_pass(now);
    }

    fn due(&self) -> Option<Instant> {
        self.inner.due().into_iter().chain(self.tap.as_ref().and_then(Tap::due)).min()
    }

    fn seal(&mut self) {
        self.inner.seal();
    }

    fn is_pressed(&self) -> bool {
        self.inner.is_pressed() || self.tap.as_ref().is_some_and(Tap::is_pressed)
    }

    fn is_settled(&self) -> bool {
        self.tap.as_ref().is_none_or(Tap::is_empty)
    }

    fn flush(&mut self) -> oneshot::Receiver<()> {
        let (settled, heard) = oneshot::channel();
        if let Some(tap) = &mut self.tap {
            tap.mark(settled, oneshot::Sender::is_closed);
        }
        self.poll(Instant::now());
        heard
    }

    fn close(&mut self, deadline: Instant) -> oneshot::Receiver<()> {
        // What has not come back by now is given up.
        let lost = self.tap.as_mut().map_or(0, Tap::abandon);
        self.counts.lose(DropReason::Shutdown, lost);
        self.inner.close(deadline)
    }

    fn abandon(&mut self) {
        self.inner.abandon();
    }

    fn start(&mut self, settled: &Arc<Notify>) {
        self.inner.start(settled);
        let (handler, wake) = (self.handler.clone(), Arc::clone(settled));
        self.tap = Some(Tap::new(HostTask::Format, handler, self.bounds, wake));
    }

    fn counts(&self) -> Arc<dyn LaneCounts> {
        Arc::clone(&self.counts) as Arc<dyn LaneCounts>
    }
}
