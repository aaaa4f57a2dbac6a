//! Starting spans about which the engine has to be asked; all others start in TypeScript.

use std::hash::{BuildHasher, Hasher, RandomState};

use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use polyspan::SpanType;
use polyspan::hosted::{self, HostedSpan, start_hosted};

use crate::around::Ambient;
use crate::engine::NativeEngine;
use crate::entry::{always, guarded};
use crate::{sampler, wire};

/// A span that was started.
#[napi(object, object_from_js = false)]
pub struct StartedSpan {
    /// The number of its engine; none where no engine runs.
    pub slot: Option<u32>,
    /// Its identity for others.
    pub context: Buffer,
    /// The body of its event so far; none where it does not record.
    pub body: Option<Buffer>,
    /// What spans inside inherit, where it is not what surrounds the span.
    pub ambient: Option<Ambient>,
}

/// Starts a span by all the engine's rules. `described` is the body of an event, `parent` a context; without an
/// engine it is the selector's choice, or the default one.
#[napi]
pub fn start(
    env: Env,
    engine: Option<&NativeEngine>,
    described: &[u8],
    parent: Option<&[u8]>,
    around: Option<&Ambient>,
    request: Option<&[u8]>,
    trace_id: Option<String>,
) -> napi::Result<StartedSpan> {
    let outer = around.map(|around| &around.0);
    let engine = engine.map(|engine| &engine.0);
    // As where no engine runs.
    let none = || Ok(StartedSpan { slot: None, context: Vec::new().into(), body: None, ambient: None });
    let start = || {
        let parent = parent.and_then(hosted::read_context);
        let request = request.map(wire::value).transpose()?;
        let HostedSpan { slot, context, surroundings, body } =
            start_hosted(engine, described, parent.as_ref(), outer, request.as_ref(), trace_id.as_deref());
        let changed = match (&surroundings, outer) {
            (Some(inner), Some(outer)) => !std::sync::Arc::ptr_eq(inner, outer),
            (inner, _) => inner.is_some(),
        };
        Ok(StartedSpan {
            slot: slot.map(u32::from),
            context: hosted::write_context(&context).into(),
            body: body.map(Buffer::from),
            ambient: surroundings.filter(|_| changed).map(Ambient),
        })
    };
    // Whatever happens inside, the environment is given back.
    sampler::in_javascript(&env, || guarded(engine, none, start))
}

/// The number of a span type, by any of its names; none for text that is no span type.
#[napi]
pub fn span_type(name: String) -> Option<u32> {
    guarded(None, || None, || SpanType::from_name(&name).map(|span_type| span_type as u32))
}

/// 32 random bytes, for ids that are made in TypeScript: loading Node's own source of them takes as long as all else
/// that happens until the first span.
#[napi]
pub fn seed() -> Buffer {
    // What the standard library keys its maps with is random as well.
    let other = || std::array::from_fn(|_| RandomState::new().build_hasher().finish() as u8);
    always(None, other, hosted::seed).to_vec().into()
}
