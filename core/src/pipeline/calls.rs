//! Which generations have their calls as spans of their own.
//!
//! A generation that is recorded as a whole is the call of the model; one whose requests are spans too is
//! what they are part of, and must not say their operation and token counts a second time. Requests end
//! before what they are part of, so the export thread knows when the generation comes. Where threads are
//! drained in another order, a generation may miss it and say both.

use std::collections::{HashSet, VecDeque};

use crate::frame::view::SpanView;
use crate::id::{SpanId, TraceId};
use crate::kinds::{SpanFlags, SpanType};

/// Spans remembered whose calls were seen.
const REMEMBERED: usize = 4096;

/// Remembers the parents of calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    parents: HashSet<(TraceId, SpanId)>,
    order: VecDeque<(TraceId, SpanId)>,
}

impl Calls {
    /// Marks a generation whose calls are spans of their own.
    #[inline]
    pub(crate) fn mark<'a>(&mut self, span: SpanView<'a>) -> SpanView<'a> {
        match span.head().span_type {
            SpanType::ModelGeneration | SpanType::ModelStep | SpanType::ModelInference => self.look(span),
            _ => span,
        }
    }

    fn look<'a>(&mut self, span: SpanView<'a>) -> SpanView<'a> {
        let head = span.head();
        let own = (head.trace_id, head.span_id);
        let has_calls = head.span_type == SpanType::ModelInference
            || !self.parents.is_empty() && self.parents.remove(&own);
        if !has_calls {
            return span;
        }
        if head.span_type == SpanType::ModelGeneration {
            return span.with_flags(head.flags.with(SpanFlags::STEPPED));
        }
        if head.parent_span_id.is_valid() {
            self.remember((head.trace_id, head.parent_span_id));
        }
        span
    }

    fn remember(&mut self, parent: (TraceId, SpanId)) {
        if !self.parents.insert(parent) {
            return;
        }
        self.order.push_back(parent);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.parents.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::write::{self, Head};
    use crate::frame::{EVENT_HEADER, EventKind};

    fn is_stepped(calls: &mut Calls, span_type: SpanType, id: u8, parent: u8) -> bool {
        let head = Head {
            trace_id: TraceId::from_bytes([1; 16]),
            span_id: SpanId::from_bytes([id; 8]),
            parent_span_id: SpanId::from_bytes([parent; 8]),
            span_type,
            ..Head::default()
        };
        let mut record = Vec::new();
        write::begin_span(&mut record);
        write::finish_span(&mut record, EventKind::SpanEnded, 0, &head);
        let marked = calls.mark(SpanView::new(&record[EVENT_HEADER..]).unwrap());
        marked.head().flags.contains(SpanFlags::STEPPED)
    }

    #[test]
    fn a_generation_with_requests_below_it_is_marked() {
        let mut calls = Calls::default();
        assert!(!is_stepped(&mut calls, SpanType::ModelInference, 4, 3));
        assert!(!is_stepped(&mut calls, SpanType::ModelStep, 3, 2));
        assert!(is_stepped(&mut calls, SpanType::ModelGeneration, 2, 1));
        assert!(!is_stepped(&mut calls, SpanType::ModelGeneration, 2, 1), "once");
        assert!(!is_stepped(&mut calls, SpanType::ModelInference, 6, 5));
        assert!(is_stepped(&mut calls, SpanType::ModelGeneration, 5, 0), "without steps");
    }

    #[test]
    fn a_step_without_a_request_leaves_the_generation_alone() {
        let mut calls = Calls::default();
        assert!(!is_stepped(&mut calls, SpanType::ModelStep, 3, 2));
        assert!(!is_stepped(&mut calls, SpanType::ModelGeneration, 2, 1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut calls = Calls::default();
        for parent in 0..2 * REMEMBERED as u64 {
            calls.remember((TraceId::from_bytes([1; 16]), SpanId::from_bytes((parent + 1).to_be_bytes())));
        }
        assert_eq!((calls.parents.len(), calls.order.len()), (REMEMBERED, REMEMBERED));
    }
}
