//! Any Python object that carries context between processes, seen as the core's `Getter` and `Setter`.
//!
//! HTTP and message headers, job data, gRPC metadata, environments: mappings, multi-valued mappings, lists of
//! pairs with text or bytes, objects with methods, functions, the environment. Nothing here raises; a carrier
//! that cannot be read holds nothing, one that cannot be written stays as it is.

use std::cell::{Cell, RefCell};

use polyspan::propagation::carrier::variable_name;
use polyspan::propagation::{Getter, Setter};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::convert::{self, hold};
use crate::exit;

/// Reads a Python carrier.
pub struct PyGetter<'a, 'py> {
    pub carrier: &'a Bound<'py, PyAny>,
    /// A function of (carrier, name), or an object with such a `get`, used instead of looking for oneself.
    pub getter: Option<&'a Bound<'py, PyAny>>,
}

impl Getter for PyGetter<'_, '_> {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        let read = exit::in_python(|| match self.getter {
            Some(getter) => read_through(self.carrier, getter, key, each),
            None => read(self.carrier, key, each),
        });
        if let Some(Err(error)) = read {
            hold(self.carrier.py(), &error);
        }
    }
}

fn read_through(
    carrier: &Bound<'_, PyAny>,
    getter: &Bound<'_, PyAny>,
    key: &str,
    each: &mut dyn FnMut(&[u8]),
) -> PyResult<()> {
    let value = match getter.getattr(intern!(getter.py(), "get")) {
        Ok(get) => get.call1((carrier, key))?,
        Err(_) => getter.call1((carrier, key))?,
    };
    values(&value, each)
}

fn read(carrier: &Bound<'_, PyAny>, key: &str, each: &mut dyn FnMut(&[u8])) -> PyResult<()> {
    let py = carrier.py();
    if carrier.is_none() {
        return Ok(());
    }
    if is_environment(carrier) {
        return values(&carrier.call_method1(intern!(py, "get"), (variable_name(key),))?, each);
    }
    if let Ok(dict) = carrier.cast::<PyDict>() {
        // A WSGI environ spells header names its own way (PEP 3333).
        let cgi = format!("HTTP_{}", variable_name(key));
        let mut found: Vec<_> = pairs_of(&dict.items())
            .filter(|(name, _)| same_name(name, key) || same_name(name, &cgi))
            .map(|(name, value)| (convert::text(&name).into_owned(), value))
            .collect();
        // Several spellings of one name are taken by name, as in every language.
        found.sort_by(|(left, _), (right, _)| left.cmp(right));
        return found.iter().try_for_each(|(_, value)| values(value, each));
    }
    // Multi-valued mappings, each library with a name of its own for "all values": multidict, werkzeug and
    // Django, http.client and grpc.aio, httpx and tornado.
    for method in ["getall", "getlist", "get_all", "get_list"] {
        let Ok(all) = carrier.getattr(method) else { continue };
        let mut found = false;
        match all.call1((key,)) {
            Ok(all) => values(&all, &mut |value| {
                found = true;
                each(value);
            })?,
            // Some raise KeyError where there is nothing.
            Err(error) => hold(py, &error),
        }
        if found {
            return Ok(());
        }
        // Some compare names with case; then the pairs below show it.
        break;
    }
    if let Ok(items) = carrier.getattr(intern!(py, "items"))
        && items.is_callable()
    {
        return each_pair(&items.call0()?, key, each);
    }
    if let Ok(get) = carrier.getattr(intern!(py, "get")) {
        return values(&get.call1((key,))?, each);
    }
    each_pair(carrier, key, each)
}

fn each_pair(pairs: &Bound<'_, PyAny>, key: &str, each: &mut dyn FnMut(&[u8])) -> PyResult<()> {
    if pairs.is_instance_of::<PyString>() || pairs.is_instance_of::<PyBytes>() {
        return Ok(());
    }
    for pair in pairs.try_iter()? {
        let Some((name, value)) = pair_of(&pair?) else { continue };
        if same_name(&name, key) {
            values(&value, each)?;
        }
    }
    Ok(())
}

/// Calls `each` with a value's bytes, or with those of every value of a list.
fn values(value: &Bound<'_, PyAny>, each: &mut dyn FnMut(&[u8])) -> PyResult<()> {
    if value.is_none() {
        return Ok(());
    }
    if let Ok(text) = value.cast::<PyString>() {
        if let Ok(text) = text.to_str() {
            each(text.as_bytes());
        }
        return Ok(());
    }
    if let Ok(bytes) = value.extract::<&[u8]>() {
        each(bytes);
        return Ok(());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        for item in value.try_iter()? {
            values(&item?, each)?;
        }
    }
    Ok(())
}

fn pair_of<'py>(pair: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    // Three-part entries carry flags behind the value (HPACK's "never indexed").
    let name = pair.get_item(0).ok()?;
    let value = pair.get_item(1).ok()?;
    Some((name, value))
}

fn pairs_of<'py>(items: &Bound<'py, PyList>) -> impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    items.iter().filter_map(|pair| pair_of(&pair))
}

fn same_name(name: &Bound<'_, PyAny>, key: &str) -> bool {
    if let Ok(text) = name.cast::<PyString>() {
        return text.to_str().is_ok_and(|text| text.eq_ignore_ascii_case(key));
    }
    name.extract::<&[u8]>().is_ok_and(|bytes| bytes.eq_ignore_ascii_case(key.as_bytes()))
}

/// Whether the carrier is the process environment, whose names are variables.
fn is_environment(carrier: &Bound<'_, PyAny>) -> bool {
    let class = carrier.get_type();
    class.name().is_ok_and(|name| name == "_Environ") && class.module().is_ok_and(|module| module == "os")
}

/// Writes a Python carrier.
pub struct PySetter<'a, 'py> {
    carrier: RefCell<Bound<'py, PyAny>>,
    /// A function of (carrier, name, value), or an object with such a `set`.
    setter: Option<&'a Bound<'py, PyAny>>,
    failed: Cell<bool>,
}

impl<'a, 'py> PySetter<'a, 'py> {
    pub fn new(carrier: Bound<'py, PyAny>, setter: Option<&'a Bound<'py, PyAny>>) -> Self {
        Self { carrier: RefCell::new(carrier), setter, failed: Cell::new(false) }
    }

    /// The carrier as it now is: itself, or its successor where it cannot change (a tuple of metadata).
    pub fn finish(self) -> (Bound<'py, PyAny>, bool) {
        (self.carrier.into_inner(), self.failed.get())
    }
}

impl Setter for PySetter<'_, '_> {
    fn set(&mut self, key: &str, value: &str) {
        let carrier = self.carrier.borrow().clone();
        match exit::in_python(|| write(&carrier, self.setter, key, value)) {
            Some(Ok(Some(successor))) => *self.carrier.borrow_mut() = successor,
            Some(Ok(None)) | None => {}
            Some(Err(error)) => {
                hold(carrier.py(), &error);
                self.failed.set(true);
            }
        }
    }
}

/// Sets one field; returns the new carrier where the old one cannot change.
fn write<'py>(
    carrier: &Bound<'py, PyAny>,
    setter: Option<&Bound<'py, PyAny>>,
    key: &str,
    value: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = carrier.py();
    if let Some(setter) = setter {
        match setter.getattr(intern!(py, "set")) {
            Ok(set) => set.call1((carrier, key, value))?,
            Err(_) => setter.call1((carrier, key, value))?,
        };
        return Ok(None);
    }
    if is_environment(carrier) {
        carrier.set_item(variable_name(key), value)?;
        return Ok(None);
    }
    if let Ok(dict) = carrier.cast::<PyDict>() {
        return write_dict(dict, key, value).map(|()| None);
    }
    if let Ok(list) = carrier.cast::<PyList>() {
        let kept = kept_pairs(list.as_any(), key)?;
        kept.append(pair_like(&kept, key, value)?)?;
        list.set_slice(0, list.len(), kept.as_any())?;
        return Ok(None);
    }
    if carrier.is_instance_of::<PyTuple>() {
        let kept = kept_pairs(carrier, key)?;
        kept.append(pair_like(&kept, key, value)?)?;
        return Ok(Some(kept.to_tuple().into_any()));
    }
    // Header objects: item assignment replaces (and compares names without case) in most; `email.message` adds,
    // so that what was there goes first.
    if carrier.hasattr(intern!(py, "replace_header"))? {
        carrier.del_item(key)?;
    }
    if carrier.hasattr(intern!(py, "__setitem__"))? {
        carrier.set_item(key, value)?;
        return Ok(None);
    }
    carrier.call_method1(intern!(py, "set"), (key, value))?;
    Ok(None)
}

fn write_dict(dict: &Bound<'_, PyDict>, key: &str, value: &str) -> PyResult<()> {
    let py = dict.py();
    let (mut bytes_names, mut bytes_values, mut lists) = (false, false, false);
    let mut stale = Vec::new();
    for (name, held) in pairs_of(&dict.items()) {
        bytes_names |= name.is_instance_of::<PyBytes>();
        bytes_values |= held.is_instance_of::<PyBytes>();
        if held.is_instance_of::<PyList>() {
            lists = true;
            bytes_values |= held.get_item(0).is_ok_and(|first| first.is_instance_of::<PyBytes>());
        }
        // Another spelling left behind would make two headers of one.
        if same_name(&name, key) {
            stale.push(name);
        }
    }
    for name in stale {
        dict.del_item(name)?;
    }
    let text = like(py, value, bytes_values);
    let text = if lists { PyList::new(py, [text])?.into_any() } else { text };
    dict.set_item(like(py, key, bytes_names), text)
}

fn kept_pairs<'py>(pairs: &Bound<'py, PyAny>, key: &str) -> PyResult<Bound<'py, PyList>> {
    let kept = PyList::empty(pairs.py());
    for pair in pairs.try_iter()? {
        let pair = pair?;
        if !pair_of(&pair).is_some_and(|(name, _)| same_name(&name, key)) {
            kept.append(pair)?;
        }
    }
    Ok(kept)
}

/// A pair with names and values of the kind that the others have: ASGI has bytes for both, Kafka for values.
fn pair_like<'py>(others: &Bound<'py, PyList>, key: &str, value: &str) -> PyResult<Bound<'py, PyTuple>> {
    let py = others.py();
    let (mut bytes_names, mut bytes_values) = (false, false);
    if let Some((name, held)) = pairs_of(others).next() {
        bytes_names = name.is_instance_of::<PyBytes>();
        bytes_values = held.is_instance_of::<PyBytes>();
    }
    PyTuple::new(py, [like(py, key, bytes_names), like(py, value, bytes_values)])
}

fn like<'py>(py: Python<'py>, text: &str, bytes: bool) -> Bound<'py, PyAny> {
    if bytes { PyBytes::new(py, text.as_bytes()).into_any() } else { PyString::new(py, text).into_any() }
}
