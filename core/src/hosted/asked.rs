//! What samplers and selectors of an application are told of a span, and what their answers mean.

use std::borrow::Cow;

use super::wire::write_context;
use crate::context::TraceState;
use crate::id::TraceId;
use crate::sampling::{Decision, SamplingInput, SamplingResult};
use crate::value::Value;

/// What follows from the answer of an application's sampler: the number of a [`Decision`], or anything else where it
/// failed, which samples the span.
pub fn answered(input: &SamplingInput<'_>, answer: Option<u32>) -> SamplingResult {
    let decision = match answer {
        Some(0) => Some(Decision::Drop),
        Some(1) => Some(Decision::RecordOnly),
        Some(2) => Some(Decision::RecordAndSample),
        _ => None,
    };
    let state = input.parent.map_or(TraceState::EMPTY, |parent| parent.state.clone());
    SamplingResult {
        callback_failed: decision.is_none(),
        ..SamplingResult::new(decision.unwrap_or(Decision::RecordAndSample), state)
    }
}

/// What is told of a span that is about to start.
pub fn about<'a>(input: &'a SamplingInput<'_>) -> Value<'a> {
    let pairs = |pairs: &'a [(Cow<'_, str>, Value<'_>)]| {
        Value::Map(pairs.iter().map(|(key, value)| (Cow::Borrowed(key.as_ref()), value.clone())).collect())
    };
    let parent = input.parent.filter(|parent| parent.is_valid());
    let trace_id =
        if input.trace_id == TraceId::INVALID { Value::Null } else { input.trace_id.to_hex().into() };
    let entries = [
        ("name", input.name.into()),
        ("type", input.span_type.as_str().into()),
        ("kind", input.kind.as_str().into()),
        ("traceId", trace_id),
        ("attributes", pairs(input.attributes)),
        ("metadata", pairs(input.metadata)),
        ("requestContext", input.request_context.cloned().unwrap_or(Value::Null)),
        ("parent", parent.map_or(Value::Null, |parent| Value::Bytes(write_context(parent).into()))),
    ];
    Value::Map(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}
