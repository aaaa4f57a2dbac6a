//! Token counts of spans that are not exported, added up at the nearest ancestor that is.
//!
//! Children may be drained after their parents, because each thread is drained by itself. So while an engine
//! leaves spans out, those that it exports wait for one further full pass over all threads; by then every
//! span that ended before them has been seen. What waits is bounded; beyond it spans go on at once. An engine
//! that leaves nothing out holds nothing back.

use std::collections::{HashMap, VecDeque};

use crate::frame::copy;
use crate::frame::view::SpanView;
use crate::frame::write;
use crate::id::{SpanId, TraceId};
use crate::kinds::SpanFlags;
use crate::semantics::usage::{Usage, level};

/// Spans with counts below them that are remembered.
const REMEMBERED: usize = 4096;
/// What waits for the next pass.
const HELD_SPANS: usize = 8192;
const HELD_BYTES: usize = 4 << 20;
/// The attributes that the counts become.
const PREFIX: &str = "polyspan.internal_usage.";

type Key = (TraceId, SpanId);

/// Counts by how close to the provider's own they are; see [`level`].
type Levels = [Usage; 4];

/// The spans of one pass.
#[derive(Debug, Default)]
struct Cohort {
    /// Bodies one after the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Threads not seen since; `None` until a further pass has ended.
    unseen: Option<Vec<usize>>,
}

/// Adds up, and holds back what it is added to.
#[derive(Debug, Default)]
pub(crate) struct RollUp {
    counts: HashMap<Key, Levels>,
    order: VecDeque<Key>,
    cohorts: VecDeque<Cohort>,
    now: Cohort,
    held_spans: usize,
    held_bytes: usize,
    /// Cohorts that ever waited and that went on, for who waits for all that had come.
    sealed: u64,
    released: u64,
    scratch: Vec<u8>,
}

impl RollUp {
    /// A span that is not exported has ended.
    pub(crate) fn note(&mut self, span: &SpanView<'_>) {
        let head = span.head();
        let Some(level) = level(head.span_type) else { return };
        // An ancestor in another process is not ours to add to.
        if !head.parent_span_id.is_valid() || head.flags.contains(SpanFlags::PARENT_REMOTE) {
            return;
        }
        let usage = Usage::of_span(span);
        if usage.is_empty() {
            return;
        }
        let key = (head.trace_id, head.parent_span_id);
        let levels = self.counts.entry(key).or_insert_with(|| {
            self.order.push_back(key);
            Levels::default()
        });
        if let Some(sum) = levels.get_mut(level) {
            sum.add(&usage);
        }
        while self.order.len() > REMEMBERED {
            let oldest = self.order.pop_front();
            if oldest.is_some_and(|oldest| self.counts.remove(&oldest).is_some()) {
                crate::log::warn_once(
                    "roll-up",
                    "token counts of hidden spans are lost: too many spans wait for theirs",
                );
            }
        }
    }

    /// Keeps a span until the next pass. False if there is no room, and it goes on at once.
    pub(crate) fn hold(&mut self, span: &SpanView<'_>) -> bool {
        if self.held_spans >= HELD_SPANS || self.held_bytes >= HELD_BYTES {
            return false;
        }
        let before = self.now.bytes.len();
        copy::span(&mut self.now.bytes, span);
        self.now.ends.push(self.now.bytes.len());
        self.held_spans += 1;
        self.held_bytes += self.now.bytes.len() - before;
        true
    }

    /// Hands a span on that does not wait, with the counts known by now.
    pub(crate) fn complete(&mut self, span: &SpanView<'_>, next: impl FnOnce(&SpanView<'_>)) {
        let head = span.head();
        let Some(levels) = self.counts.remove(&(head.trace_id, head.span_id)) else { return next(span) };
        let mut body = core::mem::take(&mut self.scratch);
        body.clear();
        copy::span(&mut body, span);
        for (count, tokens) in total(&levels).counts() {
            write::attribute(&mut body, &format!("{PREFIX}{}", count.tail()), &tokens.into());
        }
        match SpanView::new(&body) {
            Ok(with_usage) => next(&with_usage),
            Err(_) => next(span),
        }
        self.scratch = body;
    }

    /// Whether anything waits.
    pub(crate) fn holds(&self) -> bool {
        self.held_spans > 0
    }

    /// The number after which everything that has come until now has gone on.
    pub(crate) fn latest(&self) -> u64 {
        self.sealed + u64::from(!self.now.ends.is_empty())
    }

    /// Whether everything up to that number has gone on.
    pub(crate) fn has_released(&self, number: u64) -> bool {
        self.released >= number
    }

    /// A pass has ended that left out some threads. Hands on what has waited for all threads, or everything.
    pub(crate) fn end_of_pass(
        &mut self,
        left_out: &[usize],
        everything: bool,
        mut next: impl FnMut(&SpanView<'_>),
    ) {
        for cohort in &mut self.cohorts {
            match &mut cohort.unseen {
                Some(unseen) => unseen.retain(|lane| left_out.contains(lane)),
                unseen => *unseen = Some(left_out.to_vec()),
            }
        }
        if !self.now.ends.is_empty() {
            self.cohorts.push_back(core::mem::take(&mut self.now));
            self.sealed += 1;
        }
        let is_ripe = |cohort: &Cohort| everything || cohort.unseen.as_ref().is_some_and(Vec::is_empty);
        while self.cohorts.front().is_some_and(is_ripe)
            && let Some(cohort) = self.cohorts.pop_front()
        {
            self.released += 1;
            let mut start = 0;
            for end in &cohort.ends {
                let body = cohort.bytes.get(start..*end).unwrap_or(&[]);
                start = *end;
                self.held_spans -= 1;
                self.held_bytes -= body.len();
                // It was read before it was copied.
                if let Ok(span) = SpanView::new(body) {
                    self.complete(&span, &mut next);
                }
            }
        }
    }
}

/// Of the counts that report the same calls those closest to the provider's.
fn total(levels: &Levels) -> Usage {
    let [generations, steps, requests, others] = levels;
    let calls = [generations, steps, requests].into_iter().find(|usage| !usage.is_empty());
    let mut total = calls.copied().unwrap_or_default();
    total.add(others);
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::view::Field;
    use crate::frame::write::Head;
    use crate::frame::{EVENT_HEADER, EventKind};
    use crate::kinds::SpanType;
    use crate::value::Value;

    fn record(span_type: SpanType, id: u8, parent: u8, tokens: Option<i64>) -> Vec<u8> {
        let head = Head {
            trace_id: TraceId::from_bytes([1; 16]),
            span_id: SpanId::from_bytes([id; 8]),
            parent_span_id: SpanId::from_bytes([parent; 8]),
            span_type,
            ..Head::default()
        };
        let mut record = Vec::new();
        write::begin_span(&mut record);
        if let Some(tokens) = tokens {
            write::attribute(&mut record, "usage", &Value::from_iter([("input_tokens", tokens)]));
        }
        write::finish_span(&mut record, EventKind::SpanEnded, 0, &head);
        record
    }

    fn view(record: &[u8]) -> SpanView<'_> {
        SpanView::new(&record[EVENT_HEADER..]).unwrap()
    }

    /// Ids and counts of what goes on at the end of a pass.
    fn pass(rollup: &mut RollUp, left_out: &[usize], everything: bool) -> Vec<(u8, Option<i64>)> {
        let mut gone = Vec::new();
        rollup.end_of_pass(left_out, everything, |span| {
            let tokens = span.fields().find_map(|field| match field {
                Field::Attribute(b"polyspan.internal_usage.input_tokens", value) => value.to_value().as_i64(),
                _ => None,
            });
            gone.push((span.head().span_id.to_bytes()[0], tokens));
        });
        gone
    }

    #[test]
    fn counts_of_children_that_come_later_are_added() {
        let mut rollup = RollUp::default();
        assert!(rollup.hold(&view(&record(SpanType::Agent, 1, 0, None))));
        assert_eq!(pass(&mut rollup, &[], false), [], "its own pass does not count");
        let waiting = rollup.latest();
        assert!(!rollup.has_released(waiting));
        rollup.note(&view(&record(SpanType::ModelGeneration, 2, 1, Some(5))));
        rollup.note(&view(&record(SpanType::ModelGeneration, 3, 1, Some(7))));
        rollup.note(&view(&record(SpanType::ModelInference, 4, 1, Some(12))));
        rollup.note(&view(&record(SpanType::RagEmbedding, 5, 1, Some(100))));
        rollup.note(&view(&record(SpanType::Tool, 6, 1, Some(1000))));
        assert_eq!(pass(&mut rollup, &[], false), [(1, Some(112))]);
        assert!(rollup.has_released(waiting) && !rollup.holds());
        assert_eq!((rollup.held_bytes, rollup.counts.len()), (0, 0));
    }

    #[test]
    fn a_thread_that_was_left_out_is_waited_for() {
        let mut rollup = RollUp::default();
        rollup.hold(&view(&record(SpanType::Agent, 1, 0, None)));
        assert_eq!(pass(&mut rollup, &[7], false), []);
        assert_eq!(pass(&mut rollup, &[7, 8], false), []);
        rollup.hold(&view(&record(SpanType::Agent, 2, 0, None)));
        assert_eq!(pass(&mut rollup, &[8], false), [], "one of the two is still writing");
        assert_eq!(pass(&mut rollup, &[], false), [(1, None), (2, None)]);
    }

    #[test]
    fn nothing_waits_beyond_a_deadline_or_without_room() {
        let mut rollup = RollUp::default();
        let span = record(SpanType::Agent, 1, 0, None);
        let held = (0..2 * HELD_SPANS).filter(|_| rollup.hold(&view(&span))).count();
        assert_eq!(held, HELD_SPANS);
        assert_eq!(pass(&mut rollup, &[1], true).len(), HELD_SPANS);
        rollup.note(&view(&record(SpanType::ModelStep, 2, 1, Some(5))));
        let mut gone = 0;
        rollup.complete(&view(&span), |with| gone += with.fields().count());
        assert_eq!(gone, 1);
    }

    #[test]
    fn counts_that_nobody_takes_are_bounded() {
        let mut rollup = RollUp::default();
        for parent in 0..2 * REMEMBERED as u64 {
            let mut span = record(SpanType::ModelGeneration, 2, 1, Some(1));
            let at = EVENT_HEADER + 24;
            span[at..at + 8].copy_from_slice(&(parent + 1).to_be_bytes());
            rollup.note(&view(&span));
        }
        assert_eq!((rollup.counts.len(), rollup.order.len()), (REMEMBERED, REMEMBERED));
    }
}
