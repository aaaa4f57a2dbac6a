//! Samplers of the application: a callback of our own API, or an object of the OpenTelemetry API.
//!
//! Both run on the thread that starts a span, never on the export thread.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use polyspan::registry::Selector;
use polyspan::sampling::{CustomSampler, Decision, HeadSampler, Sampler, SamplingInput, SamplingResult};
use polyspan::value::{OwnedValue, Value};
use polyspan::{SpanBuilder, SpanContext, TraceState};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::convert::{self, hold, to_python};
use crate::otel;
use crate::span::PySpanContext;
use crate::{exit, invalid};

/// Some engine's sampler looks at the attributes given at the start, which must then be given unencoded.
static READS_CONTENT: AtomicBool = AtomicBool::new(false);

/// Whether attributes are to be given to the builder rather than written directly.
#[inline]
pub fn reads_content() -> bool {
    READS_CONTENT.load(Ordering::Relaxed)
}

/// Takes note of what an engine's sampler looks at.
pub fn take_note(sampler: &HeadSampler) {
    if sampler.reads_content() {
        READS_CONTENT.store(true, Ordering::Relaxed);
    }
}

/// Whether the engine asks a sampler of the OpenTelemetry API, which is asked for every span.
#[inline]
pub fn asks_otel(engine: &polyspan::Engine) -> bool {
    matches!(engine.sampler(), HeadSampler::Custom(custom) if custom.asks_every_span())
}

/// Gives a builder the attributes of a mapping.
pub fn with_attributes<'a>(
    mut builder: SpanBuilder<'a>,
    engine: Option<&polyspan::Engine>,
    attributes: Option<&Bound<'_, PyAny>>,
    refused: &mut u32,
) -> SpanBuilder<'a> {
    let mut pairs = Vec::new();
    if let Some(attributes) = attributes {
        *refused += convert::pairs_within(attributes, &|| convert::bounds_of(engine), &mut |key, value| {
            pairs.push((key.to_owned(), value.into_owned()));
        });
    }
    for (key, value) in pairs {
        builder = builder.attribute(key, value);
    }
    builder
}

/// Whether the option `sampler` holds a function or an OpenTelemetry sampler, and no description.
pub fn is_object(given: &Bound<'_, PyAny>) -> bool {
    given.is_callable() || given.hasattr(intern!(given.py(), "should_sample")).unwrap_or(false)
}

/// A function that is asked for roots, or an OpenTelemetry sampler, which is asked for every span.
pub fn read(given: &Bound<'_, PyAny>) -> PyResult<HeadSampler> {
    let py = given.py();
    if given.hasattr(intern!(py, "should_sample"))? {
        return Ok(HeadSampler::Custom(CustomSampler::for_every_span(Arc::new(OtelSampler(
            given.clone().unbind(),
        )))));
    }
    Ok(HeadSampler::Custom(CustomSampler::for_roots(Arc::new(Callback(given.clone().unbind())))))
}

fn keeping(input: &SamplingInput<'_>, decision: Decision) -> SamplingResult {
    SamplingResult::new(decision, input.parent.map_or(TraceState::EMPTY, |parent| parent.state.clone()))
}

/// A failing sampler samples; the engine counts it and says so once.
fn failed(py: Python<'_>, input: &SamplingInput<'_>, error: &PyErr) -> SamplingResult {
    hold(py, error);
    invalid::leave(&format!(
        "the sampler raised {}: {}",
        convert::class_name(&error.get_type(py)),
        error.value(py)
    ));
    SamplingResult { callback_failed: true, ..keeping(input, Decision::RecordAndSample) }
}

/// A function that decides about roots.
struct Callback(Py<PyAny>);

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

impl Sampler for Callback {
    fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        Python::attach(|py| match exit::in_python(|| self.ask(py, input)) {
            Some(Ok(decision)) => keeping(input, decision),
            Some(Err(error)) => failed(py, input, &error),
            None => keeping(input, Decision::Drop),
        })
    }

    fn description(&self) -> String {
        "Callback".to_owned()
    }
}

impl Callback {
    fn ask(&self, py: Python<'_>, input: &SamplingInput<'_>) -> PyResult<Decision> {
        let about = about(py, input)?;
        about.set_item(intern!(py, "trace_id"), input.trace_id.to_hex())?;
        let answer = self.0.bind(py).call1((about,))?;
        if let Ok(text) = answer.cast::<PyString>() {
            return match text.to_str()? {
                "drop" => Ok(Decision::Drop),
                "record" => Ok(Decision::RecordOnly),
                "sample" => Ok(Decision::RecordAndSample),
                other => Err(pyo3::exceptions::PyValueError::new_err(format!(
                    "{other:?} is none of drop, record and sample"
                ))),
            };
        }
        Ok(if answer.is_truthy()? { Decision::RecordAndSample } else { Decision::Drop })
    }
}

/// What samplers and selectors are told of a span that is about to start.
fn about<'py>(py: Python<'py>, input: &SamplingInput<'_>) -> PyResult<Bound<'py, PyDict>> {
    let about = PyDict::new(py);
    about.set_item(intern!(py, "name"), input.name)?;
    about.set_item(intern!(py, "type"), input.span_type.as_str())?;
    about.set_item(intern!(py, "kind"), input.kind.as_str())?;
    about.set_item(intern!(py, "attributes"), dict_of(py, input.attributes)?)?;
    about.set_item(intern!(py, "metadata"), dict_of(py, input.metadata)?)?;
    let request = input.request_context.map(|request| to_python(py, request)).transpose()?;
    about.set_item(intern!(py, "request_context"), request)?;
    let parent = input.parent.filter(|parent| parent.is_valid()).cloned().map(PySpanContext);
    about.set_item(intern!(py, "parent"), parent)?;
    Ok(about)
}

fn dict_of<'py>(py: Python<'py>, pairs: &[(Cow<'_, str>, Value<'_>)]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in pairs {
        dict.set_item(key.as_ref(), to_python(py, value)?)?;
    }
    Ok(dict)
}

/// A function that names the engine of a root span, made one that the registry can ask.
pub fn selector(function: Py<PyAny>) -> Selector {
    READS_CONTENT.store(true, Ordering::Relaxed);
    Arc::new(move |root: &SamplingInput<'_>| {
        Python::attach(|py| {
            let name = exit::in_python(|| {
                function.bind(py).call1((about(py, root)?,))?.extract::<Option<String>>()
            })?;
            name.unwrap_or_else(|error| {
                hold(py, &error);
                let class = convert::class_name(&error.get_type(py));
                invalid::leave(&format!("the engine selector raised {class}: {}", error.value(py)));
                None
            })
        })
    })
}

/// A sampler of the OpenTelemetry API, asked for every span.
struct OtelSampler(Py<PyAny>);

impl fmt::Debug for OtelSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtelSampler")
    }
}

impl Sampler for OtelSampler {
    fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        Python::attach(|py| match exit::in_python(|| self.ask(py, input)) {
            Some(answer) => answer.unwrap_or_else(|error| failed(py, input, &error)),
            None => keeping(input, Decision::Drop),
        })
    }

    fn description(&self) -> String {
        Python::attach(|py| {
            let text = self.0.bind(py).call_method0(intern!(py, "get_description"));
            text.map_or_else(|_| "OtelSampler".to_owned(), |text| convert::text(&text).into_owned())
        })
    }
}

impl OtelSampler {
    fn ask(&self, py: Python<'_>, input: &SamplingInput<'_>) -> PyResult<SamplingResult> {
        let none = || py.None().into_bound(py);
        let trace_id = u128::from_be_bytes(input.trace_id.to_bytes());
        let (context, kind, attributes, links) = otel::with_start(|given| match given {
            // The very objects that the tracer was given.
            Some(given) => {
                let own = |object: &Option<Py<PyAny>>| {
                    object.as_ref().map_or_else(none, |object| object.bind(py).clone())
                };
                Ok::<_, PyErr>((
                    own(&given.context),
                    own(&given.kind),
                    own(&given.attributes),
                    own(&given.links),
                ))
            }
            // A span of our own API.
            None => {
                let kind = otel::api(py).map_or_else(none, |api| otel::kind_object(py, api, input.kind));
                Ok((
                    parent_context(py, input.parent)?,
                    kind,
                    dict_of(py, input.attributes)?.into_any(),
                    none(),
                ))
            }
        })?;
        let answer = self.0.bind(py).call_method1(
            intern!(py, "should_sample"),
            (context, trace_id, input.name, kind, attributes, links),
        )?;
        let decision =
            match answer.getattr(intern!(py, "decision"))?.getattr(intern!(py, "value"))?.extract()? {
                0 => Decision::Drop,
                1 => Decision::RecordOnly,
                _ => Decision::RecordAndSample,
            };
        let state = otel::read_trace_state(&answer.getattr(intern!(py, "trace_state"))?)?;
        let mut attributes: Vec<(Cow<'static, str>, OwnedValue)> = Vec::new();
        if decision != Decision::Drop {
            let given = answer.getattr(intern!(py, "attributes"))?;
            convert::pairs_within(&given, &|| convert::bounds_of(None), &mut |key, value| {
                attributes.push((Cow::Owned(key.to_owned()), value.into_owned()));
            });
        }
        Ok(SamplingResult { attributes, ..SamplingResult::new(decision, state) })
    }
}

/// An OpenTelemetry context that names the parent; an empty one for a root.
fn parent_context<'py>(py: Python<'py>, parent: Option<&SpanContext>) -> PyResult<Bound<'py, PyAny>> {
    let face = parent
        .map(|parent| crate::span::Span::remote(py, parent.clone()))
        .transpose()?
        .map(crate::face::Face::Own);
    otel::context_of(py, None, face)
}
