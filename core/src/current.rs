//! What surrounds a span in this thread: the current span, and what everything inside inherits.
//!
//! Rust programs have one slot per thread for it: a value of our own or, where the OpenTelemetry API is
//! built in, that API's `Context`. Other languages keep their own slot and pass the same types in by hand.

#[cfg(not(feature = "opentelemetry"))]
mod slot;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::context::SpanContext;
use crate::frame::write;
#[cfg(feature = "opentelemetry")]
use crate::otel::slot;
use crate::propagation::Baggage;
use crate::span::{Home, Span};
use crate::value::{OwnedValue, Value};

/// What every span inside inherits: attributes such as the session, metadata, tags and baggage.
///
/// Immutable and shared; [`Surroundings::inside`] makes a changed copy. Kept encoded, so that inheriting
/// costs one copy of bytes per span.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    attributes: Vec<(String, OwnedValue)>,
    metadata: Vec<(String, OwnedValue)>,
    tags: Vec<String>,
    baggage: Baggage,
    fields: Vec<u8>,
    tag_fields: Vec<u8>,
}

/// Every span inside holds a copy of what it inherits; a single value may have so many bytes.
const MAX_INHERITED: usize = 64 * 1024;

impl Surroundings {
    /// A copy to change, of `outer` or of nothing.
    pub fn inside(outer: Option<&Arc<Self>>) -> Self {
        outer.map_or_else(Self::default, |outer| Self::clone(outer))
    }

    /// An attribute of every span inside; replaces one of the same key.
    #[must_use]
    pub fn attribute<'a>(mut self, key: &str, value: impl Into<Value<'a>>) -> Self {
        replace(&mut self.attributes, key, value.into().into_owned());
        self.encode()
    }

    /// The session, as attribute `session.id`.
    #[must_use]
    pub fn session_id(self, id: &str) -> Self {
        self.attribute("session.id", id)
    }

    /// The user, as attribute `user.id`.
    #[must_use]
    pub fn user_id(self, id: &str) -> Self {
        self.attribute("user.id", id)
    }

    /// A piece of metadata of every span inside; replaces one of the same key.
    #[must_use]
    pub fn metadata<'a>(mut self, key: &str, value: impl Into<Value<'a>>) -> Self {
        replace(&mut self.metadata, key, value.into().into_owned());
        self.encode()
    }

    /// A tag of every trace that starts inside.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
        self.encode()
    }

    /// Replaces the baggage.
    #[must_use]
    pub fn with_baggage(mut self, baggage: Baggage) -> Self {
        self.baggage = baggage;
        self
    }

    /// The baggage that travels on from here.
    pub fn baggage(&self) -> &Baggage {
        &self.baggage
    }

    /// The attributes that every span inside carries.
    pub fn attributes(&self) -> &[(String, OwnedValue)] {
        &self.attributes
    }

    fn encode(mut self) -> Self {
        self.fields.clear();
        self.tag_fields.clear();
        let mut put = |write: fn(&mut Vec<u8>, &str, &Value<'_>), key: &str, value: &Value<'_>| {
            let at = self.fields.len();
            write(&mut self.fields, key, value);
            if key.is_empty() || self.fields.len() - at > MAX_INHERITED {
                self.fields.truncate(at);
                let message = "what spans inherit must have a key and at most 64 KiB; this is left out: ";
                crate::log::warn_once("surroundings", &format!("{message}{key:?}"));
            }
        };
        for (key, value) in &self.attributes {
            put(write::attribute, key, value);
        }
        for (key, value) in &self.metadata {
            put(write::metadata, key, value);
        }
        for tag in &self.tags {
            write::trace_tag(&mut self.tag_fields, tag);
        }
        self
    }

    /// The fields each span inside starts with; the tags only at the top of a trace.
    #[inline]
    pub(crate) fn put(&self, buf: &mut Vec<u8>, local_root: bool) {
        buf.extend_from_slice(&self.fields);
        if local_root {
            buf.extend_from_slice(&self.tag_fields);
        }
    }
}

fn replace(list: &mut Vec<(String, OwnedValue)>, key: &str, value: OwnedValue) {
    match list.iter_mut().find(|(known, _)| known == key) {
        Some((_, slot)) => *slot = value,
        None => list.push((key.to_owned(), value)),
    }
}

/// The current span and its surroundings.
#[derive(Debug, Clone, Default)]
pub struct Current {
    /// The span that new spans become children of.
    pub span: Option<SpanContext>,
    /// What they inherit.
    pub surroundings: Option<Arc<Surroundings>>,
    /// The engine that they belong to; none for a span of another process.
    pub home: Option<Home>,
}

/// A copy of what surrounds this point of this thread, to be carried elsewhere. Empty while the thread
/// ends.
#[inline]
pub fn current() -> Current {
    slot::get()
}

/// Looks at what is current without a copy of it. Nothing may be entered meanwhile.
#[inline]
pub(crate) fn with<R>(look: impl Fn(&Current) -> R) -> R {
    slot::with(look)
}

/// Makes something current until it is dropped; then what was current before is current again.
#[derive(Debug)]
#[must_use = "the span is current only as long as the guard lives"]
pub struct Entered {
    _restore: slot::Restore,
    // Current is per thread, so the guard stays on its thread.
    _on_this_thread: core::marker::PhantomData<*const ()>,
}

impl Current {
    /// Makes this current on this thread while the guard lives.
    pub fn enter(&self) -> Entered {
        self.clone().entered()
    }

    #[inline]
    fn entered(self) -> Entered {
        Entered { _restore: slot::put(self), _on_this_thread: core::marker::PhantomData }
    }
}

/// Runs `body` with changed surroundings: `polyspan::surrounded(|s| s.session_id("s-42"), || ...)`.
pub fn surrounded<R>(change: impl FnOnce(Surroundings) -> Surroundings, body: impl FnOnce() -> R) -> R {
    let now = current();
    let changed = change(Surroundings::inside(now.surroundings.as_ref()));
    let _entered = Current { surroundings: Some(Arc::new(changed)), ..now }.entered();
    body()
}

impl Span {
    /// What is current inside this span.
    pub fn as_current(&self) -> Current {
        let span = Some(self.context().clone());
        Current { span, surroundings: self.surroundings().cloned(), home: self.home() }
    }

    /// Makes the span current on this thread while the guard lives.
    pub fn enter(&self) -> Entered {
        self.as_current().entered()
    }

    /// Runs `body` with the span current.
    pub fn in_scope<R>(&self, body: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        body()
    }
}

pin_project_lite::pin_project! {
    /// A future inside which a span is current whenever it is polled; the span ends with the future.
    #[derive(Debug)]
    pub struct InSpan<F> {
        #[pin]
        future: F,
        span: Span,
    }
}

/// Futures that run inside a span.
pub trait FutureExt: Future + Sized {
    /// Runs the future inside `span`, which ends when the future is done or dropped.
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan { future: self, span }
    }
}

impl<F: Future> FutureExt for F {}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let result = {
            let _entered = this.span.enter();
            this.future.poll(context)
        };
        if result.is_ready() {
            this.span.end();
        }
        result
    }
}
