//! The way of what is said of open spans, and of spans that will never be exported: to those exporters that
//! follow spans while they are open ([`crate::pipeline::follow`]).

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::engine::EngineWorker;
use crate::engine::Live;
use crate::export::lane::ExportLane;
use crate::frame::FrameError;
use crate::frame::batch::RawEvent;
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::frame::write::Head;
use crate::host::HostEvent;
use crate::kinds::SpanFlags;
use crate::pipeline::follow::{Follow, Listeners};
use crate::pipeline::leave_out::left_out;
use crate::stats::DropReason;

/// What is known of a record besides its bytes.
pub(super) fn context_in(live: &Live, scope_id: u32) -> RecordContext<'_> {
    RecordContext {
        scope: live.definition.scope_of(scope_id),
        scope_id,
        resource: &live.definition.settings.resource,
    }
}

/// Gives a span to every exporter, and settles whether it was followed.
#[inline]
pub(super) fn fan_out(
    live: &Live,
    lanes: &mut [Box<dyn ExportLane>],
    follow: &mut Follow,
    span: &SpanView<'_>,
    now: Instant,
) {
    let context = context_in(live, span.head().scope);
    let mut refused = 0;
    for (at, lane) in lanes.iter_mut().enumerate() {
        if !lane.push(span, &context, now) {
            refused |= 1u64.checked_shl(at as u32).unwrap_or(0);
        }
    }
    if live.definition.settings.following.starts {
        let context = |scope| context_in(live, scope);
        if follow.ended(span, refused, &mut Listeners { lanes, context: &context, now }) {
            live.settle_announced();
        }
    }
}

impl EngineWorker {
    /// A span was started, or has changed.
    pub(super) fn open_span(
        &mut self,
        event: HostEvent,
        span: &SpanView<'_>,
        from_host: bool,
        now: Instant,
    ) -> Result<(), FrameError> {
        let (live, head) = (&self.live, span.head());
        if !live.definition.settings.following.starts || head.flags.contains(SpanFlags::EVENT) {
            return Ok(());
        }
        if event == HostEvent::SpanStarted {
            if from_host {
                if !self.follow.has_room() || self.follow.knows(head) {
                    self.counts.events_dropped += 1;
                    return Ok(());
                }
                live.announced.fetch_add(1, Ordering::Relaxed);
            }
            if !self.follow.announced(head) {
                live.settle_announced();
                return Ok(());
            }
        }
        let hiding = &live.definition.settings.config.trace.hiding;
        if !head.trace_flags.is_sampled() || left_out(head, hiding, from_host).is_some() {
            return Ok(());
        }
        let Some(tap) = &mut self.process else { return self.open_processed(event, span, now) };
        let mut taken = false;
        let read = self.fields.apply(span, |span| {
            taken = tap.push(event, span, &context_in(live, span.head().scope));
            Ok(())
        });
        self.counts.events_dropped += u64::from(!taken);
        read
    }

    /// The way from the processors on.
    pub(super) fn open_processed(
        &mut self,
        event: HostEvent,
        span: &SpanView<'_>,
        now: Instant,
    ) -> Result<(), FrameError> {
        let Self { live, lanes, fields, redact, limiter, filter, counts, follow, .. } = self;
        let passed = fields.apply(span, |span| {
            redact.apply(span, |span| {
                limiter.apply(span, |span| match filter {
                    Some(tap) => {
                        let taken = tap.push(event, span, &context_in(live, span.head().scope));
                        counts.events_dropped += u64::from(!taken);
                    }
                    None => counts.events_dropped += tell(live, lanes, follow, event, span, now),
                })
            })
        });
        // What is replaced or cut is counted once, when the span has ended.
        counts.redact.failed += redact.take_counts().failed;
        limiter.take_cuts();
        passed
    }

    /// The way of what the filter keeps.
    pub(super) fn open_kept(
        &mut self,
        event: HostEvent,
        span: &SpanView<'_>,
        now: Instant,
    ) -> Result<(), FrameError> {
        let Self { live, lanes, follow, counts, .. } = self;
        counts.events_dropped += tell(live, lanes, follow, event, span, now);
        Ok(())
    }

    /// Whether the span has to wait until what was said of it and its trace on other threads has come.
    #[inline]
    pub(super) fn is_ahead(&self, head: &Head) -> bool {
        self.live.definition.settings.following.starts
            && (head.flags.contains(SpanFlags::LOCAL_ROOT)
                || head.flags.contains(SpanFlags::ANNOUNCED) && !self.follow.knows(head))
    }

    /// A span will never be exported: says so to who was told that it had started.
    #[cold]
    pub(super) fn lost(&mut self, head: &Head, why: &str) {
        let Self { live, lanes, follow, .. } = self;
        if live.definition.settings.following.starts {
            let context = |scope| context_in(live, scope);
            let mut to = Listeners { lanes, context: &context, now: Instant::now() };
            if follow.lost(head, why, &mut to) {
                live.settle_announced();
            }
        }
    }

    /// The same of an event that could not be read as a whole.
    pub(super) fn lost_event(&mut self, event: &RawEvent<'_>, reason: DropReason) {
        if let Ok(span) = SpanView::new(event.body) {
            self.lost(span.head(), reason.as_str());
        }
    }

    /// Takes note of spans that recording threads have lost, before their announcements are looked for.
    pub(super) fn take_lost(&mut self) {
        if self.live.definition.settings.following.starts {
            let mut lost = self.live.lost.lock().unwrap_or_else(PoisonError::into_inner);
            self.lost.extend(lost.drain(..).map(|(head, why)| (head, why, false)));
        }
    }

    /// Says what became of them. `left_out` are threads that this pass did not see: an announcement that is not
    /// here yet may be theirs, and is waited for.
    pub(super) fn settle_lost(&mut self, left_out: &[usize]) {
        for (head, why, waited) in core::mem::take(&mut self.lost) {
            if !waited && !left_out.is_empty() && !self.follow.knows(&head) {
                self.lost.push((head, why, true));
                continue;
            }
            if why != DropReason::ForkedChild.as_str() {
                self.lost(&head, why);
                continue;
            }
            let Self { live, lanes, follow, .. } = self;
            let context = |scope| context_in(live, scope);
            follow.lost_by_fork(&head, &mut Listeners { lanes, context: &context, now: Instant::now() });
        }
    }

    /// Nothing comes any more.
    pub(super) fn end_following(&mut self) {
        let Self { live, lanes, follow, .. } = self;
        let context = |scope| context_in(live, scope);
        follow.end_all(&mut Listeners { lanes, context: &context, now: Instant::now() });
    }
}

/// Tells the exporters that follow. How many had no room.
pub(super) fn tell(
    live: &Live,
    lanes: &mut [Box<dyn ExportLane>],
    follow: &mut Follow,
    event: HostEvent,
    span: &SpanView<'_>,
    now: Instant,
) -> u64 {
    let context = |scope| context_in(live, scope);
    let mut to = Listeners { lanes, context: &context, now };
    match event {
        HostEvent::SpanStarted => follow.started(span, &mut to),
        _ => follow.updated(span, &mut to),
    }
}
