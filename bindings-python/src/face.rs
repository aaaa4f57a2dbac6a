//! The two faces of an open span, one per API, and making out what was given as a span or parent.

use polyspan::SpanContext;
use polyspan::propagation::{Getter, Propagator, TraceContext};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::context::Context;
use crate::current::{self, Place};
use crate::open::Open;
use crate::otel::{self, OtelSpan};
use crate::span::{PySpanContext, Span};

/// A span as Python holds it.
#[derive(Clone)]
pub enum Face<'py> {
    /// Of Polyspan's own API.
    Own(Bound<'py, Span>),
    /// Of the OpenTelemetry API.
    Otel(Bound<'py, OtelSpan>),
}

/// Where the open span of a face lives: in the object itself, or in that of the other API's face.
#[expect(clippy::large_enum_variant, reason = "nearly every span is here, and a box costs an allocation")]
pub enum Owner {
    Here(Open),
    Own(Py<Span>),
    Otel(Py<OtelSpan>),
    /// It stands for the children of a span that is not sampled, which are not told apart.
    Followed(Py<Span>),
}

impl Owner {
    #[inline]
    pub fn open(&self) -> &Open {
        match self {
            Self::Here(open) => open,
            Self::Own(span) | Self::Followed(span) => span.get().open(),
            Self::Otel(span) => span.get().open(),
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Here(open) => open.traverse(visit),
            Self::Own(span) | Self::Followed(span) => visit.call(span),
            Self::Otel(span) => visit.call(span),
        }
    }
}

impl<'py> Face<'py> {
    /// One of our own two; `None` for anything else.
    #[inline]
    pub fn of(object: &Bound<'py, PyAny>) -> Option<Self> {
        if let Ok(span) = object.cast_exact::<Span>() {
            return Some(Self::Own(span.clone()));
        }
        object.cast::<OtelSpan>().ok().map(|span| Self::Otel(span.clone()))
    }

    /// Whatever names a span: one of ours, one of another OpenTelemetry implementation, a span context of
    /// either API, an OpenTelemetry context, or the text of a `traceparent` header.
    pub fn given(object: &Bound<'py, PyAny>) -> Option<Self> {
        if let Some(face) = Self::of(object) {
            return Some(face);
        }
        let py = object.py();
        let remote = |context| Span::remote(py, context).ok().map(Self::Own);
        if let Ok(context) = object.cast::<PySpanContext>() {
            return remote(context.get().0.clone());
        }
        if let Ok(text) = object.cast::<PyString>() {
            return remote(from_traceparent(text.to_str().ok()?)?);
        }
        if let Ok(keys) = object.cast::<PyDict>() {
            return otel::span_in(keys);
        }
        remote(otel::span_context_of(object)?)
    }

    #[inline]
    pub fn open(&self) -> &Open {
        match self {
            Self::Own(span) => span.get().open(),
            Self::Otel(span) => span.get().open(),
        }
    }

    #[inline]
    pub fn context(&self) -> &SpanContext {
        self.open().context()
    }

    pub fn py(&self) -> Python<'py> {
        match self {
            Self::Own(span) => span.py(),
            Self::Otel(span) => span.py(),
        }
    }

    pub fn into_any(self) -> Bound<'py, PyAny> {
        match self {
            Self::Own(span) => span.into_any(),
            Self::Otel(span) => span.into_any(),
        }
    }

    /// The face for Polyspan's own API.
    pub fn into_own(self) -> PyResult<Bound<'py, Span>> {
        match self {
            Self::Own(span) => Ok(span),
            Self::Otel(span) => {
                let py = span.py();
                Bound::new(py, Span::new(Owner::Otel(span.unbind()), Place::default()))
            }
        }
    }

    /// The face for the OpenTelemetry API: a span of ours, or one of the API's own where it only stands for a
    /// context.
    pub fn into_otel(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Otel(span) => Ok(span.into_any()),
            Self::Own(span) => otel::face_of(py, span),
        }
    }
}

/// A parent that was given by hand.
pub struct Parent<'py> {
    pub face: Face<'py>,
    /// Keys that come with it (an extracted context's baggage).
    pub base: Option<Bound<'py, PyDict>>,
}

impl<'py> Parent<'py> {
    /// Makes out what was given; `None` when it names no span.
    pub fn given(parent: &Bound<'py, PyAny>) -> Option<Self> {
        let py = parent.py();
        let base = current::base_of(parent);
        let Ok(context) = parent.cast::<Context>() else {
            return Some(Self { face: Face::given(parent)?, base });
        };
        let face = match context.get().face(py) {
            Some(face) => face,
            // A carrier may bring baggage alone.
            None => Face::Own(Span::remote(py, SpanContext::default()).ok()?),
        };
        Some(Self { face, base })
    }
}

/// Reads the text of a `traceparent` header.
pub fn from_traceparent(text: &str) -> Option<SpanContext> {
    struct Header<'a>(&'a str);
    impl Getter for Header<'_> {
        fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
            if key == "traceparent" {
                each(self.0.as_bytes());
            }
        }
    }
    let mut extracted = polyspan::propagation::Extracted::default();
    TraceContext.extract(&Header(text), &mut extracted);
    extracted.span
}
