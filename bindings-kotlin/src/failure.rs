//! Errors as Kotlin and Swift see them.

use std::fmt;

use polyspan::hosted::read_value;
use polyspan::value::OwnedValue;
use polyspan::{Error, ErrorCode};

/// Starting, flushing or stopping an engine failed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Error)]
pub enum PolyspanError {
    /// `code` is the same in every language, such as `invalid_option`; `text` names the option, what was got and what
    /// was expected.
    Failed { code: String, text: String },
}

impl fmt::Display for PolyspanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { code, text } = self;
        write!(f, "{code}: {text}")
    }
}

impl std::error::Error for PolyspanError {}

impl From<Error> for PolyspanError {
    fn from(error: Error) -> Self {
        Self::Failed { code: error.code().as_str().to_owned(), text: error.message().to_owned() }
    }
}

/// No engine runs, or it runs in a process that is forked too deeply.
pub fn not_running(what: &str) -> Error {
    Error::new(ErrorCode::NotRunning, format!("{what}: no engine runs"))
}

/// A value that the host encoded; `option` says what for.
///
/// # Errors
/// `invalid_option` for bytes that are no value.
pub fn value(option: &str, bytes: &[u8]) -> Result<OwnedValue, Error> {
    read_value(bytes).ok_or_else(|| Error::invalid_option(option, "bytes that are no value", "a value"))
}
