//! Python objects written straight into the bytes of a span, within the bounds of its engine.
//!
//! What is built in is read in place: no copy is made, and no code of the program runs meanwhile. Everything else
//! is taken apart by `shape.rs`. A huge, deep, cyclic or hostile object costs what is kept of it and never raises.
//! The lock of a span is not held here.

use std::cell::Cell;

use polyspan::frame::view::{Field, SpanView};
use polyspan::frame::{EVENT_HEADER, KnownKey, MAX_DEPTH, write};
use polyspan::value::{OwnedValue, Value};
use polyspan::{CaptureBounds, CaptureWriter, Cuts, cut};
use pyo3::Borrowed;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::convert::{self, class_name, hold};
use crate::exit;
use crate::shape::{Shape, bytes_of};

/// Buffers larger than this are not kept for the next value.
const KEPT_BYTES: usize = 256 * 1024;
/// How often an object may be stood for by another one that is stood for in turn.
const STAND_INS: usize = 8;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Bounds of what is data for the engine itself, such as its options: bytes alone.
pub const WIDE: CaptureBounds = CaptureBounds {
    value_bytes: convert::VALUE_BYTES,
    span_bytes: usize::MAX,
    depth: MAX_DEPTH - 1,
    array_items: usize::MAX,
    object_keys: usize::MAX,
    io: true,
};

/// Writes an object as one value and hands the bytes on, with what had to be cut.
pub fn with<R>(object: &Bound<'_, PyAny>, bounds: CaptureBounds, then: impl FnOnce(&[u8], Cuts) -> R) -> R {
    // Code of the program may come here again meanwhile; it finds an empty one.
    let mut buf = BUFFER.take();
    buf.clear();
    let cuts = put(&mut buf, object, bounds);
    let result = then(&buf, cuts);
    if buf.capacity() <= KEPT_BYTES {
        BUFFER.set(buf);
    }
    result
}

/// An object as a value that borrows nothing.
pub fn value(object: &Bound<'_, PyAny>, bounds: CaptureBounds) -> OwnedValue {
    let mut record = Vec::new();
    write::begin_span(&mut record);
    write::input_tag(&mut record);
    put(&mut record, object, bounds);
    let view = record.get(EVENT_HEADER..).and_then(|body| SpanView::new(body).ok());
    let value = view.and_then(|view| {
        view.fields().find_map(|field| match field {
            Field::Input(value) => Some(value.to_value()),
            _ => None,
        })
    });
    value.unwrap_or(Value::Null)
}

fn put(buf: &mut Vec<u8>, object: &Bound<'_, PyAny>, bounds: CaptureBounds) -> Cuts {
    let start = buf.len();
    let written = exit::in_python(|| {
        let mut walk = Walk {
            out: CaptureWriter::new(buf, bounds),
            path: Vec::new(),
            stand_ins: 0,
            keys: Vec::new(),
            next_key: 0,
        };
        walk.value(object, 0);
        walk.out.cuts()
    });
    written.unwrap_or_else(|| {
        buf.truncate(start);
        write::put_str(buf, &class_name(&object.get_type()));
        Cuts::default()
    })
}

/// The walk through one object.
struct Walk<'b, 'py> {
    out: CaptureWriter<'b>,
    /// The containers around the object at hand, by identity.
    path: Vec<*mut ffi::PyObject>,
    /// How many objects stand for one another at this place.
    stand_ins: usize,
    /// The first keys that were met, in that order ...
    keys: Vec<Key<'py>>,
    /// ... and which of them is to be expected: the entries of an application's structures come again and again in
    /// one order, with the same objects as their keys.
    next_key: usize,
}

/// Keys that a walk remembers.
const KEYS: usize = 16;

/// A key with its text, which lives as long as the key is held.
struct Key<'py> {
    object: Bound<'py, PyAny>,
    text: &'py str,
    /// Its written form, if it is short.
    known: Option<KnownKey>,
}

/// What became of an entry of a dictionary.
enum Entry<'py> {
    /// It is written.
    Written,
    /// Its key is written, and this is its value.
    Inside(Bound<'py, PyAny>),
    /// Nothing of it is written.
    Other(Bound<'py, PyAny>, Bound<'py, PyAny>),
    /// There is none.
    End,
}

impl<'py> Walk<'_, 'py> {
    #[inline]
    fn value(&mut self, object: &Bound<'py, PyAny>, depth: usize) {
        if let Ok(text) = object.cast_exact::<PyString>() {
            self.text(text);
        } else if let Ok(number) = object.cast_exact::<PyInt>() {
            self.int(number);
        } else if let Ok(number) = object.cast_exact::<PyFloat>() {
            self.out.f64(number.value());
        } else if let Ok(dict) = object.cast_exact::<PyDict>() {
            self.dict(dict, depth);
        } else if let Ok(list) = object.cast_exact::<PyList>() {
            self.list(list, depth);
        } else if object.is_none() {
            self.out.null();
        } else if let Ok(truth) = object.cast_exact::<PyBool>() {
            self.out.bool(truth.is_true());
        } else if let Ok(tuple) = object.cast_exact::<PyTuple>() {
            self.tuple(tuple, depth);
        } else {
            self.other(object, depth);
        }
    }

    #[inline]
    fn text(&mut self, text: &Bound<'_, PyString>) {
        let room = self.out.room();
        // Characters first: asking a long text for its UTF-8 would make and keep a copy of it.
        if text.len().is_ok_and(|characters| characters <= room)
            && let Ok(text) = text.to_str()
        {
            return self.out.text(text);
        }
        let kept = convert::string_text(text, room);
        match kept.strip_suffix(cut::TRUNCATED).filter(|_| text.len().is_ok_and(|length| length > room)) {
            Some(beginning) => self.out.long_text(beginning),
            None => self.out.text(&kept),
        }
    }

    #[inline]
    fn int(&mut self, number: &Bound<'_, PyInt>) {
        match convert::small_int(number) {
            Some(number) => self.out.i64(number),
            None => self.out.text(&convert::large_int(number)),
        }
    }

    /// Whether a container may be gone into; says why not in its place.
    #[inline]
    fn enter(&mut self, object: &Bound<'_, PyAny>) -> bool {
        if self.path.contains(&object.as_ptr()) {
            self.out.marker(cut::CIRCULAR);
            return false;
        }
        self.path.push(object.as_ptr());
        true
    }

    #[inline]
    fn list(&mut self, list: &Bound<'py, PyList>, depth: usize) {
        self.items(list.as_any(), list.len(), depth, |at| list.get_item(at).ok());
    }

    #[inline]
    fn tuple(&mut self, tuple: &Bound<'py, PyTuple>, depth: usize) {
        self.items(tuple.as_any(), tuple.len(), depth, |at| tuple.get_item(at).ok());
    }

    /// Items one after the other, until there are none or enough.
    #[inline]
    fn items(
        &mut self,
        object: &Bound<'py, PyAny>,
        length: usize,
        depth: usize,
        mut item: impl FnMut(usize) -> Option<Bound<'py, PyAny>>,
    ) {
        if !self.enter(object) {
            return;
        }
        if let Some(mut array) = self.out.array(depth, length) {
            let mut at = 0;
            while at < length && array.next(&self.out) {
                match item(at) {
                    Some(item) => self.value(&item, depth + 1),
                    None => {
                        array.ends_here();
                        break;
                    }
                }
                at += 1;
            }
            self.out.close_array(array);
        }
        self.path.pop();
    }

    /// A dictionary, read in place. Code of the program may change it between two entries.
    fn dict(&mut self, dict: &Bound<'py, PyDict>, depth: usize) {
        if !self.enter(dict.as_any()) {
            return;
        }
        let length = dict.len();
        if let Some(mut map) = self.out.map(depth, length) {
            let mut place: ffi::Py_ssize_t = 0;
            let mut seen = 0;
            while seen < length && map.next(&self.out) {
                match with_critical_section(dict.as_any(), || self.entry(dict, &mut place)) {
                    Entry::Written => {}
                    Entry::Inside(item) => self.value(&item, depth + 1),
                    Entry::Other(key, item) => {
                        self.key(&key);
                        self.value(&item, depth + 1);
                    }
                    Entry::End => {
                        map.ends_here();
                        break;
                    }
                }
                seen += 1;
            }
            self.out.close_map(map);
        }
        self.path.pop();
    }

    /// Writes the entry at that place, without holding it, as far as its key is a text and its value a scalar, and
    /// goes to the next. What is left to do may run code of the program, and is given back, held.
    #[allow(unsafe_code)]
    #[inline(always)]
    fn entry(&mut self, dict: &Bound<'py, PyDict>, place: &mut ffi::Py_ssize_t) -> Entry<'py> {
        let py = dict.py();
        let (mut key, mut item) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: `dict` is a dictionary; a place beyond the end, where it has shrunk, is the end. What is found
        // lives as long as no Python code runs, which it does not before the two are held or not looked at again.
        let (key, item) = unsafe {
            if ffi::PyDict_Next(dict.as_ptr(), place, &raw mut key, &raw mut item) == 0 {
                return Entry::End;
            }
            (Borrowed::from_ptr(py, key), Borrowed::from_ptr(py, item))
        };
        // Most of what a conversation holds; whatever else there is goes the longer way.
        if !self.put_known(key) {
            return Entry::Other(key.to_owned(), item.to_owned());
        }
        if item.is_exact_instance_of::<PyString>() {
            let Some(text) = convert::exact_text(item) else { return Entry::Inside(item.to_owned()) };
            self.out.text(text);
        } else if let Ok(number) = item.cast_exact::<PyInt>() {
            let Some(number) = convert::small_int(&number) else { return Entry::Inside(item.to_owned()) };
            self.out.i64(number);
        } else if let Ok(number) = item.cast_exact::<PyFloat>() {
            self.out.f64(number.value());
        } else if let Ok(truth) = item.cast_exact::<PyBool>() {
            self.out.bool(truth.is_true());
        } else if item.is_none() {
            self.out.null();
        } else {
            return Entry::Inside(item.to_owned());
        }
        Entry::Written
    }

    /// Writes a key, where it is one that can be taken as it is.
    #[inline(always)]
    fn put_known(&mut self, key: Borrowed<'_, 'py, PyAny>) -> bool {
        if let Some(expected) = self.keys.get(self.next_key)
            && expected.object.is(key)
        {
            self.next_key += 1;
            match &expected.known {
                Some(known) => self.out.known_key(known),
                None => self.out.key(expected.text),
            }
            return true;
        }
        let found = self.found(key);
        if let Some(name) = found {
            self.out.key(name);
        }
        found.is_some()
    }

    /// The text of a key that was not expected.
    #[allow(unsafe_code)]
    #[inline(never)]
    fn found(&mut self, key: Borrowed<'_, 'py, PyAny>) -> Option<&'py str> {
        if let Some(at) = self.keys.iter().position(|known| known.object.is(key)) {
            self.next_key = at + 1;
            return self.keys.get(at).map(|known| known.text);
        }
        // SAFETY: the form is kept with the text, which is held beside it or by its dictionary for as long as the form
        // is looked at: until the key is written.
        let text = unsafe { convert::held_text(key) }?;
        if self.keys.len() < KEYS {
            self.keys.push(Key { object: key.to_owned(), text, known: KnownKey::new(text) });
            self.next_key = self.keys.len();
        }
        Some(text)
    }

    #[inline]
    fn key(&mut self, key: &Bound<'_, PyAny>) {
        match key.cast_exact::<PyString>().ok().and_then(convert::short_text) {
            Some(key) => self.out.key(key),
            None => self.out.key(&convert::text(key)),
        }
    }

    /// What is not built in, or only derived from what is.
    #[cold]
    fn other(&mut self, object: &Bound<'py, PyAny>, depth: usize) {
        if depth > MAX_DEPTH {
            return self.out.marker(cut::MAX_DEPTH);
        }
        match Shape::of(object, self.out.bounds()) {
            Shape::Text(text) => self.out.text(&text),
            Shape::Whole => self.derived(object, depth),
            Shape::Other(other) if self.stand_ins < STAND_INS => {
                self.stand_ins += 1;
                self.value(&other, depth);
                self.stand_ins -= 1;
            }
            Shape::Other(_) => self.out.marker(cut::CIRCULAR),
            Shape::List(length, mut items) => {
                let py = object.py();
                self.items(object, length, depth, |_| items.next()?.map_err(|error| hold(py, &error)).ok());
            }
            Shape::Pairs(length, mut pairs) => {
                let py = object.py();
                self.entries(object, length, depth, |walk| {
                    let pair = pairs.next()?.map_err(|error| hold(py, &error)).ok()?;
                    let (key, item) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>().ok()?;
                    walk.key(&key);
                    Some(item)
                });
            }
            Shape::Fields(fields) => {
                let mut rest = fields.iter();
                self.entries(object, fields.len(), depth, |walk| {
                    let (name, item) = rest.next()?;
                    walk.out.key(name);
                    Some(item.clone())
                });
            }
        }
    }

    /// Text, numbers, bytes, lists and dictionaries of classes derived from the built-in ones, and bytes.
    fn derived(&mut self, object: &Bound<'py, PyAny>, depth: usize) {
        if let Ok(text) = object.cast::<PyString>() {
            self.text(text);
        } else if let Ok(number) = object.cast::<PyInt>() {
            self.int(number);
        } else if let Ok(number) = object.cast::<PyFloat>() {
            self.out.f64(number.value());
        } else if let Ok(dict) = object.cast::<PyDict>() {
            self.dict(dict, depth);
        } else if let Ok(list) = object.cast::<PyList>() {
            self.list(list, depth);
        } else if let Ok(tuple) = object.cast::<PyTuple>() {
            self.tuple(tuple, depth);
        } else {
            match bytes_of(object, self.out.room()) {
                Ok(bytes) => self.out.bytes(&bytes),
                Err(length) => self.out.long_bytes(length),
            }
        }
    }

    /// Entries one after the other: `entry` writes a key and gives the value.
    fn entries(
        &mut self,
        object: &Bound<'py, PyAny>,
        length: usize,
        depth: usize,
        mut entry: impl FnMut(&mut Self) -> Option<Bound<'py, PyAny>>,
    ) {
        if !self.enter(object) {
            return;
        }
        if let Some(mut map) = self.out.map(depth, length) {
            let mut seen = 0;
            while seen < length && map.next(&self.out) {
                let Some(item) = entry(self) else {
                    map.ends_here();
                    break;
                };
                self.value(&item, depth + 1);
                seen += 1;
            }
            self.out.close_map(map);
        }
        self.path.pop();
    }
}
