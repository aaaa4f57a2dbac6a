//! The one error type of the engine, raised only by start, flush, shutdown and file operations.
//!
//! The codes are the same in every language; recording spans never fails.

use core::fmt;

/// What kind of failure it was; the text is the code that every binding exposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// An option has a value that cannot be used; the message names the option and the fix.
    InvalidOption,
    /// `init` was called again with other options and without asking to replace.
    AlreadyInitialized,
    /// The engine of that name does not exist or has been shut down.
    NotRunning,
    /// The deadline passed before everything was delivered; the message says what was left.
    DeadlineExceeded,
    /// A file could not be written.
    Io,
    /// The operating system refused a thread or another resource.
    Resource,
}

/// How many characters of what an option held a message shows.
const SHOWN_CHARACTERS: usize = 100;

impl ErrorCode {
    /// The code in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOption => "invalid_option",
            Self::AlreadyInitialized => "already_initialized",
            Self::NotRunning => "not_running",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Io => "io",
            Self::Resource => "resource",
        }
    }
}

/// An error with its code and a message for the person who has to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    message: String,
}

impl Error {
    /// Makes an error; the message names what was wrong and what was expected.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// An option that cannot be used: `option` as the user wrote it, what it held (its first hundred characters),
    /// what was expected.
    pub fn invalid_option(option: &str, found: &str, expected: &str) -> Self {
        let message = match found.char_indices().nth(SHOWN_CHARACTERS) {
            Some((end, _)) => {
                let beginning = found.get(..end).unwrap_or_default();
                format!("{option}: {beginning:?} and more is not usable; expected {expected}")
            }
            None => format!("{option}: {found:?} is not usable; expected {expected}"),
        };
        Self::new(ErrorCode::InvalidOption, message)
    }

    /// The kind of failure.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message without the code.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl core::error::Error for Error {}
