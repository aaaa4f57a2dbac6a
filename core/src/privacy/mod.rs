//! Keeping secrets in the process: what is found by its name or by its form is replaced before anything leaves.
//!
//! [`Redactor`] is the rules, for texts and values; the export thread redacts whole spans with them, `inject`
//! baggage, the engine its own log lines. What is redacted, what is not, and how to say otherwise, is described
//! for users in `docs/privacy.md`; `tests/vectors/redaction.json` holds the cases that every language replays.
//!
//! One pass over the bytes of a span finds the places where a rule could matter (`triggers`); the rules look
//! around these only (`text`, and one file for each kind of thing), or at the names of a structure (`value`).
//! Nothing here does I/O or knows of threads.

mod book;
mod credentials;
mod digits;
mod encoded;
#[cfg(test)]
mod failing;
mod judged;
mod label;
mod lex;
mod names;
mod options;
mod pair;
mod prose;
#[cfg(feature = "engine")]
mod quiet;
mod redactor;
mod replace;
mod rules;
mod siblings;
mod sieve;
mod text;
mod tokens;
mod triggers;
mod url;
mod value;
mod words;

pub use options::{Personal, Redaction, RedactionStyle};
#[cfg(feature = "engine")]
pub(crate) use prose::MARK;
pub use redactor::Redactor;
#[cfg(feature = "engine")]
pub(crate) use redactor::State;
#[cfg(feature = "engine")]
pub(crate) use value::Rewriter;
