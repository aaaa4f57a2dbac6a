//! What crosses as bytes besides frames: values, the identity of a span, errors.

use polyspan::hosted::{flags_of_host, kept_flags, read_value, write_value};
use polyspan::value::{OwnedValue, Value};
use polyspan::{Error, SpanContext, SpanId, TraceId, TraceState};

/// Bytes of a context before its tracestate: ids, flags, whether it is of another process.
const CONTEXT_HEAD: usize = 26;

/// An error of the engine; TypeScript reads the code before the first colon.
pub fn thrown(error: &Error) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}

/// A value that TypeScript encoded.
pub fn value(bytes: &[u8]) -> napi::Result<OwnedValue> {
    read_value(bytes).ok_or_else(|| napi::Error::from_reason("internal: a value that cannot be read"))
}

/// A value for TypeScript to decode.
pub fn bytes(value: &Value<'_>) -> Vec<u8> {
    write_value(value)
}

/// The identity of a span: 16 bytes of trace id, 8 of span id, flags, 1 if it is of another process, then the
/// tracestate header.
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

/// The same for TypeScript.
pub fn context_bytes(context: &SpanContext) -> Vec<u8> {
    let state = context.state.header().as_bytes();
    let mut bytes = Vec::with_capacity(CONTEXT_HEAD + state.len());
    bytes.extend_from_slice(context.trace_id.as_bytes());
    bytes.extend_from_slice(context.span_id.as_bytes());
    bytes.extend_from_slice(&[kept_flags(context.flags), u8::from(context.remote)]);
    bytes.extend_from_slice(state);
    bytes
}
