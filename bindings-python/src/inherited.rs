//! What a span or context is given that everything inside inherits: ids, what is hidden, the request context.
//!
//! The arguments are many and nearly always absent. Most functions take them as their further keywords; the one
//! that starts most spans names each, because a call with further keywords has a dictionary made for them.

use polyspan::value::OwnedValue;
use polyspan::{CarriedId, Surroundings, TypeSet};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert;

/// The names of the arguments, but for those of the ids.
pub const NAMES: [&str; 6] =
    ["hide_input", "hide_output", "internal_spans", "request_context", "request_context_keys", "internal"];

/// The arguments as they were given.
#[derive(Clone, Copy)]
pub enum Further<'a, 'py> {
    /// The further keywords of a call.
    Keywords(Option<&'a Bound<'py, PyDict>>),
    /// One for each id in the order of [`CarriedId::all`], and one for each of [`NAMES`].
    Named([Option<&'a Bound<'py, PyAny>>; 11], [Option<&'a Bound<'py, PyAny>>; 6]),
}

impl Further<'_, '_> {
    /// Whether none was given.
    #[inline]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Keywords(more) => more.is_none(),
            Self::Named(ids, others) => ids.iter().chain(others).all(Option::is_none),
        }
    }
}

/// The arguments, read.
#[derive(Default)]
pub struct Inherited {
    ids: Vec<(CarriedId, String)>,
    hide_input: bool,
    hide_output: bool,
    internal_spans: TypeSet,
    request_keys: Vec<String>,
    /// What the application knows about the request.
    pub request: Option<OwnedValue>,
    /// The span itself is internal to a framework.
    pub internal: bool,
}

impl Inherited {
    /// Reads what `function` was given; a keyword that it does not have raises, as for any function.
    pub fn read(function: &str, given: Further<'_, '_>, refused: &mut u32) -> PyResult<Self> {
        let mut inherited = Self::default();
        match given {
            Further::Keywords(more) => {
                for (name, value) in more.into_iter().flatten() {
                    let name = name.extract::<String>()?;
                    if !inherited.take(&name, &value, refused) {
                        let message = format!("{function}() got an unexpected keyword argument '{name}'");
                        return Err(PyTypeError::new_err(message));
                    }
                }
            }
            Further::Named(ids, others) => {
                let names = CarriedId::all().map(CarriedId::name).chain(NAMES);
                for (name, value) in names.zip(ids.into_iter().chain(others)) {
                    if let Some(value) = value {
                        inherited.take(name, value, refused);
                    }
                }
            }
        }
        Ok(inherited)
    }

    /// Takes one argument; false if there is none of that name.
    fn take(&mut self, name: &str, value: &Bound<'_, PyAny>, refused: &mut u32) -> bool {
        let is_true = || value.is_truthy().unwrap_or(false);
        if let Some(id) = CarriedId::from_name(name) {
            if !value.is_none() {
                self.ids.push((id, convert::text(value).into_owned()));
            }
            return true;
        }
        match name {
            "hide_input" => self.hide_input = is_true(),
            "hide_output" => self.hide_output = is_true(),
            "internal" => self.internal = is_true(),
            "internal_spans" if !value.is_none() => {
                let mut unknown = 0;
                let types = &mut self.internal_spans;
                *refused += convert::texts(value, &mut |family| match TypeSet::of_family(
                    &family.to_ascii_lowercase(),
                ) {
                    Some(family) => *types = types.union(family),
                    None => unknown += 1,
                });
                *refused += unknown;
            }
            "request_context" if !value.is_none() => {
                self.request = Some(convert::bounded(value, &|| convert::bounds_of(None)).into_owned());
            }
            "request_context_keys" if !value.is_none() => {
                *refused += convert::texts(value, &mut |key| self.request_keys.push(key.to_owned()));
            }
            "internal_spans" | "request_context" | "request_context_keys" => {}
            _ => return false,
        }
        true
    }

    /// Whether anything is changed by it, the request context aside.
    pub fn changes(&self) -> bool {
        !self.ids.is_empty()
            || self.hide_input
            || self.hide_output
            || !self.internal_spans.is_empty()
            || !self.request_keys.is_empty()
    }

    /// What is inherited inside, the request context aside.
    pub fn apply(&self, mut around: Surroundings) -> Surroundings {
        for (id, value) in &self.ids {
            around = around.id(*id, value);
        }
        if self.hide_input {
            around = around.hide_input();
        }
        if self.hide_output {
            around = around.hide_output();
        }
        around
            .internal(self.internal_spans)
            .request_context_keys(self.request_keys.iter().map(String::as_str))
    }
}
