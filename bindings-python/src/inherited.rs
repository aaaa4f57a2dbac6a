//! What a span or context is given that everything inside inherits: ids, what is hidden, the request context.

use polyspan::value::OwnedValue;
use polyspan::{CarriedId, Surroundings, TypeSet};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::Arguments;
use crate::convert;

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
    /// What a span was given.
    pub fn of(given: &Arguments<'_, '_>, refused: &mut u32) -> Self {
        let mut inherited = Self::default();
        for (name, value) in given.further() {
            inherited.take(name, &value, refused);
        }
        inherited
    }

    /// What `function` was given as its further keywords; one that it does not have raises, as for any function.
    pub fn read(function: &str, more: Option<&Bound<'_, PyDict>>, refused: &mut u32) -> PyResult<Self> {
        let mut inherited = Self::default();
        for (name, value) in more.into_iter().flatten() {
            let name = name.extract::<String>()?;
            if !inherited.take(&name, &value, refused) {
                let message = format!("{function}() got an unexpected keyword argument '{name}'");
                return Err(PyTypeError::new_err(message));
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
