//! What hosts record spans by, as the maps and bytes that they read.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use super::wire::write_value;
use super::{HostCounts, HostTerms};
use crate::engine::Engine;
use crate::sampling::{ParentRule, RootDraw, RootRule};
use crate::value::Value;

/// What [`Engine::take_in`] answers: bits.
pub mod answer {
    /// The hand-off had no room.
    pub const LOST: u32 = 1;
    /// Memory is short: roots are to be asked for.
    pub const PRESSED: u32 = 2;
    /// The engine has been shut down.
    pub const STOPPED: u32 = 4;
    /// Log lines wait, where the host [listens](super::super::lines::listen).
    pub const SAYS: u32 = 8;
}

impl HostTerms {
    /// The terms as a map.
    fn to_value(&self) -> Value<'static> {
        let local_parent = match self.plan.local_parent {
            ParentRule::Inherit => "inherit",
            ParentRule::Sample => "sample",
            ParentRule::Drop => "drop",
            _ => "ask",
        };
        let entries = [
            ("slot", number(self.slot.into())),
            ("valueBytes", number(self.capture.value_bytes)),
            ("spanBytes", number(self.capture.span_bytes)),
            ("depth", number(self.capture.depth)),
            ("arrayItems", number(self.capture.array_items)),
            ("objectKeys", number(self.capture.object_keys)),
            ("io", self.capture.io.into()),
            ("drawsRoots", (self.plan.root == RootRule::Block).into()),
            ("localParent", local_parent.into()),
            ("readsContent", self.reads_content.into()),
            ("hidesNothing", self.hides_nothing.into()),
            ("showsStarts", self.shows_starts.into()),
            ("showsUpdates", self.shows_updates.into()),
            ("countsUnsampled", self.counts_unsampled.into()),
            ("openSpans", number(self.open_spans)),
        ];
        Value::Map(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
    }
}

fn number(number: usize) -> Value<'static> {
    Value::I64(i64::try_from(number).unwrap_or(i64::MAX))
}

impl HostCounts {
    /// From numbers in the order of the fields; those that are missing are 0.
    pub fn from_numbers(numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next().unwrap_or(0);
        Self {
            not_recording: next(),
            unsampled: next(),
            open_limit: next(),
            ended_twice: next(),
            altered: next(),
            limited: next(),
        }
    }
}

impl Engine {
    /// [`HostTerms`] as a map, with `exitTimeout` in seconds; `None` in a process that is forked too deeply.
    pub fn told_terms(&self) -> Option<Vec<u8>> {
        let mut terms = self.host_terms()?.to_value();
        if let Value::Map(entries) = &mut terms {
            entries.push(("exitTimeout".into(), Value::F64(self.exit_timeout().as_secs_f64())));
        }
        Some(write_value(&terms))
    }

    /// Decides about `n` roots ahead: for each 16 bytes of trace id, a decision, the length of its tracestate and
    /// that. Empty where each has to be asked for.
    pub fn told_roots(&self, n: usize) -> Vec<u8> {
        let mut roots: Vec<RootDraw> = Vec::new();
        self.draw_roots(n, &mut roots);
        let mut bytes = Vec::with_capacity(roots.len() * 18);
        for root in &roots {
            bytes.extend_from_slice(root.trace_id.as_bytes());
            let state = root.state.header();
            // Written by a sampler: its own threshold and nothing longer.
            let length = u8::try_from(state.len()).unwrap_or(0);
            bytes.extend_from_slice(&[root.decision as u8, length]);
            bytes.extend_from_slice(state.as_bytes().get(..length.into()).unwrap_or_default());
        }
        bytes
    }

    /// The attributes that every span says of its process, as a map.
    pub fn told_resource(&self) -> Vec<u8> {
        let resource = self.resource();
        let attributes = resource.attributes.iter();
        let entries = attributes.map(|(key, value)| (Cow::Borrowed(key.as_str()), value.clone())).collect();
        write_value(&Value::Map(entries))
    }

    /// Counts a panic that was caught at the border to a host.
    pub fn count_panic(&self) {
        if let Some(live) = self.live() {
            live.shard(0).panics.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes in a frame with so many finished spans, which may be empty, and what was counted. Answers with the bits
    /// of [`answer`].
    pub fn take_in(&self, frame: &[u8], spans: u64, counts: &HostCounts) -> u32 {
        let runs = self.count_hosted(counts);
        // What it says of other spans than finished ones is announced by nobody.
        let taken = frame.is_empty() || self.submit(frame, spans);
        (u32::from(!taken) * answer::LOST)
            | (u32::from(self.is_pressed()) * answer::PRESSED)
            | (u32::from(!runs) * answer::STOPPED)
            | (u32::from(super::lines::is_waiting()) * answer::SAYS)
    }
}
