//! Reading options that a host passes on as data: every error names the field as its user wrote it.
//!
//! Samplers and the engine's options are read so; a binding hands over what it was given and keeps no rule
//! of its own.

use std::borrow::Cow;

use crate::error::Error;
use crate::value::Value;

/// A number of either type.
pub(crate) fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::I64(integer) => Some(*integer as f64),
        Value::F64(double) => Some(*double),
        _ => None,
    }
}

/// A truth value.
pub(crate) fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        _ => None,
    }
}

/// The error for a value that is not what was expected.
pub(crate) fn unexpected(at: &str, found: &Value<'_>, expected: &str) -> Error {
    let found = match found {
        Value::Null => Cow::Borrowed("nothing"),
        Value::Bool(value) => Cow::Owned(value.to_string()),
        Value::I64(value) => Cow::Owned(value.to_string()),
        Value::F64(value) => Cow::Owned(value.to_string()),
        Value::Str(text) => Cow::Borrowed(text.as_ref()),
        Value::Bytes(_) => Cow::Borrowed("bytes"),
        Value::Array(_) => Cow::Borrowed("a list"),
        Value::Map(_) => Cow::Borrowed("a map"),
    };
    Error::invalid_option(at, &found, expected)
}

/// The fields of a map together with where it stands in what the user wrote.
///
/// Names count in either style: a JavaScript host passes `maxBatchSpans` for `max_batch_spans`, and errors
/// say it so.
pub(crate) struct Fields<'v, 'a> {
    entries: &'v [(Cow<'a, str>, Value<'a>)],
    at: String,
}

impl<'v, 'a> Fields<'v, 'a> {
    /// The fields of `value`, which stands at `at`; nothing for the outermost map.
    pub(crate) fn of(value: &'v Value<'a>, at: &str) -> Result<Self, Error> {
        match value {
            Value::Map(entries) => Ok(Self { entries, at: at.to_owned() }),
            other => Err(unexpected(if at.is_empty() { "options" } else { at }, other, "a map")),
        }
    }

    /// Where a field stands, as the user wrote it.
    pub(crate) fn path(&self, key: &str) -> String {
        let key = self.find(key).map_or(key, |(name, _)| name);
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// A field; null is the same as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'v Value<'a>> {
        self.find(key).map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    /// A field that must be there.
    pub(crate) fn required(&self, key: &str) -> Result<&'v Value<'a>, Error> {
        self.get(key).ok_or_else(|| unexpected(&self.path(key), &Value::Null, "a value"))
    }

    /// A text that must be there.
    pub(crate) fn text(&self, key: &str) -> Result<&'v str, Error> {
        let value = self.required(key)?;
        value.as_str().ok_or_else(|| unexpected(&self.path(key), value, "text"))
    }

    /// A field read by `of`, or an error that says what was expected; `None` if it is absent.
    pub(crate) fn read<T>(
        &self,
        key: &str,
        expected: &str,
        of: impl FnOnce(&'v Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        of(value).map(Some).ok_or_else(|| unexpected(&self.path(key), value, expected))
    }

    /// The entries of a map field, each with its path; none if the field is absent.
    pub(crate) fn entries(&self, key: &str) -> Result<Vec<(&'v str, &'v Value<'a>, String)>, Error> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let Value::Map(entries) = value else { return Err(unexpected(&self.path(key), value, "a map")) };
        let path = self.path(key);
        Ok(entries.iter().map(|(name, value)| (name.as_ref(), value, format!("{path}.{name}"))).collect())
    }

    /// Refuses fields that nobody reads: a misspelt condition would match everything.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Error> {
        match self.entries.iter().find(|(name, _)| !known.iter().any(|key| same(name, key))) {
            None => Ok(()),
            Some((name, _)) => {
                let at = if self.at.is_empty() { "options" } else { &self.at };
                Err(Error::invalid_option(at, name, &format!("only {}", known.join(", "))))
            }
        }
    }

    fn find(&self, key: &str) -> Option<(&'v str, &'v Value<'a>)> {
        let found = self.entries.iter().rev().find(|(name, _)| same(name, key));
        found.map(|(name, value)| (name.as_ref(), value))
    }
}

/// Whether a name is the key in snake case or in camel case.
fn same(name: &str, key: &str) -> bool {
    let plain =
        |text: &str| text.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect::<String>();
    name == key || plain(name) == plain(key)
}
