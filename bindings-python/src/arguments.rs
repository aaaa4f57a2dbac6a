//! The arguments of the functions that are called for every span, read from the interpreter's own array.
//!
//! `entry.rs` hands them on as they come: no dictionary of keywords is made, and a keyword is known by its identity,
//! since the names in a program's code and these are one object each.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use pyo3::{Borrowed, ffi};

use crate::convert;
use crate::guarded::Guarded;

/// Declares the keywords with their names, the likelier ones first.
macro_rules! keywords {
    ($($keyword:ident $name:literal,)*) => {
        /// What may be given by keyword.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum Keyword { $($keyword,)* }

        impl Keyword {
            const ALL: [Self; COUNT] = [$(Self::$keyword,)*];
            const NAMES: [&'static str; COUNT] = [$($name,)*];
        }

        const COUNT: usize = [$($name,)*].len();
    };
}

keywords! {
    Type "type",
    Attributes "attributes",
    Input "input",
    Output "output",
    Kind "kind",
    Metadata "metadata",
    Name "name",
    Tags "tags",
    Parent "parent",
    Links "links",
    StartTime "start_time",
    Time "time",
    Root "root",
    TraceId "trace_id",
    SessionId "session_id",
    UserId "user_id",
    OrganizationId "organization_id",
    ThreadId "thread_id",
    RunId "run_id",
    RequestId "request_id",
    ResourceId "resource_id",
    Environment "environment",
    EntityType "entity_type",
    EntityId "entity_id",
    EntityName "entity_name",
    HideInput "hide_input",
    HideOutput "hide_output",
    InternalSpans "internal_spans",
    RequestContext "request_context",
    RequestContextKeys "request_context_keys",
    Internal "internal",
}

impl Keyword {
    /// The first of those that everything inside a span inherits, besides metadata; the rest follow it.
    const FIRST_FURTHER: Self = Self::SessionId;

    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The keyword that a name stands for.
    #[inline]
    pub fn of(name: &Bound<'_, PyAny>) -> Option<Self> {
        for (known, keyword) in interned(name.py()).iter().zip(Self::ALL) {
            if known.as_ptr() == name.as_ptr() {
                return Some(keyword);
            }
        }
        Self::by_text(name)
    }

    /// The same for a name that was put together while the program ran.
    #[cold]
    fn by_text(name: &Bound<'_, PyAny>) -> Option<Self> {
        let name = name.cast::<PyString>().ok()?.to_str().ok()?;
        Self::NAMES.iter().zip(Self::ALL).find(|(known, _)| **known == name).map(|(_, keyword)| keyword)
    }
}

fn interned(py: Python<'_>) -> &[Py<PyString>; COUNT] {
    static INTERNED: PyOnceLock<[Py<PyString>; COUNT]> = PyOnceLock::new();
    INTERNED.get_or_init(py, || Keyword::NAMES.map(|name| PyString::intern(py, name).unbind()))
}

/// What a call gave, as the interpreter hands it over: values, the last of them by keyword.
#[derive(Clone, Copy)]
pub struct Call<'a, 'py> {
    py: Python<'py>,
    values: &'a [*mut ffi::PyObject],
    /// How many are given by position.
    positional: usize,
    /// A tuple of the names of the others, or null.
    names: *mut ffi::PyObject,
}

#[allow(unsafe_code)]
impl<'a, 'py> Call<'a, 'py> {
    /// # Safety
    ///
    /// The arguments are those of a function called with `METH_FASTCALL | METH_KEYWORDS`, and live as long as `'a`.
    #[inline]
    pub unsafe fn new(
        py: Python<'py>,
        values: *const *mut ffi::PyObject,
        positional: ffi::Py_ssize_t,
        names: *mut ffi::PyObject,
    ) -> Self {
        let positional = positional.unsigned_abs();
        // SAFETY: `names` is null or a tuple, and there is a value for each of its names behind the positional ones.
        let values = unsafe {
            let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names).unsigned_abs() };
            match positional + named {
                0 => &[],
                count => std::slice::from_raw_parts(values, count),
            }
        };
        Self { py, values, positional, names }
    }

    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// The value at that place of the call.
    #[inline]
    fn value(&self, at: u8) -> Option<Borrowed<'a, 'py, PyAny>> {
        // SAFETY: the values are live objects for as long as the call is.
        self.values.get(usize::from(at)).map(|value| unsafe { Borrowed::from_ptr(self.py, *value) })
    }

    /// What is given by position.
    #[inline]
    pub fn positional(&self) -> impl ExactSizeIterator<Item = Borrowed<'a, 'py, PyAny>> + use<'a, 'py> {
        let py = self.py;
        // SAFETY: the values are live objects for as long as the call is.
        self.values.iter().take(self.positional).map(move |value| unsafe { Borrowed::from_ptr(py, *value) })
    }

    /// What is given by keyword: name and value.
    #[inline]
    pub fn named(
        &self,
    ) -> impl Iterator<Item = (Borrowed<'a, 'py, PyAny>, Borrowed<'a, 'py, PyAny>)> + use<'a, 'py> {
        let Self { py, names, .. } = *self;
        self.values.iter().skip(self.positional).enumerate().map(move |(at, value)| {
            // SAFETY: the tuple has a name for each of these values; all of them are live objects for as long as
            // the call is.
            unsafe {
                let name = ffi::PyTuple_GetItem(names, at as ffi::Py_ssize_t);
                (Borrowed::from_ptr(py, name), Borrowed::from_ptr(py, *value))
            }
        })
    }
}

/// Tuples of names that were found to be plain, held so that they are known by identity: each place of a program
/// that calls with keywords has one for good.
static PLAIN: Guarded<[Option<Py<PyAny>>; KEPT]> = Guarded::new([const { None }; KEPT]);
const KEPT: usize = 64;

impl Call<'_, '_> {
    /// Whether it calls `span` with a name by position and keywords that give the span no place of its own in a
    /// trace, and nothing for what is inside to inherit.
    #[inline]
    pub fn is_plain(&self) -> bool {
        if self.positional != 1 || self.names.is_null() {
            return self.positional == 1;
        }
        let place = (self.names.addr() >> 4) % KEPT;
        let known = PLAIN
            .lock()
            .get(place)
            .is_some_and(|known| known.as_ref().is_some_and(|known| known.as_ptr() == self.names));
        known || self.is_found_plain(place)
    }

    #[cold]
    fn is_found_plain(&self, place: usize) -> bool {
        let not = Keyword::Name.bit() | Keyword::Parent.bit() | Keyword::Metadata.bit() | Keyword::Root.bit();
        let plain = (Keyword::FIRST_FURTHER.bit() - 1) & !not & !SPAN.without;
        let is_plain = self
            .named()
            .all(|(name, _)| Keyword::of(&name).is_some_and(|keyword| keyword.bit() & plain != 0));
        if is_plain {
            // SAFETY: it is a tuple, which lives as long as the call.
            #[allow(unsafe_code)]
            let names = unsafe { Borrowed::from_ptr(self.py, self.names) }.to_owned().unbind();
            let before = PLAIN.lock().get_mut(place).and_then(|kept| kept.replace(names));
            drop(before.map(|before| before.into_bound(self.py)));
        }
        is_plain
    }
}

/// A function that takes a name and keywords.
pub struct Function {
    name: &'static str,
    /// The keywords that it has not.
    without: u32,
}

pub const SPAN: Function = Function { name: "span", without: Keyword::Output.bit() | Keyword::Time.bit() };
pub const EVENT: Function = Function {
    name: "event",
    without: Keyword::Tags.bit()
        | Keyword::Links.bit()
        | Keyword::StartTime.bit()
        | Keyword::Root.bit()
        | Keyword::TraceId.bit(),
};

/// The arguments of `span` or `event`.
pub struct Arguments<'a, 'py> {
    call: Call<'a, 'py>,
    pub root: bool,
    given: u32,
    /// Where in the call the name is, and what was given by each keyword.
    name: u8,
    places: [u8; COUNT],
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// Reads a call; one that does not fit the function raises, as for any function.
    #[inline]
    pub fn read(function: &Function, call: Call<'a, 'py>) -> PyResult<Self> {
        if call.positional > 1 {
            let count = call.positional;
            return Err(function.fails(&format!("takes 1 positional argument but {count} were given")));
        }
        let mut read = Self { call, root: false, given: 0, name: 0, places: [0; COUNT] };
        let mut named = call.positional == 1;
        for (at, (keyword, value)) in (call.positional as u8..).zip(call.named()) {
            let known = Keyword::of(&keyword).filter(|known| known.bit() & function.without == 0);
            let Some(known) = known else {
                return Err(function.fails(&format!("got an unexpected keyword argument '{}'", *keyword)));
            };
            match known {
                Keyword::Name if named => {
                    return Err(function.fails("got multiple values for argument 'name'"));
                }
                Keyword::Name => (read.name, named) = (at, true),
                Keyword::Root => read.root = convert::truth(&value),
                // As if it were not given.
                _ if value.is_none() => {}
                _ => {
                    read.given |= known.bit();
                    if let Some(place) = read.places.get_mut(known as usize) {
                        *place = at;
                    }
                }
            }
        }
        match named {
            true => Ok(read),
            false => Err(function.fails("missing 1 required positional argument: 'name'")),
        }
    }

    /// What it is called.
    #[inline]
    pub fn name(&self) -> Option<Borrowed<'a, 'py, PyAny>> {
        self.call.value(self.name)
    }

    /// What was given by that keyword; nothing where it was `None`.
    #[inline]
    pub fn get(&self, keyword: Keyword) -> Option<Borrowed<'a, 'py, PyAny>> {
        match self.given & keyword.bit() {
            0 => None,
            _ => self.call.value(*self.places.get(keyword as usize)?),
        }
    }

    /// Whether anything was given that makes a span more than a child like any other: a place of its own in the
    /// trace, or something that what is inside inherits.
    #[inline]
    pub fn stands_out(&self) -> bool {
        let plain = Keyword::FIRST_FURTHER.bit() - 1 - Keyword::Parent.bit() - Keyword::Metadata.bit();
        self.root || self.given & !plain != 0
    }

    /// Whether there is anything that everything inside inherits, metadata aside.
    #[inline]
    pub fn has_further(&self) -> bool {
        self.given >> Keyword::FIRST_FURTHER as usize != 0
    }

    /// What everything inside inherits, metadata aside: name and value.
    pub fn further(&self) -> impl Iterator<Item = (&'static str, Borrowed<'a, 'py, PyAny>)> {
        let all = Keyword::NAMES.into_iter().zip(Keyword::ALL).skip(Keyword::FIRST_FURTHER as usize);
        all.filter_map(|(name, keyword)| Some((name, self.get(keyword)?)))
    }
}

impl Function {
    #[cold]
    fn fails(&self, how: &str) -> PyErr {
        PyTypeError::new_err(format!("{}() {how}", self.name))
    }
}
