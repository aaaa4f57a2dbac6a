//! Errors, and values that TypeScript encoded.

use polyspan::Error;
use polyspan::hosted::read_value;
use polyspan::value::OwnedValue;

/// An error of the engine; TypeScript reads the code before the first colon.
pub fn thrown(error: &Error) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}

/// A value that TypeScript encoded.
pub fn value(bytes: &[u8]) -> napi::Result<OwnedValue> {
    read_value(bytes).ok_or_else(|| napi::Error::from_reason("internal: a value that cannot be read"))
}
