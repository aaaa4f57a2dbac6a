//! Log records: recording one, and from which level on they are kept; and the engine's own few lines.

use napi_derive::napi;
use polyspan::{Severity, hosted};

use crate::around::Ambient;
use crate::engine::NativeEngine;
use crate::entry::{always, guarded, throwing};
use crate::wire;

/// The number of a severity by its name; none for text that is none.
#[napi]
pub fn severity(name: String) -> Option<u32> {
    guarded(None, || None, || Severity::from_name(&name).map(|severity| severity.number().into()))
}

/// Changes the level of one engine, or of all.
#[napi]
pub fn set_log_level(engine: Option<&NativeEngine>, name: String) -> napi::Result<()> {
    let engine = engine.map(|engine| &engine.0);
    throwing(engine, || {
        hosted::set_log_level(engine, "logLevel", &name).map_err(|error| wire::thrown(&error))
    })
}

/// Whether a record of that severity would be kept now, in that engine or the default one.
#[napi]
pub fn log_enabled(engine: Option<&NativeEngine>, severity: u32) -> bool {
    let engine = engine.map(|engine| &engine.0);
    guarded(engine, || false, || hosted::log_enabled(engine, severity))
}

/// Records something in the log; `said` is a map as [`hosted::log`] has it. False where it is not kept.
#[napi]
pub fn log(
    engine: Option<&NativeEngine>,
    severity: u32,
    said: &[u8],
    span: Option<&[u8]>,
    around: Option<&Ambient>,
) -> napi::Result<bool> {
    let (engine, around) = (engine.map(|engine| &engine.0), around.map(|around| &around.0));
    guarded(
        engine,
        || Ok(false),
        || {
            let span = span.and_then(hosted::read_context);
            Ok(hosted::log(engine, severity, &wire::value(said)?, span.as_ref(), around))
        },
    )
}

/// What the engine itself has to say.
#[napi]
pub fn take_log() -> Vec<String> {
    always(None, Vec::new, hosted::lines::take)
}
