//! Where the host works on spans: what its processors and its span filter are given, and the way of what comes
//! back ([`crate::host::Tap`]).

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::time::Instant;

use super::engine::{EngineWorker, all};
use super::following::{context_in, fan_out, tell};
use crate::frame::FrameError;
use crate::frame::view::SpanView;
use crate::frame::write::Head;
use crate::host::{HostEvent, HostRecord, HostTask, Passed, Verdict};
use crate::pipeline::host::{self, Mark};
use crate::stats::DropReason;

impl EngineWorker {
    /// The way from the processors on, which may have brought back what is not to leave.
    #[inline]
    pub(super) fn processed(&mut self, span: &SpanView<'_>, now: Instant) -> Result<(), FrameError> {
        let Self { live, lanes, fields, redact, limiter, filter, follow, counts, undecided, .. } = self;
        let mut full = false;
        let passed = fields.apply(span, |span| {
            redact.apply(span, |span| {
                limiter.apply(span, |span| {
                    *undecided = undecided.saturating_sub(1);
                    match filter {
                        Some(tap) => {
                            let context = context_in(live, span.head().scope);
                            full = !tap.push(HostEvent::SpanEnded, span, &context);
                        }
                        None => {
                            counts.accepted += 1;
                            fan_out(live, lanes, follow, span, now);
                        }
                    }
                })
            })
        });
        counts.redact.add(redact.take_counts());
        counts.limited += limiter.take_cuts();
        self.refused_by_host(span.head(), full);
        passed
    }

    /// A tap had no room for a span.
    #[inline]
    pub(super) fn refused_by_host(&mut self, head: &Head, refused: bool) {
        if refused {
            self.counts.drops.add(DropReason::HostFull, 1);
            self.lost(head, DropReason::HostFull.as_str());
        }
    }

    /// Takes on what came back from the host, and gives it what is next.
    pub(super) fn poll_host(&mut self, now: Instant) {
        if let Some(mut tap) = self.process.take() {
            let failed = tap.poll(|passed| match passed {
                Passed::Record(record, verdict) => {
                    self.judged(&record, verdict, |worker, span| match record.event {
                        HostEvent::SpanEnded => worker.processed(span, now),
                        event => worker.open_processed(event, span, now),
                    });
                }
                Passed::Mark(mark) => self.mark_filter(mark),
            });
            self.counts.host_errors += failed;
            self.process = Some(tap);
        }
        if let Some(mut tap) = self.filter.take() {
            let failed = tap.poll(|passed| match passed {
                Passed::Record(record, verdict) => {
                    let changed = matches!(verdict, Some(Verdict::Replace(_)));
                    self.judged(&record, verdict, |worker, span| match record.event {
                        event if changed => worker.changed_by_filter(event, span, now),
                        HostEvent::SpanEnded => worker.kept(span, now),
                        event => worker.open_kept(event, span, now),
                    });
                }
                Passed::Mark(mark) => self.mark_passed(mark),
            });
            self.counts.host_errors += failed;
            self.filter = Some(tap);
        }
    }

    /// Counts what the host left out or lost, and has what it kept go on.
    fn judged(
        &mut self,
        record: &HostRecord<'_>,
        verdict: Option<Verdict>,
        go_on: impl FnOnce(&mut Self, &SpanView<'_>) -> Result<(), FrameError>,
    ) {
        let has_ended = record.event == HostEvent::SpanEnded;
        let head = SpanView::new(record.body).map(|span| *span.head());
        let changed;
        let body = match verdict {
            Some(Verdict::Keep) => Ok(record.body),
            Some(Verdict::Replace(body)) => {
                changed = host::replaced(record, body);
                changed.as_deref().map_err(|_| DropReason::BadFrame)
            }
            Some(Verdict::Drop) if !has_ended => {
                // Nobody is told; when it has ended it may still be kept.
                return;
            }
            Some(Verdict::Drop) => {
                self.counts.filtered += 1;
                if let Ok(head) = head {
                    self.lost(&head, "filtered");
                }
                return;
            }
            None => Err(DropReason::HostFailed),
        };
        let gone_on = body.and_then(|body| {
            let view = SpanView::new(body).map_err(|_| DropReason::BadFrame)?;
            match catch_unwind(AssertUnwindSafe(|| go_on(self, &view))) {
                Ok(read) => read.map_err(|_| DropReason::BadFrame),
                Err(_) => {
                    self.counts.panics += 1;
                    Err(DropReason::Internal)
                }
            }
        });
        match gone_on {
            Err(reason) if has_ended => {
                self.counts.drops.add(reason, 1);
                if let Ok(head) = head {
                    self.lost(&head, reason.as_str());
                }
            }
            Err(_) => self.counts.events_dropped += 1,
            Ok(()) => {}
        }
    }

    /// The way of a span that the filter keeps.
    fn kept(&mut self, span: &SpanView<'_>, now: Instant) -> Result<(), FrameError> {
        self.counts.accepted += 1;
        fan_out(&self.live, &mut self.lanes, &mut self.follow, span, now);
        Ok(())
    }

    /// The way of a span that the filter keeps and has changed: through the stages before it again.
    fn changed_by_filter(
        &mut self,
        event: HostEvent,
        span: &SpanView<'_>,
        now: Instant,
    ) -> Result<(), FrameError> {
        let Self { live, lanes, fields, redact, limiter, follow, counts, .. } = self;
        let passed = fields.apply(span, |span| {
            redact.apply(span, |span| {
                limiter.apply(span, |span| match event {
                    HostEvent::SpanEnded => {
                        counts.accepted += 1;
                        fan_out(live, lanes, follow, span, now);
                    }
                    event => counts.events_dropped += tell(live, lanes, follow, event, span, now),
                })
            })
        });
        counts.redact.add(redact.take_counts());
        counts.limited += limiter.take_cuts();
        passed
    }

    /// Has a mark go the way of a span.
    pub(super) fn mark(&mut self, mark: Mark) {
        let Some(tap) = &mut self.process else { return self.mark_filter(mark) };
        tap.call(HostTask::Flush);
        if matches!(mark, Mark::Shutdown) {
            tap.call(HostTask::Shutdown);
        }
        tap.mark(mark, Mark::is_stale);
    }

    pub(super) fn mark_filter(&mut self, mark: Mark) {
        match &mut self.filter {
            Some(tap) => tap.mark(mark, Mark::is_stale),
            None => self.mark_passed(mark),
        }
    }

    pub(super) fn mark_passed(&mut self, mark: Mark) {
        match (mark, &mut self.closing) {
            (Mark::Flush { deadline, reply }, _) => {
                #[cfg(feature = "metrics")]
                self.collect(Instant::now());
                let settled = self.all_lanes().map(|lane| lane.flush()).collect();
                tokio::spawn(async move {
                    if all(settled, deadline.into()).await {
                        let _ = reply.send(());
                    }
                });
            }
            (Mark::Shutdown, Some(closing)) => closing.is_over = true,
            (Mark::Shutdown, None) => {}
        }
    }
}
