//! What surrounds a span in this thread: the current span, and what everything inside inherits.
//!
//! Rust programs have one slot per thread for it: a value of our own or, where the OpenTelemetry API is
//! built in, that API's `Context`. Other languages keep their own slot and pass the same types in by hand.

mod defaults;
#[cfg(not(feature = "opentelemetry"))]
mod slot;
mod surroundings;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

pub(crate) use defaults::Defaults;
pub(crate) use surroundings::MAX_INHERITED;
pub use surroundings::Surroundings;

use crate::context::SpanContext;
#[cfg(feature = "opentelemetry")]
use crate::otel::slot;
use crate::span::{Home, Span};

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
