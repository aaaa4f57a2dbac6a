//! An open span as both APIs share it: the core's span behind a lock, and what may be read without one.
//!
//! What is set goes from the Python object straight into the core span's buffer. The lock is held for a copy of
//! bytes and never while Python code may run; nothing here raises.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use polyspan::value::{OwnedValue, Value};
use polyspan::{CaptureBounds, Home, SpanContext, SpanKind, StatusCode};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::current::free_chain;
use crate::face::Face;
use crate::guarded::Guarded;
use crate::keys::Keys;
use crate::{capture, convert, exception, invalid, tree};

/// An open span, or one of another process that only stands for its context.
pub struct Open {
    context: SpanContext,
    parent: Option<SpanContext>,
    kind: SpanKind,
    /// The engine that it belongs to.
    home: Option<Home>,
    recording: AtomicBool,
    /// `None` for a span of another process.
    core: Guarded<Option<polyspan::Span>>,
    /// The span above it that was open when last looked at.
    above: Guarded<Option<Py<PyAny>>>,
}

/// Lets go of what is above one by one: a long chain of open spans must not be freed by recursion.
impl Drop for Open {
    fn drop(&mut self) {
        let above = self.above.get_mut().take();
        if let Some(above) = above {
            Python::attach(|py| {
                free_chain(above.into_bound(py), |value| {
                    let above = Face::of(value)?.open().above.lock().take();
                    above.map(|above| above.into_bound(value.py()))
                });
            });
        }
    }
}

impl Open {
    pub fn new(core: polyspan::Span, parent: Option<Face<'_>>, kind: SpanKind) -> Self {
        let recording = core.is_recording();
        let context = parent.as_ref().map(|parent| parent.context().clone());
        let above = parent.filter(|_| recording).and_then(tree::nearest_open);
        Self {
            context: core.context().clone(),
            parent: context,
            kind,
            home: core.home(),
            recording: AtomicBool::new(recording),
            core: Guarded::new(Some(core)),
            above: Guarded::new(above.map(|above| above.into_any().unbind())),
        }
    }

    /// A span that only stands for its context.
    pub fn remote(context: SpanContext) -> Self {
        Self {
            context,
            parent: None,
            kind: SpanKind::Internal,
            home: None,
            recording: AtomicBool::new(false),
            core: Guarded::new(None),
            above: Guarded::new(None),
        }
    }

    /// The span above it that was open when last looked at.
    pub fn above<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.above.lock().as_ref().map(|above| above.bind(py).clone())
    }

    /// Looks again which span above it is open, if the one it knows has ended.
    #[inline]
    pub fn settle<'py>(
        &self,
        nearest: impl FnOnce(&Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>>,
        py: Python<'py>,
    ) {
        let Some(known) = self.above(py) else { return };
        if Face::of(&known).is_some_and(|known| known.open().is_recording()) {
            return;
        }
        let nearest = nearest(&known).map(Bound::unbind);
        let ended = std::mem::replace(&mut *self.above.lock(), nearest);
        drop(ended.map(|ended| ended.into_bound(py)));
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock keeps what is inside alive.
        self.above.try_lock().map_or(Ok(()), |above| visit.call(&*above))
    }

    #[inline]
    pub fn context(&self) -> &SpanContext {
        &self.context
    }

    /// What it is a child of.
    pub fn parent(&self) -> Option<&SpanContext> {
        self.parent.as_ref()
    }

    /// The engine that it belongs to; none for a span of another process.
    #[inline]
    pub fn home(&self) -> Option<Home> {
        self.home
    }

    pub fn kind(&self) -> SpanKind {
        self.kind
    }

    /// Whether what is set is kept.
    #[inline]
    pub fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Relaxed)
    }

    /// Runs `change` on the core's span if it records. No Python code may run in there.
    #[inline]
    pub fn change(&self, change: impl FnOnce(&mut polyspan::Span)) {
        if self.is_recording()
            && let Some(core) = self.core.lock().as_mut()
        {
            change(core);
        }
    }

    /// Runs `change` on a span that does not record but is counted by metrics.
    #[cold]
    fn change_counted(&self, change: impl FnOnce(&mut polyspan::Span)) {
        if let Some(core) = self.core.lock().as_mut().filter(|core| core.is_counted()) {
            change(core);
        }
    }

    /// The body of the record so far; `None` when it does not record.
    pub fn record(&self) -> Option<Vec<u8>> {
        self.core.lock().as_mut()?.record_so_far().map(<[u8]>::to_vec)
    }

    /// Tells exporters that follow open spans that it has started with all that was given.
    #[inline]
    pub fn announce(&self) {
        self.change(polyspan::Span::announce);
    }

    /// Shows them what it is by now.
    #[inline]
    pub fn show(&self) {
        self.change(|span| {
            span.show();
        });
    }

    /// Ends it now or at a time in nanoseconds since the Unix epoch. The first end counts.
    #[inline]
    pub fn end(&self, time: Option<u64>) {
        self.recording.store(false, Ordering::Relaxed);
        if let Some(core) = self.core.lock().as_mut() {
            core.end_at(time);
        }
    }

    /// When it started, in nanoseconds since the Unix epoch; `None` when it does not record.
    pub fn started(&self) -> Option<u64> {
        self.core.lock().as_ref().map(polyspan::Span::start_unix_nanos).filter(|nanos| *nanos > 0)
    }

    /// Counts what could not be recorded as it was given, and says so once per place.
    pub fn refuse(&self, py: Python<'_>, place: &'static str, count: u32) {
        if count > 0 {
            self.change(|span| span.count_altered(u64::from(count)));
            invalid::say(py, place);
        }
    }

    /// How much of a value is captured.
    fn bounds(&self) -> CaptureBounds {
        self.core.lock().as_ref().and_then(polyspan::Span::capture_bounds).unwrap_or_default()
    }

    /// Sets one attribute.
    #[inline]
    pub fn set(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) {
        if !self.is_recording() {
            return;
        }
        let name = convert::text(key);
        if name.is_empty() {
            return self.refuse(key.py(), "attribute key", 1);
        }
        let value = convert::bounded(value, &|| self.bounds());
        self.change(|span| {
            span.set(&name, value);
        });
    }

    /// Sets the attributes of a mapping or list of pairs.
    #[inline]
    pub fn set_all(&self, attributes: &Bound<'_, PyAny>) {
        if !self.is_recording() {
            return;
        }
        let mut done = 0;
        if let Ok(dict) = attributes.cast_exact::<PyDict>() {
            let mut keys = Keys::here();
            let simple = convert::scalars_by_key(dict, |key, value| {
                if let Some(known) = keys.get(key) {
                    self.change(|span| span.set_known(known, value));
                } else {
                    let Some(key) = convert::exact_text(key).filter(|key| !key.is_empty()) else {
                        return false;
                    };
                    self.change(|span| {
                        span.set(key, value);
                    });
                }
                done += 1;
                true
            });
            if simple {
                return;
            }
        }
        let refused = convert::pairs_after(done, attributes, &|| self.bounds(), &mut |key, value| {
            self.change(|span| {
                span.set(key, value);
            });
        });
        self.refuse(attributes.py(), "attributes", refused);
    }

    pub fn set_metadata(&self, metadata: &Bound<'_, PyAny>) {
        if !self.is_recording() {
            return;
        }
        let refused = convert::pairs_within(metadata, &|| self.bounds(), &mut |key, value| {
            self.change(|span| {
                span.metadata(key, value);
            });
        });
        self.refuse(metadata.py(), "metadata", refused);
    }

    pub fn set_tags(&self, tags: &Bound<'_, PyAny>) {
        if !self.is_recording() {
            return;
        }
        let refused = convert::texts(tags, &mut |tag| {
            self.change(|span| {
                span.tag(tag);
            });
        });
        self.refuse(tags.py(), "tags", refused);
    }

    /// The same for inputs and outputs; `None` where they are not recorded.
    fn io_bounds(&self) -> Option<CaptureBounds> {
        self.is_recording().then(|| self.bounds()).filter(|bounds| bounds.io)
    }

    pub fn set_input(&self, input: &Bound<'_, PyAny>) {
        if let Some(text) = plain_text(input) {
            self.change(|span| {
                span.input(text);
            });
        } else if let Some(bounds) = self.io_bounds() {
            capture::with(input, bounds, |bytes, cuts| {
                self.change(|span| {
                    span.input_with(|buf| buf.extend_from_slice(bytes));
                    span.count_cuts(cuts);
                });
            });
        }
    }

    pub fn set_output(&self, output: &Bound<'_, PyAny>) {
        if let Some(text) = plain_text(output) {
            self.change(|span| {
                span.output(text);
            });
        } else if let Some(bounds) = self.io_bounds() {
            capture::with(output, bounds, |bytes, cuts| {
                self.change(|span| {
                    span.output_with(|buf| buf.extend_from_slice(bytes));
                    span.count_cuts(cuts);
                });
            });
        }
    }

    pub fn rename(&self, name: &Bound<'_, PyAny>) {
        let name = convert::text(name);
        if self.is_recording() {
            self.change(|span| {
                span.rename(&name);
            });
        } else {
            self.change_counted(|span| {
                span.rename(&name);
            });
        }
    }

    pub fn status(&self, code: StatusCode, message: &str) {
        if self.is_recording() {
            self.change(|span| {
                span.status(code, message);
            });
        } else {
            self.change_counted(|span| {
                span.status(code, "");
            });
        }
    }

    pub fn add_event(
        &self,
        name: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        time: Option<u64>,
    ) {
        if !self.is_recording() {
            return;
        }
        let text = convert::text(name);
        let refused = self.with_list(attributes, |attributes| {
            self.change(|span| {
                span.event_with(&text, time, attributes);
            });
        });
        self.refuse(name.py(), "event attributes", refused);
    }

    pub fn add_link(&self, py: Python<'_>, to: &SpanContext, attributes: Option<&Bound<'_, PyAny>>) {
        if !self.is_recording() {
            return;
        }
        let refused = self.with_list(attributes, |attributes| {
            self.change(|span| {
                span.link(to, attributes);
            });
        });
        self.refuse(py, "link attributes", refused);
    }

    /// Records an exception as an event with its type, message and stack.
    pub fn add_exception(
        &self,
        error: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        time: Option<u64>,
        escaped: Option<&str>,
    ) {
        if !self.is_recording() {
            return;
        }
        let (own, refused) = self.collected(attributes);
        let parts = exception::parts(error);
        let mut fields: Vec<(Cow<'_, str>, Value<'_>)> = vec![
            ("exception.type".into(), parts.class.as_str().into()),
            ("exception.message".into(), parts.message.as_str().into()),
            ("exception.stacktrace".into(), parts.stack.as_str().into()),
        ];
        if let Some(escaped) = escaped {
            fields.push(("exception.escaped".into(), escaped.into()));
        }
        // What the caller gives replaces what was found.
        fields.retain(|(key, _)| !own.iter().any(|(given, _)| given == key));
        fields.extend(own);
        self.change(|span| {
            span.event_with("exception", time, &fields);
        });
        self.refuse(error.py(), "exception attributes", refused);
    }

    /// Records an exception that ended the operation: the event, `error.type` and the status.
    pub fn fail(&self, error: &Bound<'_, PyAny>) {
        if !self.is_recording() {
            return self.status(StatusCode::Error, "");
        }
        self.add_exception(error, None, None, None);
        let (class, message) = exception::named(error);
        self.change(|span| {
            span.set("error.type", class.as_str());
            span.status(StatusCode::Error, &message);
        });
    }

    /// Hands on the attributes of an event or link, and says how many were refused. `then` runs no Python code:
    /// what it is given is borrowed where that can be.
    #[inline]
    fn with_list(
        &self,
        attributes: Option<&Bound<'_, PyAny>>,
        then: impl FnOnce(&[(Cow<'_, str>, Value<'_>)]),
    ) -> u32 {
        match convert::with_scalars(attributes, then) {
            Ok(()) => 0,
            Err(then) => {
                let (attributes, refused) = self.collected(attributes);
                then(&attributes);
                refused
            }
        }
    }

    /// Attributes as owned pairs, and how many were refused.
    fn collected(
        &self,
        attributes: Option<&Bound<'_, PyAny>>,
    ) -> (Vec<(Cow<'static, str>, OwnedValue)>, u32) {
        let mut list = Vec::new();
        let refused = attributes.map_or(0, |attributes| {
            convert::pairs_within(attributes, &|| self.bounds(), &mut |key, value| {
                list.push((Cow::Owned(key.to_owned()), value.into_owned()));
            })
        });
        (list, refused)
    }
}

/// Text that is taken as it is.
#[inline]
fn plain_text<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    convert::short_text(object.cast_exact::<PyString>().ok()?)
}
