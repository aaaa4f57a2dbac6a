//! Log records: recording one, and from which level on they are kept.

use napi_derive::napi;
use polyspan::frame::record::Scope;
use polyspan::value::Value;
use polyspan::{Engine, Error, LogLevel, Severity, registry};

use crate::around::Ambient;
use crate::engine::NativeEngine;
use crate::wire;

/// The number of a severity by its name; none for text that is none.
#[napi]
pub fn severity(name: String) -> Option<u32> {
    Severity::from_name(&name).map(|severity| severity.number().into())
}

/// The least severity that each level keeps; above all for `none`.
///
/// # Errors
/// `invalid_option` for text that is no level.
fn level(name: &str) -> napi::Result<LogLevel> {
    LogLevel::from_name(name).ok_or_else(|| {
        let expected = "trace, debug, info, warn, error, fatal, none";
        wire::thrown(&Error::invalid_option("logLevel", name, expected))
    })
}

/// Changes the level of one engine, or of all.
#[napi]
pub fn set_log_level(engine: Option<&NativeEngine>, name: String) -> napi::Result<()> {
    let level = level(&name)?;
    match engine {
        Some(engine) => engine.0.set_log_level(level),
        None => registry::engines().iter().for_each(|engine| engine.set_log_level(level)),
    }
    Ok(())
}

/// Whether a record of that severity would be kept now, in that engine or the default one.
#[napi]
pub fn log_enabled(engine: Option<&NativeEngine>, severity: u32) -> bool {
    chosen(engine).is_some_and(|engine| engine.is_log_enabled(numbered(severity)))
}

/// Records something in the log. `said` is a map: `body`, `severity_text`, `event_name`, `logger`, `time`,
/// `attributes`. False where it is not kept.
#[napi]
pub fn log(
    engine: Option<&NativeEngine>,
    severity: u32,
    said: &[u8],
    span: Option<&[u8]>,
    around: Option<&Ambient>,
) -> napi::Result<bool> {
    let Some(engine) = chosen(engine) else { return Ok(false) };
    let Value::Map(said) = wire::value(said)? else { return Ok(false) };
    let span = span.and_then(wire::read_context);
    let part = |name: &str| said.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let text = |name: &str| part(name).and_then(Value::as_str).unwrap_or_default();
    let body = part("body").cloned().unwrap_or(Value::Null);
    let mut builder = engine
        .log(numbered(severity), body)
        .severity_text(text("severity_text"))
        .event_name(text("event_name"))
        .span(span.as_ref())
        .surroundings(around.map(|around| &around.0));
    let logger = text("logger");
    if !logger.is_empty() {
        builder = builder.scope(engine.scope(Scope { name: logger.to_owned(), ..Scope::default() }));
    }
    if let Some(time) = part("time").and_then(Value::as_i64) {
        builder = builder.time(u64::try_from(time).unwrap_or(0));
    }
    if let Some(Value::Map(attributes)) = part("attributes") {
        for (key, value) in attributes {
            builder = builder.attribute(key.as_ref(), value.clone());
        }
    }
    Ok(builder.emit())
}

fn chosen(engine: Option<&NativeEngine>) -> Option<Engine> {
    engine.map(|engine| engine.0.clone()).or_else(registry::default_engine)
}

fn numbered(severity: u32) -> Severity {
    Severity::from_number(u8::try_from(severity).unwrap_or(0))
}
