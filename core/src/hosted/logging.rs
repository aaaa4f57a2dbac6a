//! Log records of hosts: recording one, and from which level on they are kept.

use std::sync::Arc;

use crate::context::SpanContext;
use crate::current::Surroundings;
use crate::engine::Engine;
use crate::error::Error;
use crate::frame::record::Scope;
use crate::logs::{LogLevel, Severity};
use crate::registry;
use crate::value::Value;

/// Changes the level of one engine, or of all; `option` is what the host calls the level.
///
/// # Errors
/// `invalid_option` for text that is no level.
pub fn set_log_level(engine: Option<&Engine>, option: &str, name: &str) -> Result<(), Error> {
    let expected = "trace, debug, info, warn, error, fatal, none";
    let level = LogLevel::from_name(name).ok_or_else(|| Error::invalid_option(option, name, expected))?;
    match engine {
        Some(engine) => engine.set_log_level(level),
        None => registry::engines().iter().for_each(|engine| engine.set_log_level(level)),
    }
    Ok(())
}

/// Whether a record of that severity number would be kept now, in that engine or the default one.
pub fn log_enabled(engine: Option<&Engine>, severity: u32) -> bool {
    chosen(engine).is_some_and(|engine| engine.is_log_enabled(numbered(severity)))
}

/// Records something in the log. `said` is a map: `body`, `severity_text`, `event_name`, `logger`, `time`,
/// `attributes`. False where it is not kept.
pub fn log(
    engine: Option<&Engine>,
    severity: u32,
    said: &Value<'static>,
    span: Option<&SpanContext>,
    around: Option<&Arc<Surroundings>>,
) -> bool {
    let (Some(engine), Value::Map(said)) = (chosen(engine), said) else { return false };
    let part = |name: &str| said.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let text = |name: &str| part(name).and_then(Value::as_str).unwrap_or_default();
    let body = part("body").cloned().unwrap_or(Value::Null);
    let mut builder = engine
        .log(numbered(severity), body)
        .severity_text(text("severity_text"))
        .event_name(text("event_name"))
        .span(span)
        .surroundings(around);
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
    builder.emit()
}

fn chosen(engine: Option<&Engine>) -> Option<Engine> {
    engine.cloned().or_else(registry::default_engine)
}

fn numbered(severity: u32) -> Severity {
    Severity::from_number(u8::try_from(severity).unwrap_or(0))
}
