//! The relay's door: frames of pages and edge runtimes, which have no engine of their own.
//!
//! A handler of the application's own server (`polyspan/relay` in Node) checks the request and gives its body to
//! [`Engine::relay`]. What [`crate::frame::sift`] lets through goes the way of any other span: sampled or not as its
//! flags say, redacted, limited, filtered, counted.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::cut;
use crate::engine::Engine;
use crate::frame::sift::{self, RelayRefusal, SiftTerms};
use crate::sampling::{HeadSampler, PageRule};
use crate::span::CaptureBounds;

/// Characters of the name of a source at most.
const MAX_SOURCE: usize = 64;

/// What a page records of a value and of a span at most: what it posts has to fit into 64 KiB.
const PAGE_VALUE_BYTES: usize = 16 * 1024;
const PAGE_SPAN_BYTES: usize = 48 * 1024;

/// What a page is told with which this engine's relay is to agree (`tests/vectors/page.json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageTerms {
    /// How it decides about new traces.
    pub roots: PageRule,
    /// How much it keeps.
    pub capture: CaptureBounds,
}

/// What became of a stranger's frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelayReport {
    /// Spans that were taken in.
    pub spans: u64,
    /// What was not, by reason.
    pub refused: BTreeMap<RelayRefusal, u64>,
}

impl Engine {
    /// Takes in a frame of strangers, of whom nothing but `source` is known: `browser`, `edge` or a name of the
    /// application's own. Everything in it is checked; what may not enter is left out and counted in
    /// [`RelayStats`](crate::RelayStats), and nothing of this ever fails.
    pub fn relay(&self, frame: &[u8], source: &str) -> RelayReport {
        let Some(live) = self.live() else { return refused(RelayRefusal::Busy) };
        // The application's own spans have precedence.
        if self.is_shut_down() || live.under_pressure() {
            return self.relayed(refused(RelayRefusal::Busy), 0);
        }
        let bounds = CaptureBounds::of(&self.settings().config);
        let terms = SiftTerms {
            slot: live.slot,
            source: cut::to_characters(source, MAX_SOURCE).unwrap_or(source),
            span_bytes: bounds.span_bytes,
            samples: !matches!(self.settings().sampler, HeadSampler::AlwaysOff),
        };
        let sifted = sift::sift(frame, &terms);
        let mut report = RelayReport { spans: sifted.spans, refused: sifted.refused };
        if sifted.spans > 0 && !self.submit(&sifted.frame, sifted.spans) {
            // They are counted as ended, and as dropped for want of room.
            report.spans = 0;
            *report.refused.entry(RelayRefusal::Busy).or_default() += 1;
        }
        self.relayed(report, 1)
    }

    /// What pages are told: the sampling of their own traces, and the limits. Inputs and outputs stay in the page, unless
    /// it is told otherwise there.
    pub fn page_terms(&self) -> PageTerms {
        let settings = self.settings();
        let bounds = CaptureBounds::of(&settings.config);
        PageTerms {
            roots: settings.sampler.page_rule(),
            capture: CaptureBounds {
                value_bytes: bounds.value_bytes.min(PAGE_VALUE_BYTES),
                span_bytes: bounds.span_bytes.min(PAGE_SPAN_BYTES),
                io: false,
                ..bounds
            },
        }
    }

    /// Counts a request that a relay refused before its frame was read.
    pub fn relay_refused(&self, reason: RelayRefusal) {
        self.relayed(refused(reason), 0);
    }

    fn relayed(&self, report: RelayReport, frames: u64) -> RelayReport {
        if let Some(live) = self.live() {
            let mut counts = live.relay.lock().unwrap_or_else(PoisonError::into_inner);
            counts.frames += frames;
            counts.spans += report.spans;
            for (reason, count) in &report.refused {
                *counts.refused.entry(*reason).or_default() += count;
            }
        }
        report
    }
}

fn refused(reason: RelayRefusal) -> RelayReport {
    RelayReport { spans: 0, refused: BTreeMap::from([(reason, 1)]) }
}
