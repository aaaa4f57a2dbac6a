//! The slot of what is current, where the OpenTelemetry API is built in: that API's [`Context`].
//!
//! There is no second one that could disagree. Entering a span of ours attaches a context in which it is
//! the active span, so spans of the OpenTelemetry API become its children; an OpenTelemetry span that is
//! active is what [`get`] finds. Whichever came last counts. What spans inherit travels as a value of the
//! context, and so follows it wherever the application takes it; baggage is the API's own.

use std::mem;
use std::panic::catch_unwind;
use std::sync::Arc;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, ContextGuard};

use super::convert;
use crate::current::{Current, Surroundings};
use crate::id::SpanId;
use crate::propagation::Baggage;
use crate::span::Home;

/// What spans inside a context inherit, and the engine of the one that is active.
struct Inherited {
    surroundings: Option<Arc<Surroundings>>,
    home: Option<Home>,
    /// Whose home it is: another implementation may have made a span of its own active since.
    span: SpanId,
}

/// Dropped before the API's own thread-local, because it is made after it.
struct Alive(bool);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0 = false;
    }
}

thread_local! {
    static ALIVE: Alive = Alive(catch_unwind(|| Context::map_current(|_| ())).is_ok());
}

/// Whether the API's thread-local can be used; once the thread ends, asking for it would panic.
#[inline]
fn is_usable() -> bool {
    ALIVE.try_with(|alive| alive.0).unwrap_or(false)
}

/// What is current; nothing while the thread ends.
#[inline]
pub(crate) fn get() -> Current {
    if is_usable() { Context::map_current(within) } else { Current::default() }
}

/// Looks at what is current.
#[inline]
pub(crate) fn with<R>(look: impl Fn(&Current) -> R) -> R {
    look(&get())
}

/// What is current inside a context.
pub(super) fn within(context: &Context) -> Current {
    let span = context.span();
    let span = Some(convert::span_context(span.span_context())).filter(crate::SpanContext::is_parent);
    let inherited = context.get::<Inherited>();
    let own = inherited.filter(|inherited| span.as_ref().is_some_and(|span| span.span_id == inherited.span));
    Current { span, surroundings: surroundings(context), home: own.and_then(|own| own.home) }
}

/// What spans inside a context inherit. Its baggage is the context's, whoever put it there.
pub(super) fn surroundings(context: &Context) -> Option<Arc<Surroundings>> {
    let inherited = context.get::<Inherited>().and_then(|inherited| inherited.surroundings.as_ref());
    let baggage = context.baggage();
    if baggage_of(inherited).map_or(baggage.is_empty(), |ours| convert::is_same_baggage(ours, baggage)) {
        return inherited.cloned();
    }
    Some(Arc::new(Surroundings::inside(inherited).with_baggage(convert::baggage(baggage))))
}

fn baggage_of(surroundings: Option<&Arc<Surroundings>>) -> Option<&Baggage> {
    surroundings.map(|surroundings| surroundings.baggage())
}

/// Restores the context that was attached before.
#[derive(Debug)]
pub(crate) struct Restore(Option<ContextGuard>);

/// Makes this current until the guard is dropped.
pub(crate) fn put(next: Current) -> Restore {
    if !is_usable() {
        return Restore(None);
    }
    Restore(Some(Context::map_current(|outer| changed(outer, &next)).attach()))
}

/// The context with another span and other surroundings, its further values kept.
fn changed(outer: &Context, next: &Current) -> Context {
    // A context cannot be rid of its span, but one whose ids are invalid counts as none.
    let span = next.span.as_ref().map_or(SpanContext::NONE, convert::otel_span_context);
    let mut inside = outer.with_remote_span_context(span);
    let span = next.span.as_ref().map_or(SpanId::INVALID, |span| span.span_id);
    let home = next.home;
    let next = next.surroundings.as_ref();
    let known = outer.get::<Inherited>();
    let known_surroundings = known.and_then(|inherited| inherited.surroundings.as_ref());
    let same = known_surroundings.map(Arc::as_ptr) == next.map(Arc::as_ptr);
    if !same || known.map_or(home.is_some(), |known| known.home != home || known.span != span) {
        inside = inside.with_value(Inherited { surroundings: next.cloned(), home, span });
    }
    let none = Baggage::new();
    let baggage = baggage_of(next).unwrap_or(&none);
    if !convert::is_same_baggage(baggage, outer.baggage()) {
        inside = inside.with_baggage(convert::otel_baggage(baggage));
    }
    inside
}

impl Drop for Restore {
    fn drop(&mut self) {
        if !is_usable() {
            mem::forget(self.0.take());
        }
    }
}
