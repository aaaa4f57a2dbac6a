//! Python objects to values: the one place that knows how an object looks in a span.
//!
//! Scalars become borrowed values without a copy; anything else is walked once, within a budget of bytes and
//! items, so that a huge, deep, cyclic or hostile object costs what is kept of it and never raises.

use std::borrow::Cow;

use polyspan::cut::TRUNCATED;
use polyspan::value::Value;
use polyspan::{CaptureBounds, Engine, registry};
use pyo3::Borrowed;
use pyo3::exceptions::{PyBaseException, PyKeyboardInterrupt};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PySlice, PyString, PyTuple, PyType};

use crate::shape::has_own_text;
use crate::{capture, exit};

/// Bytes kept of one value at capture. It is a coarse cut: the limits of the configuration come later, after
/// redaction, and are finer.
pub const VALUE_BYTES: usize = 1 << 20;

/// Entries that are read of a mapping of attributes or a list of tags.
const VALUE_ITEMS: usize = 10_000;

/// A scalar as it stands, borrowed from the object; `None` for everything that needs more work.
#[inline]
pub fn scalar<'a>(object: &'a Bound<'_, PyAny>) -> Option<Value<'a>> {
    borrowed_scalar(object.as_borrowed())
}

#[inline]
fn borrowed_scalar<'a>(object: Borrowed<'a, '_, PyAny>) -> Option<Value<'a>> {
    if object.is_exact_instance_of::<PyString>() {
        return exact_text(object).map(|text| Value::Str(Cow::Borrowed(text)));
    }
    if let Ok(number) = object.cast_exact::<PyInt>() {
        return small_int(&number).map(Value::I64);
    }
    if let Ok(number) = object.cast_exact::<PyFloat>() {
        return Some(Value::F64(number.value()));
    }
    if let Ok(truth) = object.cast_exact::<PyBool>() {
        return Some(Value::Bool(truth.is_true()));
    }
    object.is_none().then_some(Value::Null)
}

/// The text of an object that is nothing else, if it is short enough to be taken whole.
#[allow(unsafe_code)]
#[inline]
pub fn exact_text<'a>(object: Borrowed<'a, '_, PyAny>) -> Option<&'a str> {
    if !object.is_exact_instance_of::<PyString>() {
        return None;
    }
    // SAFETY: it is a text.
    unsafe { utf8(object.as_ptr()) }
}

/// The same for who holds the object as long as the text is looked at.
///
/// # Safety
///
/// The object lives as long as `'a`.
#[allow(unsafe_code)]
#[inline]
pub unsafe fn held_text<'a>(object: Borrowed<'_, '_, PyAny>) -> Option<&'a str> {
    if !object.is_exact_instance_of::<PyString>() {
        return None;
    }
    // SAFETY: it is a text, and lives as long as the caller says.
    unsafe { utf8(object.as_ptr()) }
}

/// The UTF-8 form of a text that is short enough to be taken whole and has one.
///
/// # Safety
///
/// The thread is attached, and `text` is a text that lives as long as `'a`.
#[allow(unsafe_code)]
#[inline]
unsafe fn utf8<'a>(text: *mut ffi::PyObject) -> Option<&'a str> {
    // SAFETY: as above; the form is kept with the text, and is UTF-8.
    unsafe {
        let mut length = 0;
        // Characters first: asking a long text for its UTF-8 would make and keep a copy of it.
        if ffi::PyUnicode_GetLength(text).unsigned_abs() > VALUE_BYTES {
            return None;
        }
        let data = ffi::PyUnicode_AsUTF8AndSize(text, &raw mut length);
        if data.is_null() {
            // Text with lone surrogates has no UTF-8 form; the slow path replaces them.
            ffi::PyErr_Clear();
            return None;
        }
        let bytes = std::slice::from_raw_parts(data.cast::<u8>(), length.unsigned_abs());
        Some(std::str::from_utf8_unchecked(bytes)).filter(|text| text.len() <= VALUE_BYTES)
    }
}

/// Any object as a value.
pub fn value<'a>(object: &'a Bound<'_, PyAny>) -> Value<'a> {
    scalar(object).unwrap_or_else(|| capture::value(object, capture::WIDE))
}

/// Any object as a value of a span, which keeps to the bounds of its engine.
pub fn bounded<'a>(object: &'a Bound<'_, PyAny>, bounds: &dyn Fn() -> CaptureBounds) -> Value<'a> {
    scalar(object).unwrap_or_else(|| capture::value(object, bounds()))
}

/// The bounds of that engine, or of the default one; wide ones before there is any.
pub fn bounds_of(engine: Option<&Engine>) -> CaptureBounds {
    match engine {
        Some(engine) => engine.capture_bounds(),
        None => registry::default_engine().map_or(capture::WIDE, |engine| engine.capture_bounds()),
    }
}

/// Any object as text: itself if it is text, otherwise what `str` makes of it.
pub fn text<'a>(object: &'a Bound<'_, PyAny>) -> Cow<'a, str> {
    match object.cast::<PyString>() {
        Ok(string) => string_text(string, VALUE_BYTES),
        Err(_) => {
            let text = exit::in_python(|| rendered(object, VALUE_BYTES));
            Cow::Owned(text.unwrap_or_else(|| class_name(&object.get_type())))
        }
    }
}

/// Whether Python takes an object for true; not where it cannot say.
pub fn truth(object: &Bound<'_, PyAny>) -> bool {
    object.is_truthy().unwrap_or_else(|error| {
        hold(object.py(), &error);
        false
    })
}

/// Calls `each` with every pair of a mapping or list of pairs, and returns how many had no usable key.
///
/// A dictionary of scalars, which is nearly every one, is read in place; the first value that could run code of
/// its own makes a snapshot of the rest, because that code might change the dictionary.
pub fn pairs(object: &Bound<'_, PyAny>, each: &mut dyn FnMut(&str, Value<'_>)) -> u32 {
    pairs_within(object, &|| capture::WIDE, each)
}

/// The same for a span, whose bounds are asked for where a value is no scalar.
pub fn pairs_within(
    object: &Bound<'_, PyAny>,
    bounds: &dyn Fn() -> CaptureBounds,
    each: &mut dyn FnMut(&str, Value<'_>),
) -> u32 {
    if object.is_none() {
        return 0;
    }
    let mut done = 0;
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        let simple = scalars_of(dict, |key, item| {
            done += 1;
            each(key, item);
        });
        if simple {
            return 0;
        }
    }
    pairs_after(done, object, bounds, each)
}

/// The same without those that have been read already.
#[cold]
pub fn pairs_after(
    done: usize,
    object: &Bound<'_, PyAny>,
    bounds: &dyn Fn() -> CaptureBounds,
    each: &mut dyn FnMut(&str, Value<'_>),
) -> u32 {
    if object.is_none() {
        return 0;
    }
    let Some(items) = exit::in_python(|| snapshot(object)).flatten() else { return 1 };
    let mut refused = 0;
    for item in items.iter().skip(done) {
        match item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
            Ok((key, item)) => match key_text(&key) {
                Some(key) => each(&key, bounded(&item, bounds)),
                None => refused += 1,
            },
            Err(_) => refused += 1,
        }
    }
    refused
}

/// Calls `each`, which runs no Python code, with the entries of a dictionary as long as they are texts and scalars;
/// false where one is not.
#[inline]
pub fn scalars_of<'a>(dict: &'a Bound<'_, PyDict>, mut each: impl FnMut(&'a str, Value<'a>)) -> bool {
    scalars_by_key(dict, |key, item| {
        let Some(key) = exact_text(key).filter(|key| !key.is_empty()) else { return false };
        each(key, item);
        true
    })
}

/// The same with the objects that are the keys, as long as `each` says true.
#[allow(unsafe_code)]
#[inline]
pub fn scalars_by_key<'a, 'py>(
    dict: &'a Bound<'py, PyDict>,
    mut each: impl FnMut(Borrowed<'a, 'py, PyAny>, Value<'a>) -> bool,
) -> bool {
    let py = dict.py();
    with_critical_section(dict.as_any(), || {
        let mut place: ffi::Py_ssize_t = 0;
        let (mut key, mut item) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: `dict` is a dictionary. Nothing changes it while its entries are borrowed: no Python code runs
        // before an entry turns out to be no scalar, and it is not looked at afterwards.
        while unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut place, &raw mut key, &raw mut item) } != 0 {
            // SAFETY: both are live objects of the dictionary, for as long as it is not changed.
            let (key, item) = unsafe { (Borrowed::from_ptr(py, key), Borrowed::from_ptr(py, item)) };
            let Some(item) = borrowed_scalar(item) else { return false };
            if !each(key, item) {
                return false;
            }
        }
        true
    })
}

/// Hands on the entries of a dictionary of texts and scalars, or nothing for no dictionary; gives `then`, which
/// runs no Python code, back where that is not what it is.
#[inline]
pub fn with_scalars<F>(object: Option<&Bound<'_, PyAny>>, then: F) -> Result<(), F>
where
    F: FnOnce(&[(Cow<'_, str>, Value<'_>)]),
{
    let Some(object) = object.filter(|object| !object.is_none()) else {
        then(&[]);
        return Ok(());
    };
    let Ok(dict) = object.cast_exact::<PyDict>() else { return Err(then) };
    let mut entries = Vec::with_capacity(dict.len());
    if !scalars_of(dict, |key, item| entries.push((Cow::Borrowed(key), item))) {
        return Err(then);
    }
    then(&entries);
    Ok(())
}

/// The pairs of a mapping or list of pairs as objects.
pub fn items<'py>(
    object: &Bound<'py, PyAny>,
) -> impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)> + use<'py> {
    let items = snapshot(object).unwrap_or_else(|| PyList::empty(object.py()));
    items.into_iter().filter_map(|item| item.extract().ok())
}

/// The texts of a list of tags, or one tag alone; returns how many were no text.
pub fn texts(object: &Bound<'_, PyAny>, each: &mut dyn FnMut(&str)) -> u32 {
    if object.is_none() {
        return 0;
    }
    if let Ok(tag) = object.cast::<PyString>() {
        each(&string_text(tag, VALUE_BYTES));
        return 0;
    }
    let Some(items) = exit::in_python(|| listed(object)).flatten() else { return 1 };
    let mut refused = 0;
    for item in items.iter().take(VALUE_ITEMS) {
        match item.cast::<PyString>() {
            Ok(tag) => each(&string_text(tag, VALUE_BYTES)),
            Err(_) => refused += 1,
        }
    }
    refused
}

/// A value handed back to Python.
pub fn to_python<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Value::I64(number) => number.into_pyobject(py)?.into_any(),
        Value::F64(number) => PyFloat::new(py, *number).into_any(),
        Value::Str(text) => PyString::new(py, text).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| to_python(py, item)).collect::<PyResult<_>>()?;
            PyTuple::new(py, items)?.into_any()
        }
        Value::Map(entries) => {
            let dict = PyDict::new(py);
            for (key, item) in entries {
                dict.set_item(key.as_ref(), to_python(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

/// Text short enough to be taken whole, and without lone surrogates.
#[allow(unsafe_code)]
#[inline]
pub fn short_text<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    // SAFETY: it is a text, borrowed for as long.
    unsafe { utf8(text.as_ptr()) }
}

#[allow(unsafe_code)]
#[inline]
pub fn small_int(number: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: `number` is a live int; the call cannot fail for one, and says by `overflow` that it is too large.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(number.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// The pairs of a mapping, copied: code that runs while they are read may change it.
fn snapshot<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyList>> {
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        return Some(dict.items());
    }
    let items = match object.call_method0(intern!(object.py(), "items")) {
        Ok(items) => items,
        // A list of pairs has no `items` and is one itself.
        Err(error) => {
            hold(object.py(), &error);
            object.clone()
        }
    };
    listed(&items)
}

/// The items of anything that can be iterated without being used up, at most as many as are kept.
fn listed<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyList>> {
    let py = object.py();
    if let Ok(list) = object.cast_exact::<PyList>() {
        // A copy, since code that runs while it is read may change it.
        return list.get_slice(0, VALUE_ITEMS + 1).into();
    }
    if !object.hasattr(intern!(py, "__len__")).unwrap_or(false) {
        return None;
    }
    let list = PyList::empty(py);
    let mut items = object.try_iter().map_err(|error| hold(py, &error)).ok()?;
    for _ in 0..=VALUE_ITEMS {
        match items.next() {
            Some(Ok(item)) => list.append(item).ok()?,
            Some(Err(error)) => {
                hold(py, &error);
                break;
            }
            None => break,
        }
    }
    Some(list)
}

/// The text of an object of no particular kind.
pub fn rendered(object: &Bound<'_, PyAny>, limit: usize) -> String {
    let py = object.py();
    let class = object.get_type();
    if let Ok(named) = object.getattr(intern!(py, "__qualname__"))
        && let Ok(name) = named.extract::<String>()
    {
        // Functions and classes by their path; their text holds an address.
        return match object.getattr(intern!(py, "__module__")).and_then(|module| module.extract::<String>()) {
            Ok(module) if module != "builtins" => format!("{module}.{name}"),
            _ => name,
        };
    }
    if !has_own_text(&class) {
        return format!("<{}>", class_name(&class));
    }
    if object.is_instance_of::<PyBaseException>() {
        let message = described(object, limit);
        let name = class_name(&class);
        return if message.is_empty() { name } else { format!("{name}: {message}") };
    }
    if let Ok(form) = object.call_method0(intern!(py, "isoformat"))
        && let Ok(form) = form.cast::<PyString>()
    {
        return string_text(form, limit).into_owned();
    }
    described(object, limit)
}

/// What `str` says, or why it does not.
pub fn described(object: &Bound<'_, PyAny>, limit: usize) -> String {
    match exit::in_python(|| object.str()) {
        None => String::new(),
        Some(Ok(text)) => string_text(&text, limit).into_owned(),
        Some(Err(error)) => {
            let py = object.py();
            hold(py, &error);
            let failure = class_name(&error.get_type(py));
            format!("<{}: unprintable, {failure}>", class_name(&object.get_type()))
        }
    }
}

/// The name of a class with its module, as `exception.type` has it: built-in ones without.
pub fn class_name(class: &Bound<'_, PyType>) -> String {
    let name = class.qualname().map_or_else(|_| "object".to_owned(), |name| text(&name).into_owned());
    match class.module() {
        Ok(module) if module != "builtins" => format!("{}.{name}", text(&module)),
        _ => name,
    }
}

/// A key as text; `None` when there is nothing to call it by.
fn key_text<'a>(key: &'a Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
    let text = text(key);
    (!text.is_empty()).then_some(text)
}

/// Text of at most `limit` bytes, with lone surrogates replaced.
pub fn string_text<'a>(string: &'a Bound<'_, PyString>, limit: usize) -> Cow<'a, str> {
    let characters = string.len().unwrap_or(0);
    if characters <= limit {
        if let Ok(text) = string.to_str() {
            if text.len() <= limit {
                return Cow::Borrowed(text);
            }
            return Cow::Owned(polyspan::frame::write::cut(text, limit).to_owned() + TRUNCATED);
        }
        return Cow::Owned(without_surrogates(string));
    }
    // Only what is kept is copied and encoded.
    let py = string.py();
    let end = isize::try_from(limit).unwrap_or(isize::MAX);
    let head = string.get_item(PySlice::new(py, 0, end, 1)).ok();
    let head = head.as_ref().and_then(|head| head.cast::<PyString>().ok());
    let text = head.map_or(String::new(), without_surrogates);
    Cow::Owned(polyspan::frame::write::cut(&text, limit).to_owned() + TRUNCATED)
}

/// Pairs of surrogates joined, single ones replaced.
fn without_surrogates(string: &Bound<'_, PyString>) -> String {
    if let Ok(text) = string.to_str() {
        return text.to_owned();
    }
    let encoded = string.call_method1(intern!(string.py(), "encode"), ("utf-16-le", "surrogatepass"));
    let Ok(encoded) = encoded else { return String::new() };
    let Ok(bytes) = encoded.cast::<PyBytes>() else { return String::new() };
    let (units, _) = bytes.as_bytes().as_chunks::<2>();
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The decimal digits of an integer beyond 64 bits, unless there are too many to be worth it.
pub fn large_int(number: &Bound<'_, PyInt>) -> String {
    let bits: usize = number
        .call_method0(intern!(number.py(), "bit_length"))
        .and_then(|bits| bits.extract())
        .unwrap_or(usize::MAX);
    // CPython refuses to print more than 4,300 digits.
    if bits < 14_000 { described(number.as_any(), VALUE_BYTES) } else { format!("<int of {bits} bits>") }
}

/// Drops an error that user code raised, but for the user's wish to stop, which is raised again as soon as the
/// interpreter looks for signals.
#[allow(unsafe_code)]
pub fn hold(py: Python<'_>, error: &PyErr) {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        // SAFETY: it only sets a flag.
        unsafe { ffi::PyErr_SetInterrupt() };
    }
}
