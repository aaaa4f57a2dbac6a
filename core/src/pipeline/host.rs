//! The host's part in the pipeline: its processors before redaction, its span filter after the limits.
//!
//! Spans that it has are pending; what comes back goes on from where it left. Where there are neither, spans
//! pass as if there were no such stage.

use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Instant as StdInstant;

use tokio::sync::Notify;

use crate::config::{HostTaps, ResolvedConfig};
use crate::frame::view::SpanView;
use crate::frame::write::{self, Head};
use crate::frame::{FrameError, SPAN_HEAD};
use crate::host::{HostRecord, HostTask, Tap, TapBounds};

/// What waits for everything before it.
pub(crate) enum Mark {
    /// A flush, which is answered once the exporters have settled too.
    Flush { deadline: StdInstant, reply: std_mpsc::SyncSender<()> },
    /// The engine is shut down.
    Shutdown,
}

impl Mark {
    /// Whether nobody waits for it any more.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self, Self::Flush { deadline, .. } if *deadline <= StdInstant::now())
    }
}

/// Batches for the host are closed at this many bytes; a record goes to it at once while it has nothing to
/// do.
const BATCH_BYTES: usize = 1 << 20;

/// The tap of the processors and that of the span filter, where there are any. A quarter of the byte budget
/// is theirs.
pub(crate) fn taps(config: &ResolvedConfig, wake: &Arc<Notify>) -> [Option<Box<Tap<Mark>>>; 2] {
    let HostTaps { process, filter } = &config.host;
    let count = usize::from(process.is_some()) + usize::from(filter.is_some());
    let bounds = TapBounds {
        batch_records: config.batch.max_batch_spans,
        batch_bytes: BATCH_BYTES.min(config.batch.max_batch_bytes),
        records: config.batch.max_queue_spans,
        bytes: config.memory.budget_bytes / 4 / count.max(1),
    };
    let tap = |task, handler: &Option<_>| {
        handler.clone().map(|handler| Box::new(Tap::new(task, handler, bounds, Arc::clone(wake))))
    };
    [tap(HostTask::Process, process), tap(HostTask::Filter, filter)]
}

/// What the host made of a record, checked. Its identity, trace flags and scope stay what they were.
pub(crate) fn replaced(record: &HostRecord<'_>, mut body: Vec<u8>) -> Result<Vec<u8>, FrameError> {
    let before = *SpanView::new(record.body)?.head();
    let changed = SpanView::new(&body)?;
    let now = changed.head();
    let head = Head {
        kind: now.kind,
        status: now.status,
        span_type: now.span_type,
        start_unix_nanos: now.start_unix_nanos,
        // An open span stays open.
        end_unix_nanos: match before.end_unix_nanos {
            0 => 0,
            _ => now.end_unix_nanos.max(now.start_unix_nanos),
        },
        ..before
    };
    let mut front = Vec::with_capacity(SPAN_HEAD);
    write::head(&mut front, &head);
    if let Some(slot) = body.get_mut(..SPAN_HEAD) {
        slot.copy_from_slice(&front);
    }
    SpanView::new(&body)?.check()?;
    Ok(body)
}
