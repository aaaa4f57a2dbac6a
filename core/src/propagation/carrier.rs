//! Reading and writing what carries context: HTTP and message headers, job data, gRPC metadata, environment
//! variables.
//!
//! Propagators see a carrier only through [`Getter`] and [`Setter`]. Both are implemented for maps, maps with
//! several values, lists of pairs and closures, with text or byte values, so that a transport needs no code of
//! its own. Names compare without regard to case, as those of HTTP fields do (RFC 9110, section 5.1).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, Hash};

/// The reading side of a carrier.
pub trait Getter {
    /// Calls `each` with every value of `key`, in the carrier's order. The bytes need not be UTF-8.
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8]));
}

/// The writing side of a carrier.
pub trait Setter {
    /// Makes `value`, which is visible ASCII and blanks, the only value of `key`.
    fn set(&mut self, key: &str, value: &str);
}

/// A value that a carrier may hold: text, bytes, none, or several of these.
pub trait CarrierValue {
    /// Calls `each` with the bytes of every single value.
    fn each(&self, each: &mut dyn FnMut(&[u8]));
}

macro_rules! single_value {
    ($($kind:ty: $bytes:ident),+ $(,)?) => {$(
        impl CarrierValue for $kind {
            fn each(&self, each: &mut dyn FnMut(&[u8])) {
                each(self.$bytes());
            }
        }
    )+};
}

single_value! {
    str: as_bytes,
    String: as_bytes,
    Cow<'_, str>: as_bytes,
    [u8]: as_ref,
    Vec<u8>: as_slice,
    Cow<'_, [u8]>: as_ref,
    OsStr: as_encoded_bytes,
    OsString: as_encoded_bytes,
}

impl<V: CarrierValue + ?Sized> CarrierValue for &V {
    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        (**self).each(each);
    }
}

impl<V: CarrierValue> CarrierValue for Option<V> {
    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        if let Some(value) = self {
            value.each(each);
        }
    }
}

impl<V: CarrierValue> CarrierValue for [V] {
    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|value| value.each(each));
    }
}

impl<V: CarrierValue> CarrierValue for Vec<V> {
    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.as_slice().each(each);
    }
}

/// What a carrier makes of a name or value that is set on it.
pub trait FromText {
    /// The text in the carrier's own form.
    fn from_text(text: &str) -> Self;
}

impl FromText for String {
    fn from_text(text: &str) -> Self {
        text.to_owned()
    }
}

impl FromText for Cow<'_, str> {
    fn from_text(text: &str) -> Self {
        Cow::Owned(text.to_owned())
    }
}

impl FromText for Vec<u8> {
    fn from_text(text: &str) -> Self {
        text.as_bytes().to_vec()
    }
}

impl<V: FromText> FromText for Vec<V> {
    fn from_text(text: &str) -> Self {
        vec![V::from_text(text)]
    }
}

fn same_name(name: &impl AsRef<[u8]>, key: &str) -> bool {
    name.as_ref().eq_ignore_ascii_case(key.as_bytes())
}

impl<K: AsRef<[u8]>, V: CarrierValue> Getter for [(K, V)] {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        self.iter().filter(|(name, _)| same_name(name, key)).for_each(|(_, value)| value.each(each));
    }
}

impl<K: AsRef<[u8]>, V: CarrierValue> Getter for Vec<(K, V)> {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        self.as_slice().get_all(key, each);
    }
}

impl<K: AsRef<[u8]>, V: CarrierValue> Getter for BTreeMap<K, V> {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        self.iter().filter(|(name, _)| same_name(name, key)).for_each(|(_, value)| value.each(each));
    }
}

impl<K: AsRef<[u8]>, V: CarrierValue, S> Getter for HashMap<K, V, S> {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        // A hash map has no order; spellings that differ in case are taken by name, so that the result does
        // not change from run to run.
        let mut last: Option<&K> = None;
        loop {
            let next = self
                .iter()
                .filter(|(name, _)| same_name(*name, key))
                .filter(|(name, _)| last.is_none_or(|last| name.as_ref() > last.as_ref()))
                .min_by(|(left, _), (right, _)| left.as_ref().cmp(right.as_ref()));
            let Some((name, value)) = next else { return };
            value.each(each);
            last = Some(name);
        }
    }
}

impl<K: AsRef<[u8]> + FromText, V: FromText> Setter for Vec<(K, V)> {
    fn set(&mut self, key: &str, value: &str) {
        self.retain(|(name, _)| !same_name(name, key));
        self.push((K::from_text(key), V::from_text(value)));
    }
}

impl<K: AsRef<[u8]> + FromText + Ord, V: FromText> Setter for BTreeMap<K, V> {
    fn set(&mut self, key: &str, value: &str) {
        // Another spelling left behind would make two headers of one.
        self.retain(|name, _| !same_name(name, key));
        self.insert(K::from_text(key), V::from_text(value));
    }
}

impl<K: AsRef<[u8]> + FromText + Eq + Hash, V: FromText, S: BuildHasher> Setter for HashMap<K, V, S> {
    fn set(&mut self, key: &str, value: &str) {
        self.retain(|name, _| !same_name(name, key));
        self.insert(K::from_text(key), V::from_text(value));
    }
}

/// Reads a carrier through a function, which finds names in any case.
#[derive(Debug, Clone)]
pub struct GetterFn<F>(F);

impl<F: Fn(&str, &mut dyn FnMut(&[u8]))> GetterFn<F> {
    /// `read` is called with a lower-case name and calls its second argument with each value.
    pub fn new(read: F) -> Self {
        Self(read)
    }
}

impl<F: Fn(&str, &mut dyn FnMut(&[u8]))> Getter for GetterFn<F> {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        (self.0)(key, each);
    }
}

/// Writes to a carrier through a function.
#[derive(Debug, Clone)]
pub struct SetterFn<F>(F);

impl<F: FnMut(&str, &str)> SetterFn<F> {
    /// `write` is called with a lower-case name and its value, and replaces what was there.
    pub fn new(write: F) -> Self {
        Self(write)
    }
}

impl<F: FnMut(&str, &str)> Setter for SetterFn<F> {
    fn set(&mut self, key: &str, value: &str) {
        (self.0)(key, value);
    }
}

/// Reads environment variables as a carrier (OpenTelemetry, "Environment Variables as Context Propagation
/// Carriers"). It does not read the process environment itself: `lookup` says what a variable holds.
#[derive(Debug, Clone)]
pub struct EnvironmentGetter<F>(F);

impl<V: CarrierValue, F: Fn(&str) -> Option<V>> EnvironmentGetter<F> {
    /// `lookup` is called with the exact name of a variable, for example `TRACEPARENT`.
    pub fn new(lookup: F) -> Self {
        Self(lookup)
    }
}

impl<V: CarrierValue, F: Fn(&str) -> Option<V>> Getter for EnvironmentGetter<F> {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        (self.0)(&variable_name(key)).each(each);
    }
}

/// Writes context to the environment of a process that is about to be started.
#[derive(Debug, Clone)]
pub struct EnvironmentSetter<F>(F);

impl<F: FnMut(&str, &str)> EnvironmentSetter<F> {
    /// `write` is called with the name of a variable and its value, for example to put it on a command.
    pub fn new(write: F) -> Self {
        Self(write)
    }
}

impl<F: FnMut(&str, &str)> Setter for EnvironmentSetter<F> {
    fn set(&mut self, key: &str, value: &str) {
        (self.0)(&variable_name(key), value);
    }
}

/// The environment variable that stands for a field: upper-case, every character other than an ASCII letter,
/// digit or underscore replaced by `_`, and a `_` before a leading digit.
pub fn variable_name(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 1);
    if key.starts_with(|first: char| first.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(carrier: &dyn Getter, key: &str) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        carrier.get_all(key, &mut |value| found.push(value.to_vec()));
        found
    }

    #[test]
    fn text_bytes_and_several_values_are_read_alike() {
        let pairs = [("Key", "a"), ("other", "b"), ("KEY", "c")];
        assert_eq!(values(&pairs.to_vec(), "key"), [b"a", b"c"]);
        let bytes: Vec<(Vec<u8>, Vec<u8>)> = vec![(b"Key".to_vec(), vec![0xff]), (vec![0xff], vec![])];
        assert_eq!(values(&bytes, "key"), [[0xff]]);
        let several = HashMap::from([("Key", vec!["a", "b"]), ("key", vec!["c"])]);
        assert_eq!(values(&several, "key"), [b"a", b"b", b"c"]);
        let missing = BTreeMap::from([("key".to_owned(), None::<String>)]);
        assert!(values(&missing, "key").is_empty());
    }

    #[test]
    fn setting_leaves_one_spelling() {
        let mut map = HashMap::from([("Key".to_owned(), "old".to_owned())]);
        map.set("key", "new");
        assert_eq!(map, HashMap::from([("key".to_owned(), "new".to_owned())]));
        let mut tree = BTreeMap::from([("KEY".to_owned(), vec!["old".to_owned(), "older".to_owned()])]);
        tree.set("key", "new");
        assert_eq!(tree, BTreeMap::from([("key".to_owned(), vec!["new".to_owned()])]));
        let mut pairs = vec![(b"Key".to_vec(), b"old".to_vec()), (b"b".to_vec(), b"2".to_vec())];
        pairs.set("key", "new");
        assert_eq!(pairs, [(b"b".to_vec(), b"2".to_vec()), (b"key".to_vec(), b"new".to_vec())]);
    }

    #[test]
    fn closures_and_variables_carry() {
        let getter = GetterFn::new(|key, each| each(key.as_bytes()));
        assert_eq!(values(&getter, "key"), [b"key"]);
        let mut written = Vec::new();
        SetterFn::new(|key, value| written.push(format!("{key}={value}"))).set("k", "v");
        EnvironmentSetter::new(|key, value| written.push(format!("{key}={value}"))).set("x-b3.é", "v");
        assert_eq!(written, ["k=v", "X_B3__=v"]);
        let environment =
            EnvironmentGetter::new(|name| (name == "TRACEPARENT").then_some(OsString::from("tp")));
        assert_eq!(values(&environment, "traceparent"), [b"tp"]);
        assert_eq!((variable_name("1st"), variable_name("")), ("_1ST".to_owned(), String::new()));
    }
}
