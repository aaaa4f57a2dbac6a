//! What crosses to hosts as bytes besides frames: values and the identity of a span.

use crate::context::{SpanContext, TraceFlags, TraceState};
use crate::frame::{view, write};
use crate::id::{SpanId, TraceId};
use crate::value::{OwnedValue, Value};

/// Bytes of a context before its tracestate: ids, flags, whether it is of another process.
const CONTEXT_HEAD: usize = 26;

/// A value that a host encoded alone, as in `docs/frame.md`, without a string table; `None` for other bytes.
pub fn read_value(bytes: &[u8]) -> Option<OwnedValue> {
    view::read_alone(bytes).map(view::ValueView::to_value)
}

/// A value as a host reads it.
pub fn write_value(value: &Value<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write::put_value(&mut bytes, value);
    bytes
}

/// The identity of a span that a host has kept: 16 bytes of trace id, 8 of span id, flags ([`kept_flags`]), 1 if it is
/// of another process, then the tracestate header. `None` for fewer bytes.
pub fn read_context(bytes: &[u8]) -> Option<SpanContext> {
    let (head, state) = bytes.split_at_checked(CONTEXT_HEAD)?;
    let (trace_id, rest) = head.split_first_chunk::<16>()?;
    let (span_id, rest) = rest.split_first_chunk::<8>()?;
    let [flags, remote] = rest else { return None };
    Some(SpanContext {
        trace_id: TraceId::from_bytes(*trace_id),
        span_id: SpanId::from_bytes(*span_id),
        flags: flags_of_host(*flags),
        state: TraceState::from_header(state).unwrap_or_default(),
        remote: *remote != 0,
    })
}

/// The same for a host to keep.
pub fn write_context(context: &SpanContext) -> Vec<u8> {
    let state = context.state.header().as_bytes();
    let mut bytes = Vec::with_capacity(CONTEXT_HEAD + state.len());
    bytes.extend_from_slice(context.trace_id.as_bytes());
    bytes.extend_from_slice(context.span_id.as_bytes());
    bytes.extend_from_slice(&[kept_flags(context.flags), u8::from(context.remote)]);
    bytes.extend_from_slice(state);
    bytes
}

/// The trace flags for a host that keeps them with a span: the flag byte, and a bit of this process.
pub fn kept_flags(flags: TraceFlags) -> u8 {
    flags.raw()
}

/// What [`kept_flags`] gave.
pub fn flags_of_host(kept: u8) -> TraceFlags {
    TraceFlags::from_raw(kept)
}
