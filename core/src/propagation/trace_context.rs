//! W3C Trace Context level 2: the `traceparent` and `tracestate` headers.
//!
//! [`TraceContext`] is the propagator; [`parse`] and [`Traceparent`] are for whoever holds a single header.
//! Neither allocates.

use super::baggage::Baggage;
use super::carrier::{Getter, Setter};
use super::tracestate::trim;
use super::{Extracted, Propagator, Refused};
use crate::context::{SpanContext, TraceFlags, TraceState};
use crate::id::{SpanId, TraceId};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// Characters of a `traceparent` of version 00.
pub const TRACEPARENT_CHARS: usize = 55;

/// More of `tracestate` than this is not read. 32 members of the longest kind take half of it.
const MAX_TRACESTATE_READ: usize = 32 * 1024;

/// Reads a `traceparent` (section 3.2): a remote span context with no tracestate.
///
/// `None` for everything the specification declares invalid: upper-case digits, ids of zeros, version `ff`,
/// version 00 with a length other than 55, a higher version whose known part is malformed or is followed by
/// anything but a dash. Of the flags, sampled and random are kept. Blanks around the value are ignored.
pub fn parse(header: &[u8]) -> Option<SpanContext> {
    let (known, rest) = trim(header).split_first_chunk::<TRACEPARENT_CHARS>()?;
    let mut fields = known.split(|byte| *byte == b'-');
    let [version] = decode(fields.next()?)?;
    let trace_id = TraceId::from_bytes(decode(fields.next()?)?);
    let span_id = SpanId::from_bytes(decode(fields.next()?)?);
    let [flags] = decode(fields.next()?)?;
    let complete = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.first().is_none_or(|next| *next == b'-'),
    };
    let flags = TraceFlags::from_bits(flags);
    let context = SpanContext { trace_id, span_id, flags, state: TraceState::EMPTY, remote: true };
    (complete && context.is_valid()).then_some(context)
}

/// The text of a `traceparent` of version 00, in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent([u8; TRACEPARENT_CHARS]);

impl Traceparent {
    /// Writes the ids and the two known flags of a context.
    pub fn new(span: &SpanContext) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        encode(text.get_mut(3..35), span.trace_id.as_bytes());
        encode(text.get_mut(36..52), span.span_id.as_bytes());
        encode(text.get_mut(53..55), &[span.flags.bits()]);
        Self(text)
    }

    /// The header value.
    pub fn as_str(&self) -> &str {
        // It is ASCII by construction; the check costs less than the reader's doubt.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Exactly `2 * N` lower-case hex digits.
fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            *byte = *byte << 4
                | match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
        }
    }
    Some(bytes)
}

fn encode(digits: Option<&mut [u8]>, bytes: &[u8]) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    for (pair, byte) in digits.unwrap_or_default().chunks_exact_mut(2).zip(bytes) {
        if let [high, low] = pair {
            (*high, *low) = (digit(byte >> 4), digit(byte & 15));
        }
    }
}

/// The propagator named `tracecontext`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceContext;

impl Propagator for TraceContext {
    fn inject(&self, span: &SpanContext, _: &Baggage, carrier: &mut dyn Setter) -> Refused {
        if span.is_valid() {
            carrier.set(TRACEPARENT, Traceparent::new(span).as_str());
            if !span.state.is_empty() {
                carrier.set(TRACESTATE, span.state.header());
            }
        }
        Refused::default()
    }

    fn extract(&self, carrier: &dyn Getter, into: &mut Extracted) {
        let mut headers = 0;
        let mut span = None;
        let mut blank = true;
        carrier.get_all(TRACEPARENT, &mut |header| {
            headers += 1;
            blank &= trim(header).is_empty();
            span = parse(header);
        });
        // Section 3.2: more than one header is as bad as a malformed one.
        match span {
            Some(mut span) if headers == 1 => {
                span.state = read_state(carrier, &mut into.refused);
                into.span = Some(span);
            }
            _ if blank => {}
            _ => into.refused.traceparent += 1,
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        &[TRACEPARENT, TRACESTATE]
    }
}

/// The list of all `tracestate` headers; one that is bad leaves no list and does not touch the rest.
fn read_state(carrier: &dyn Getter, refused: &mut Refused) -> TraceState {
    let mut list = Vec::new();
    let mut fits = true;
    carrier.get_all(TRACESTATE, &mut |header| {
        fits &= list.len() + header.len() < MAX_TRACESTATE_READ;
        if fits {
            // An empty member at the front is as good as none.
            list.push(b',');
            list.extend_from_slice(header);
        }
    });
    match TraceState::from_header_counting(&list) {
        Ok((state, cut)) if fits => {
            refused.tracestate += cut;
            state
        }
        _ => {
            refused.tracestate += 1;
            TraceState::EMPTY
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_reads() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
        let span = parse(text.as_bytes()).unwrap();
        assert!(span.remote && span.flags.is_sampled() && span.flags.is_random());
        assert_eq!(Traceparent::new(&span).as_str(), text);
    }

    #[test]
    fn an_invalid_span_writes_nothing() {
        let mut carrier: Vec<(String, String)> = Vec::new();
        TraceContext.inject(&SpanContext::default(), &Baggage::default(), &mut carrier);
        assert!(carrier.is_empty());
    }

    #[test]
    fn an_endless_tracestate_is_not_read() {
        let tracestate = format!("a=1,{}", " ".repeat(MAX_TRACESTATE_READ));
        let carrier = [
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            ("tracestate", tracestate),
        ];
        let mut extracted = Extracted::default();
        TraceContext.extract(&carrier.to_vec(), &mut extracted);
        assert_eq!(extracted.span.map(|span| span.state), Some(TraceState::EMPTY));
        assert_eq!(extracted.refused.tracestate, 1);
    }
}
