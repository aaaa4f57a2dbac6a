//! What is said of open spans, because some exporter follows them: whether anything is, and the places for spans
//! that were announced, which bound what the export thread remembers of them ([`crate::pipeline::follow`]).

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::Live;
use crate::config::ResolvedExporter;
use crate::frame::write::Head;
use crate::host::{HostEvent, HostEvents};
use crate::pipeline::follow::MOST;

/// What is said of open spans, because some exporter wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Following {
    pub(crate) starts: bool,
    pub(crate) updates: bool,
}

impl Following {
    pub(crate) fn of(exporters: &[ResolvedExporter]) -> Self {
        let wanted = exporters.iter().fold(HostEvents::NONE, |wanted, exporter| match exporter {
            ResolvedExporter::Host(exporter) => wanted.union(exporter.events),
            _ => wanted,
        });
        Self { starts: wanted.follows(), updates: wanted.contains(HostEvent::SpanUpdated) }
    }
}

impl Live {
    /// Takes up one of the places for announced spans.
    pub(crate) fn may_announce(&self) -> bool {
        let taken = |taken: usize| (taken < MOST).then_some(taken + 1);
        self.announced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    /// Gives it back: it is decided what becomes of the span.
    pub(crate) fn settle_announced(&self) {
        let left = |taken: usize| taken.checked_sub(1);
        let _ = self.announced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }

    /// An announced span will not come any more.
    #[cold]
    pub(crate) fn lose(&self, head: &Head, why: &'static str) {
        if !self.definition.settings.following.starts {
            return;
        }
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if lost.len() < MOST {
            lost.push((*head, why));
        }
        drop(lost);
        self.runtime.ensure_thread();
        self.runtime.wake();
    }
}
