//! Starting spans about which the engine has to be asked; all others start in the host.

use std::sync::Arc;

use polyspan::hosted::{self, HostedSpan, start_hosted};
use polyspan::{Engine, SpanContext, SpanType, Surroundings};

use crate::around::{Ambient, inner};
use crate::engine::{NativeEngine, chosen};
use crate::entry::guarded;

/// A span that was started.
#[derive(uniffi::Record)]
pub struct StartedSpan {
    /// The number of its engine; none where no engine runs.
    pub slot: Option<i32>,
    /// Its identity for others.
    pub context: Vec<u8>,
    /// The body of its event so far; none where it does not record.
    pub body: Option<Vec<u8>>,
    /// What spans inside inherit, where it is not what surrounds the span.
    pub ambient: Option<Arc<Ambient>>,
}

/// Starts a span by all the engine's rules. `described` is the body of an event; `parent` is a context and `request` a
/// map, each empty where there is none. Without an engine it is the selector's choice, or the default one.
#[uniffi::export]
pub fn start_span(
    engine: Option<Arc<NativeEngine>>,
    described: &[u8],
    parent: &[u8],
    around: Option<Arc<Ambient>>,
    request: &[u8],
    trace_id: Option<String>,
) -> StartedSpan {
    let started = start(
        chosen(engine.as_ref()),
        described,
        parent,
        inner(around.as_ref()),
        request,
        trace_id.as_deref(),
    );
    StartedSpan {
        slot: started.slot.map(i32::from),
        context: hosted::write_context(&started.context),
        body: started.body,
        ambient: started.surroundings.map(|around| Arc::new(Ambient(around))),
    }
}

/// Starts it; what spans inside inherit stands there only where it differs from what surrounds the span.
pub(crate) fn start(
    engine: Option<&Engine>,
    described: &[u8],
    parent: &[u8],
    around: Option<&Arc<Surroundings>>,
    request: &[u8],
    trace_id: Option<&str>,
) -> HostedSpan {
    let none = HostedSpan { slot: None, context: SpanContext::default(), surroundings: None, body: None };
    guarded(engine, none, || {
        let parent = hosted::read_context(parent);
        let request = hosted::read_value(request);
        let mut span = start_hosted(engine, described, parent.as_ref(), around, request.as_ref(), trace_id);
        let same = match (&span.surroundings, around) {
            (Some(inside), Some(outside)) => Arc::ptr_eq(inside, outside),
            _ => false,
        };
        if same {
            span.surroundings = None;
        }
        span
    })
}

/// The number of a span type, by any of its names; none for text that is no span type.
#[uniffi::export]
pub fn span_type(name: String) -> Option<i32> {
    SpanType::from_name(&name).map(|span_type| span_type as i32)
}

/// 32 random bytes, for ids that the host makes.
#[uniffi::export]
pub fn seed() -> Vec<u8> {
    hosted::seed().to_vec()
}
