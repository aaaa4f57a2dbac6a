//! How an object that is not built in is taken apart: what of it is worth showing, and how much is touched.
//!
//! Called by `capture.rs`. Nothing is used up (iterators), computed (lazy sequences beyond what is kept) or
//! converted as a whole (arrays and tables): a large one costs its first items.

use polyspan::CaptureBounds;
use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyIterator, PyList, PyMapping, PySequence,
    PySet, PySlice, PyString, PyTuple, PyType,
};

use crate::convert::{class_name, hold, rendered, scalar};
use crate::exception;

/// Fields of one object at most that are looked at.
const FIELDS: usize = 10_000;
/// Rows of a table and items of an array that are shown, where the limit on items is higher.
const SHOWN: usize = 50;

type Any<'py> = Bound<'py, PyAny>;

/// How an object is taken apart.
pub enum Shape<'py> {
    /// Text stands for it.
    Text(String),
    /// Another object stands for it.
    Other(Any<'py>),
    /// It is, or derives from, a built-in class and is read as one.
    Whole,
    /// Items, and how many there are.
    List(usize, Bound<'py, PyIterator>),
    /// Pairs of key and value, and how many there are.
    Pairs(usize, Bound<'py, PyIterator>),
    /// Fields by their names.
    Fields(Vec<(String, Any<'py>)>),
}

impl<'py> Shape<'py> {
    /// Looks at the class first, since asking the object may run code of the program.
    pub fn of(object: &Any<'py>, bounds: &CaptureBounds) -> Self {
        let py = object.py();
        let class = object.get_type();
        if object.is_instance_of::<PyType>() {
            return Self::Text(rendered(object, bounds.value_bytes));
        }
        if let Some(shape) = own_form(object, &class) {
            return shape;
        }
        // An enumeration's member stands for its value.
        if class.hasattr(intern!(py, "__members__")).unwrap_or(false)
            && let Ok(value) = object.getattr(intern!(py, "_value_"))
        {
            return Self::Other(value);
        }
        if let Ok(names) = class.getattr(intern!(py, "_fields"))
            && object.is_instance_of::<PyTuple>()
        {
            return Self::Fields(named(object, &names));
        }
        if is_built_in(object, &class) {
            return Self::Whole;
        }
        if object.is_instance_of::<PySet>() || object.is_instance_of::<PyFrozenSet>() {
            return listed(object).unwrap_or(Self::Whole);
        }
        if object.is_instance_of::<PyBaseException>() {
            return Self::Fields(exception_fields(object));
        }
        record(object, &class)
            .or_else(|| table(object, &class, bounds))
            .or_else(|| collection(object, &class))
            .unwrap_or_else(|| plain(object, &class, bounds))
    }
}

/// What the class says itself: `__polyspan__()` gives what is to be recorded instead of the object.
fn own_form<'py>(object: &Any<'py>, class: &Bound<'py, PyType>) -> Option<Shape<'py>> {
    let py = object.py();
    let form = class.getattr(intern!(py, "__polyspan__")).ok()?;
    Some(match form.call1((object,)) {
        Ok(form) => Shape::Other(form),
        Err(error) => {
            hold(py, &error);
            Shape::Text(format!("[__polyspan__ failed: {}]", class_name(&error.get_type(py))))
        }
    })
}

fn is_built_in(object: &Any<'_>, class: &Bound<'_, PyType>) -> bool {
    object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyInt>()
        || object.is_instance_of::<PyFloat>()
        || object.is_instance_of::<PyDict>()
        || object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>()
        || is_memoryview(class)
}

fn is_memoryview(class: &Bound<'_, PyType>) -> bool {
    class.name().is_ok_and(|name| name == "memoryview")
}

/// Bytes, or their number if they are more than `limit`.
pub fn bytes_of(object: &Any<'_>, limit: usize) -> Result<Vec<u8>, usize> {
    let py = object.py();
    if let Ok(bytes) = object.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return if bytes.len() > limit { Err(bytes.len()) } else { Ok(bytes.to_vec()) };
    }
    let length = match object.getattr(intern!(py, "nbytes")).and_then(|length| length.extract()) {
        Ok(length) => length,
        Err(_) => object.len().unwrap_or(0),
    };
    if length > limit {
        return Err(length);
    }
    let bytes = match object.cast::<PyByteArray>() {
        Ok(bytes) => return Ok(bytes.to_vec()),
        Err(_) => object.call_method0(intern!(py, "tobytes")),
    };
    bytes.and_then(|bytes| bytes.extract()).map_err(|error| {
        hold(py, &error);
        length
    })
}

/// Name, message, stack and cause.
fn exception_fields<'py>(error: &Any<'py>) -> Vec<(String, Any<'py>)> {
    let py = error.py();
    let parts = exception::parts(error);
    let text = |text: &str| PyString::new(py, text).into_any();
    let mut fields =
        vec![("name".to_owned(), text(&parts.class)), ("message".to_owned(), text(&parts.message))];
    if !parts.stack.is_empty() {
        fields.push(("stack".to_owned(), text(&parts.stack)));
    }
    let present = |name: &str| error.getattr(name).ok().filter(|cause| !cause.is_none());
    let is_hidden =
        || error.getattr("__suppress_context__").is_ok_and(|flag| flag.is_truthy().unwrap_or(true));
    let cause = present("__cause__").or_else(|| present("__context__").filter(|_| !is_hidden()));
    fields.extend(cause.map(|cause| ("cause".to_owned(), cause)));
    fields
}

/// Dataclasses, attrs classes and pydantic models: their fields, without running their serializers.
fn record<'py>(object: &Any<'py>, class: &Bound<'py, PyType>) -> Option<Shape<'py>> {
    let py = object.py();
    if let Ok(fields) = class.getattr(intern!(py, "__dataclass_fields__")) {
        return Some(Shape::Fields(named(object, &fields)));
    }
    if class.hasattr(intern!(py, "__pydantic_fields__")).unwrap_or(false)
        || class.hasattr(intern!(py, "__pydantic_complete__")).unwrap_or(false)
    {
        return object.getattr(intern!(py, "__dict__")).ok().map(Shape::Other);
    }
    let attributes = class.getattr(intern!(py, "__attrs_attrs__")).ok()?;
    let names = PyList::empty(py);
    for attribute in attributes.try_iter().ok()?.take(FIELDS) {
        names.append(attribute.ok()?.getattr(intern!(py, "name")).ok()?).ok()?;
    }
    Some(Shape::Fields(named(object, names.as_any())))
}

/// Numbers, arrays and tables of numpy, pandas and libraries like them: shape, type and the first items.
fn table<'py>(object: &Any<'py>, class: &Bound<'py, PyType>, bounds: &CaptureBounds) -> Option<Shape<'py>> {
    let py = object.py();
    let module = class.module().ok()?;
    let module = module.to_str().ok()?;
    // One item more is captured than is kept, which is not worth a marker here.
    let shown = bounds.array_items.saturating_sub(1).min(SHOWN);
    let first = |of: &Any<'py>, count: usize| {
        let count = isize::try_from(count).unwrap_or(isize::MAX);
        of.get_item(PySlice::new(py, 0, count, 1))
    };
    let name = PyString::new(py, &class_name(class)).into_any();
    let mut fields = vec![("type".to_owned(), name)];
    let mut add = |name: &str, value: PyResult<Any<'py>>| match value {
        Ok(value) => fields.push((name.to_owned(), value)),
        Err(error) => hold(py, &error),
    };
    if module.split('.').next() == Some("pandas") {
        let is_frame = class.hasattr("columns").unwrap_or(false);
        add("shape", object.getattr("shape"));
        let rows = object.getattr("iloc");
        if is_frame {
            let columns = bounds.object_keys.min(SHOWN);
            let names = object.getattr("columns").and_then(|names| first(&names, columns));
            add("columns", names.and_then(|names| names.call_method0("tolist")));
            let span = |count: usize| PySlice::new(py, 0, isize::try_from(count).unwrap_or(0), 1);
            let part = rows.and_then(|rows| rows.get_item((span(shown), span(columns))));
            add("rows", part.and_then(|part| part.call_method1("to_dict", ("records",))));
        } else {
            add("dtype", object.getattr("dtype").and_then(|dtype| Ok(dtype.str()?.into_any())));
            let part = rows.or_else(|_| Ok(object.clone())).and_then(|rows: Any<'py>| first(&rows, shown));
            match part.and_then(|part| part.call_method0("tolist")) {
                Ok(values) => add("values", Ok(values)),
                // A timestamp and its like has no items.
                Err(error) => {
                    hold(py, &error);
                    return None;
                }
            }
        }
        return Some(Shape::Fields(fields));
    }
    if !class.hasattr(intern!(py, "dtype")).unwrap_or(false) {
        return None;
    }
    let shape = object.getattr(intern!(py, "shape")).ok()?;
    if shape.len().is_ok_and(|dimensions| dimensions == 0)
        && let Ok(value) = object.call_method0(intern!(py, "item"))
        && scalar(&value).is_some()
    {
        // A number of such a library, which is no Python number.
        return Some(Shape::Other(value));
    }
    add(
        "shape",
        shape
            .try_iter()
            .and_then(|sizes| Ok(PyTuple::new(py, sizes.collect::<PyResult<Vec<_>>>()?)?.into_any())),
    );
    add("dtype", object.getattr("dtype").and_then(|dtype| Ok(dtype.str()?.into_any())));
    if let Ok(flat) = object.getattr("flat") {
        add("values", first(&flat, shown).and_then(|part| part.call_method0("tolist")));
    }
    Some(Shape::Fields(fields))
}

/// Mappings, sequences, iterators.
fn collection<'py>(object: &Any<'py>, class: &Bound<'py, PyType>) -> Option<Shape<'py>> {
    let py = object.py();
    if object.cast::<PyMapping>().is_ok() {
        let items = object.call_method0(intern!(py, "items")).ok()?;
        return Some(Shape::Pairs(object.len().ok()?, items.try_iter().ok()?));
    }
    // Never used up, whoever waits for the rest of it.
    for (method, kind) in [("__anext__", "async_generator"), ("__next__", "generator")] {
        if class.hasattr(method).unwrap_or(false) {
            let name = class.name().ok()?;
            let own = name.to_str().ok().filter(|name| !matches!(*name, "generator" | "async_generator"));
            return Some(Shape::Text(format!("[{}]", own.unwrap_or(kind))));
        }
    }
    if class.name().is_ok_and(|name| name == "coroutine") {
        return Some(Shape::Text("[coroutine]".to_owned()));
    }
    const OTHERS: [&str; 4] = ["deque", "dict_items", "dict_keys", "dict_values"];
    let is_other = class.name().is_ok_and(|name| OTHERS.iter().any(|other| name == *other));
    if object.cast::<PySequence>().is_ok() || is_other {
        return listed(object);
    }
    None
}

fn listed<'py>(object: &Any<'py>) -> Option<Shape<'py>> {
    let items = object.try_iter().map_err(|error| hold(object.py(), &error)).ok()?;
    Some(Shape::List(object.len().ok()?, items))
}

/// Anything else: times by their ISO form, objects by their text, or by their public attributes.
fn plain<'py>(object: &Any<'py>, class: &Bound<'py, PyType>, bounds: &CaptureBounds) -> Shape<'py> {
    if class.hasattr(intern!(object.py(), "total_seconds")).unwrap_or(false)
        && let Some(text) = duration(object)
    {
        return Shape::Text(text);
    }
    if !has_own_text(class)
        && let Some(fields) = public_fields(object)
    {
        return Shape::Fields(fields);
    }
    Shape::Text(rendered(object, bounds.value_bytes))
}

/// A `timedelta` as ISO 8601 has it, such as `PT1M30S`.
fn duration(object: &Any<'_>) -> Option<String> {
    let part = |name: &str| object.getattr(name).ok()?.extract::<i64>().ok();
    let (days, seconds, micros) = (part("days")?, part("seconds")?, part("microseconds")?);
    let total = (i128::from(days) * 86_400 + i128::from(seconds)) * 1_000_000 + i128::from(micros);
    let sign = if total < 0 { "-" } else { "" };
    let total = total.unsigned_abs();
    let (days, rest) = (total / 86_400_000_000, total % 86_400_000_000);
    let (hours, minutes, seconds) = (rest / 3_600_000_000, rest / 60_000_000 % 60, rest / 1_000_000 % 60);
    let micros = rest % 1_000_000;
    let count = |count: u128, unit: &str| if count > 0 { format!("{count}{unit}") } else { String::new() };
    let mut text = format!("{sign}P{}", count(days, "D"));
    if rest > 0 || total == 0 {
        let whole = if micros > 0 {
            format!("{seconds}.{micros:06}").trim_end_matches('0').to_owned() + "S"
        } else if total == 0 {
            "0S".to_owned()
        } else {
            count(seconds, "S")
        };
        text.push_str(&format!("T{}{}{whole}", count(hours, "H"), count(minutes, "M")));
    }
    Some(text)
}

/// The attributes of an object whose names another object lists; one that raises says so.
fn named<'py>(object: &Any<'py>, names: &Any<'py>) -> Vec<(String, Any<'py>)> {
    let py = object.py();
    let Ok(names) = names.try_iter() else { return Vec::new() };
    let mut fields = Vec::new();
    for name in names.take(FIELDS).map_while(Result::ok) {
        let Ok(text) = name.extract::<String>() else { continue };
        let value = match name.cast::<PyString>().map(|name| object.getattr(name)) {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                hold(py, &error);
                let failure = class_name(&error.get_type(py));
                PyString::new(py, &format!("<unreadable, {failure}>")).into_any()
            }
            Err(_) => continue,
        };
        fields.push((text, value));
    }
    fields
}

/// The public attributes of an object that has nothing better to show.
fn public_fields<'py>(object: &Any<'py>) -> Option<Vec<(String, Any<'py>)>> {
    let fields = object.getattr(intern!(object.py(), "__dict__")).ok()?;
    let items = fields.call_method0(intern!(object.py(), "items")).ok()?;
    let mut public = Vec::new();
    for pair in items.try_iter().ok()?.take(FIELDS) {
        let (name, value) = pair.ok()?.extract::<(String, Any<'py>)>().ok()?;
        if !name.starts_with('_') {
            public.push((name, value));
        }
    }
    (!public.is_empty()).then_some(public)
}

/// Whether the class says how its objects look as text.
pub fn has_own_text(class: &Bound<'_, PyType>) -> bool {
    let py = class.py();
    let object = py.get_type::<PyAny>();
    ["__repr__", "__str__"].iter().any(|method| match (class.getattr(*method), object.getattr(*method)) {
        (Ok(own), Ok(inherited)) => !own.is(&inherited),
        _ => false,
    })
}
