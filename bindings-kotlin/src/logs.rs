//! Log records: recording one, and from which level on they are kept; and the engine's own few lines.

use std::sync::Arc;

use polyspan::{Severity, hosted};

use crate::around::{Ambient, inner};
use crate::engine::{NativeEngine, chosen};
use crate::entry::guarded;
use crate::failure::PolyspanError;

/// The number of a severity by its name; none for text that is none.
#[uniffi::export]
pub fn severity(name: String) -> Option<i32> {
    Severity::from_name(&name).map(|severity| severity.number().into())
}

/// Changes the level of one engine, or of all.
///
/// # Errors
/// `invalid_option` for text that is no level.
#[uniffi::export]
pub fn set_log_level(engine: Option<Arc<NativeEngine>>, name: String) -> Result<(), PolyspanError> {
    Ok(hosted::set_log_level(chosen(engine.as_ref()), "logLevel", &name)?)
}

/// Whether a record of that severity would be kept now, in that engine or the default one.
#[uniffi::export]
pub fn log_enabled(engine: Option<Arc<NativeEngine>>, severity: i32) -> bool {
    hosted::log_enabled(chosen(engine.as_ref()), u32::try_from(severity).unwrap_or(0))
}

/// Records something in the log; `said` is a map as [`hosted::log`] has it, `span` a context or empty. False where it is
/// not kept.
#[uniffi::export]
pub fn record_log(
    engine: Option<Arc<NativeEngine>>,
    severity: i32,
    said: &[u8],
    span: &[u8],
    around: Option<Arc<Ambient>>,
) -> bool {
    let engine = chosen(engine.as_ref());
    guarded(engine, false, || {
        let Some(said) = hosted::read_value(said) else { return false };
        let severity = u32::try_from(severity).unwrap_or(0);
        hosted::log(engine, severity, &said, hosted::read_context(span).as_ref(), inner(around.as_ref()))
    })
}

/// What the engine itself has to say, one line each.
#[uniffi::export]
pub fn take_log() -> Vec<String> {
    hosted::lines::take()
}
