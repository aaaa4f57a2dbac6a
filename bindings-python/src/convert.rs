//! Python objects to values: the one place that knows how an object looks in a span.
//!
//! Scalars become borrowed values without a copy; anything else is walked once, within a budget of bytes and
//! items, so that a huge, deep, cyclic or hostile object costs what is kept of it and never raises.

use std::borrow::Cow;

use polyspan::frame::MAX_DEPTH;
use polyspan::value::{OwnedValue, Value};
use pyo3::exceptions::{PyBaseException, PyKeyboardInterrupt};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySequence, PySet,
    PySlice, PyString, PyTuple, PyType,
};

use crate::exit;

/// Bytes kept of one value at capture. It is a coarse cut: the limits of the configuration come later, after
/// redaction, and are finer.
pub const VALUE_BYTES: usize = 1 << 20;

/// Items kept of one value, all levels together.
const VALUE_ITEMS: usize = 10_000;

/// What stands where an object was cut.
const CUT: &str = "…[truncated]";

/// What stands where an object contains itself.
const CIRCULAR: &str = "[circular]";

/// A scalar as it stands, borrowed from the object; `None` for everything that needs more work.
#[inline]
pub fn scalar<'a>(object: &'a Bound<'_, PyAny>) -> Option<Value<'a>> {
    if let Ok(text) = object.cast_exact::<PyString>() {
        return short_text(text).map(|text| Value::Str(Cow::Borrowed(text)));
    }
    if let Ok(number) = object.cast_exact::<PyInt>() {
        return small_int(number).map(Value::I64);
    }
    if let Ok(number) = object.cast_exact::<PyFloat>() {
        return Some(Value::F64(number.value()));
    }
    if let Ok(truth) = object.cast_exact::<PyBool>() {
        return Some(Value::Bool(truth.is_true()));
    }
    object.is_none().then_some(Value::Null)
}

/// Any object as a value.
pub fn value<'a>(object: &'a Bound<'_, PyAny>) -> Value<'a> {
    scalar(object)
        .or_else(|| exit::in_python(|| Walk::new().value(object, 0)))
        .unwrap_or_else(|| Value::Str(Cow::Owned(class_name(&object.get_type()))))
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

/// Calls `each` with every pair of a mapping or list of pairs, and returns how many had no usable key.
///
/// A dictionary of scalars, which is nearly every one, is read in place; the first value that could run code of
/// its own makes a snapshot of the rest, because that code might change the dictionary.
pub fn pairs(object: &Bound<'_, PyAny>, each: &mut dyn FnMut(&str, Value<'_>)) -> u32 {
    if object.is_none() {
        return 0;
    }
    let mut done = 0;
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        let mut simple = true;
        for (key, item) in dict.iter() {
            let (Ok(key), Some(item)) = (key.cast_exact::<PyString>(), scalar(&item)) else {
                simple = false;
                break;
            };
            match short_text(key) {
                Some(key) if !key.is_empty() => each(key, item),
                _ => {
                    simple = false;
                    break;
                }
            }
            done += 1;
        }
        if simple {
            return 0;
        }
    }
    let Some(items) = exit::in_python(|| snapshot(object)).flatten() else { return 1 };
    let mut refused = 0;
    for item in items.iter().skip(done) {
        match item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
            Ok((key, item)) => match key_text(&key) {
                Some(key) => each(&key, value(&item)),
                None => refused += 1,
            },
            Err(_) => refused += 1,
        }
    }
    refused
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
#[inline]
fn short_text<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    if text.len().is_ok_and(|characters| characters > VALUE_BYTES) {
        return None;
    }
    // Text with lone surrogates has no UTF-8 form; the slow path replaces them.
    text.to_str().ok().filter(|text| text.len() <= VALUE_BYTES)
}

#[allow(unsafe_code)]
#[inline]
fn small_int(number: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: `number` is a live int; the call cannot fail for one, and says by `overflow` that it is too large.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(number.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// The walk through one object.
struct Walk {
    bytes: usize,
    items: usize,
    /// The containers around the object at hand, by identity.
    path: Vec<*mut ffi::PyObject>,
}

impl Walk {
    const fn new() -> Self {
        Self { bytes: VALUE_BYTES, items: VALUE_ITEMS, path: Vec::new() }
    }

    fn value(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> OwnedValue {
        if self.items == 0 || self.bytes == 0 {
            return Value::Str(Cow::Borrowed(CUT));
        }
        self.items -= 1;
        if let Some(value) = scalar(object)
            && !matches!(&value, Value::Str(text) if text.len() > self.bytes)
        {
            self.bytes = self.bytes.saturating_sub(cost(&value));
            return value.into_owned();
        }
        if let Ok(text) = object.cast::<PyString>() {
            return self.keep(string_text(text, self.bytes).into_owned());
        }
        if let Ok(number) = object.cast::<PyInt>() {
            return match small_int(number) {
                Some(number) => Value::I64(number),
                None => self.keep(large_int(number)),
            };
        }
        if let Ok(number) = object.cast::<PyFloat>() {
            return Value::F64(number.value());
        }
        if let Some(bytes) = bytes_of(object, self.bytes) {
            self.bytes = self.bytes.saturating_sub(bytes.len());
            return Value::Bytes(Cow::Owned(bytes));
        }
        self.container(object, depth).unwrap_or_else(|| {
            let text = rendered(object, self.bytes);
            self.keep(text)
        })
    }

    fn keep(&mut self, text: String) -> OwnedValue {
        self.bytes = self.bytes.saturating_sub(text.len());
        Value::Str(Cow::Owned(text))
    }

    /// The object as list or map; `None` when it is neither and its text says more.
    fn container(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> Option<OwnedValue> {
        let shape = Shape::of(object)?;
        if let Shape::Plain(value) = shape {
            return Some(self.value(&value, depth));
        }
        if depth >= MAX_DEPTH {
            return Some(Value::Str(Cow::Borrowed(CUT)));
        }
        if self.path.contains(&object.as_ptr()) {
            return Some(Value::Str(Cow::Borrowed(CIRCULAR)));
        }
        self.path.push(object.as_ptr());
        let value = match shape {
            Shape::List(items) => {
                let mut list = Vec::new();
                for item in items.iter() {
                    if self.items == 0 || self.bytes == 0 {
                        list.push(Value::Str(Cow::Borrowed(CUT)));
                        break;
                    }
                    list.push(self.value(&item, depth + 1));
                }
                Value::Array(list)
            }
            Shape::Map(items) => Value::Map(self.entries(&items, depth)),
            Shape::Plain(_) => Value::Null,
        };
        self.path.pop();
        Some(value)
    }

    fn entries(&mut self, items: &Bound<'_, PyList>, depth: usize) -> Vec<(Cow<'static, str>, OwnedValue)> {
        let mut map = Vec::new();
        for pair in items.iter() {
            if self.items == 0 || self.bytes == 0 {
                map.push((Cow::Borrowed(CUT), Value::Null));
                break;
            }
            let Ok((key, item)) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() else { continue };
            let key = key_text(&key).unwrap_or(Cow::Borrowed("")).into_owned();
            self.bytes = self.bytes.saturating_sub(key.len());
            map.push((Cow::Owned(key), self.value(&item, depth + 1)));
        }
        map
    }
}

fn cost(value: &Value<'_>) -> usize {
    match value {
        Value::Str(text) => text.len(),
        _ => 8,
    }
}

/// How an object that is no scalar is taken apart.
enum Shape<'py> {
    List(Bound<'py, PyList>),
    Map(Bound<'py, PyList>),
    /// Another object that stands for it.
    Plain(Bound<'py, PyAny>),
}

impl<'py> Shape<'py> {
    fn of(object: &Bound<'py, PyAny>) -> Option<Self> {
        let py = object.py();
        let class = object.get_type();
        if object.is_exact_instance_of::<PyList>()
            || object.is_exact_instance_of::<PyTuple>()
            || object.is_instance_of::<PySet>()
            || object.is_instance_of::<PyFrozenSet>()
        {
            return listed(object).map(Self::List);
        }
        if object.is_instance_of::<PyDict>() {
            return snapshot(object).map(Self::Map);
        }
        if object.is_instance_of::<PyType>() {
            return None;
        }
        if object.is_instance_of::<PyTuple>()
            && let Ok(names) = class.getattr(intern!(py, "_fields"))
        {
            return named(object, &names).map(Self::Map);
        }
        if let Ok(fields) = class.getattr(intern!(py, "__dataclass_fields__")) {
            return named(object, &fields).map(Self::Map);
        }
        if class.hasattr(intern!(py, "__pydantic_fields__")).unwrap_or(false) {
            return snapshot(&object.getattr(intern!(py, "__dict__")).ok()?).map(Self::Map);
        }
        if let Ok(fields) = class.getattr(intern!(py, "__attrs_attrs__")) {
            return named_by(object, &fields, intern!(py, "name")).map(Self::Map);
        }
        // An enumeration's member stands for its value.
        if let Ok(value) = object.getattr(intern!(py, "_value_"))
            && class.hasattr(intern!(py, "__members__")).unwrap_or(false)
        {
            return Some(Self::Plain(value));
        }
        // Numbers of array libraries, which are no Python numbers.
        if class.hasattr(intern!(py, "dtype")).unwrap_or(false)
            && object.getattr(intern!(py, "shape")).is_ok_and(|shape| shape.len().is_ok_and(|n| n == 0))
            && let Ok(value) = object.call_method0(intern!(py, "item"))
            && scalar(&value).is_some()
        {
            return Some(Self::Plain(value));
        }
        if object.cast::<PyMapping>().is_ok() {
            return snapshot(object).map(Self::Map);
        }
        if object.cast::<PySequence>().is_ok() || is_deque(&class) {
            return listed(object).map(Self::List);
        }
        if has_own_text(&class) {
            return None;
        }
        public_fields(object).map(Self::Map)
    }
}

fn is_deque(class: &Bound<'_, PyType>) -> bool {
    class.name().is_ok_and(|name| name == "deque")
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

/// The attributes of an object whose names another object lists.
fn named<'py>(object: &Bound<'py, PyAny>, names: &Bound<'py, PyAny>) -> Option<Bound<'py, PyList>> {
    let list = PyList::empty(object.py());
    for name in listed(names)?.iter() {
        if let Ok(item) = object.getattr(name.cast::<PyString>().ok()?) {
            list.append((name, item)).ok()?;
        }
    }
    Some(list)
}

/// The same where the names are an attribute of what is listed.
fn named_by<'py>(
    object: &Bound<'py, PyAny>,
    fields: &Bound<'py, PyAny>,
    attribute: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyList>> {
    let names = PyList::empty(object.py());
    for field in listed(fields)?.iter() {
        names.append(field.getattr(attribute).ok()?).ok()?;
    }
    named(object, names.as_any())
}

/// The public attributes of an object that has nothing better to show.
fn public_fields<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyList>> {
    let fields = object.getattr(intern!(object.py(), "__dict__")).ok()?;
    let list = PyList::empty(object.py());
    for pair in snapshot(&fields)?.iter() {
        let (name, _) = pair.extract::<(String, Bound<'_, PyAny>)>().ok()?;
        if !name.starts_with('_') {
            list.append(pair).ok()?;
        }
    }
    (!list.is_empty()).then_some(list)
}

/// Whether the class says how its objects look as text.
fn has_own_text(class: &Bound<'_, PyType>) -> bool {
    let py = class.py();
    let object = py.get_type::<PyAny>();
    ["__repr__", "__str__"].iter().any(|method| match (class.getattr(*method), object.getattr(*method)) {
        (Ok(own), Ok(inherited)) => !own.is(&inherited),
        _ => false,
    })
}

/// The text of an object of no particular kind.
fn rendered(object: &Bound<'_, PyAny>, limit: usize) -> String {
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
            return Cow::Owned(polyspan::frame::write::cut(text, limit).to_owned() + CUT);
        }
        return Cow::Owned(without_surrogates(string));
    }
    // Only what is kept is copied and encoded.
    let py = string.py();
    let end = isize::try_from(limit).unwrap_or(isize::MAX);
    let head = string.get_item(PySlice::new(py, 0, end, 1)).ok();
    let head = head.as_ref().and_then(|head| head.cast::<PyString>().ok());
    let text = head.map_or(String::new(), without_surrogates);
    Cow::Owned(polyspan::frame::write::cut(&text, limit).to_owned() + CUT)
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
fn large_int(number: &Bound<'_, PyInt>) -> String {
    let bits: usize = number
        .call_method0(intern!(number.py(), "bit_length"))
        .and_then(|bits| bits.extract())
        .unwrap_or(usize::MAX);
    // CPython refuses to print more than 4,300 digits.
    if bits < 14_000 { described(number.as_any(), VALUE_BYTES) } else { format!("<int of {bits} bits>") }
}

fn bytes_of(object: &Bound<'_, PyAny>, limit: usize) -> Option<Vec<u8>> {
    let cut = |bytes: &[u8]| bytes.get(..limit).unwrap_or(bytes).to_vec();
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Some(cut(bytes.as_bytes()));
    }
    let bytes = if object.is_instance_of::<PyByteArray>() {
        object.clone()
    } else if object.get_type().name().is_ok_and(|name| name == "memoryview") {
        object.call_method0(intern!(object.py(), "tobytes")).ok()?
    } else {
        return None;
    };
    let bytes = bytes.get_item(PySlice::new(object.py(), 0, isize::try_from(limit).ok()?, 1)).ok()?;
    bytes.extract::<Vec<u8>>().ok()
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
