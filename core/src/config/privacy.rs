//! The option `redaction` given as data.

use crate::error::Error;
use crate::privacy::{Personal, Redaction, RedactionStyle};
use crate::sampling::fields::{Fields, truth, unexpected};
use crate::value::Value;

const REDACTION: &str = "true, false, full, partial, indexed, or a map";
const STYLE: &str = "full, partial or indexed";

/// Reads the option that stands at `at`; the patterns themselves are compiled when the engine starts.
pub(super) fn read(value: &Value<'_>, at: &str) -> Result<Redaction, Error> {
    match value {
        Value::Bool(true) => Ok(Redaction::new()),
        Value::Bool(false) => Ok(Redaction::off()),
        Value::Str(name) => {
            let style = RedactionStyle::from_name(name).ok_or_else(|| unexpected(at, value, REDACTION))?;
            Ok(Redaction::new().style(style))
        }
        Value::Map(_) => fields(&Fields::of(value, at)?),
        _ => Err(unexpected(at, value, REDACTION)),
    }
}

fn fields(fields: &Fields<'_, '_>) -> Result<Redaction, Error> {
    fields.only(&["enabled", "style", "keys", "patterns", "personal", "allow_keys", "allow_patterns"])?;
    let enabled = fields.read("enabled", "true or false", truth)?.unwrap_or(true);
    let mut redaction = if enabled { Redaction::new() } else { Redaction::off() };
    if let Some(style) = fields.read("style", STYLE, |value| RedactionStyle::from_name(value.as_str()?))? {
        redaction = redaction.style(style);
    }
    for key in texts(fields, "keys")? {
        redaction = redaction.key(key);
    }
    match fields.get("patterns") {
        Some(Value::Map(_)) => {
            for (name, value, at) in fields.entries("patterns")? {
                let expression =
                    value.as_str().ok_or_else(|| unexpected(&at, value, "a regular expression"))?;
                redaction = redaction.pattern(name, expression);
            }
        }
        _ => {
            for (place, expression) in texts(fields, "patterns")?.into_iter().enumerate() {
                redaction = redaction.pattern(format!("pattern_{}", place + 1), expression);
            }
        }
    }
    for kind in texts(fields, "personal")? {
        let kind = Personal::from_name(&kind).ok_or_else(|| {
            Error::invalid_option(&fields.path("personal"), &kind, "a list of email, ip and phone")
        })?;
        redaction = redaction.personal(kind);
    }
    for key in texts(fields, "allow_keys")? {
        redaction = redaction.allow_key(key);
    }
    for expression in texts(fields, "allow_patterns")? {
        redaction = redaction.allow_pattern(expression);
    }
    Ok(redaction)
}

/// A list of texts; empty if it is absent.
fn texts(fields: &Fields<'_, '_>, key: &str) -> Result<Vec<String>, Error> {
    let read = |value: &Value<'_>| match value {
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    Ok(fields.read(key, "a list of texts", read)?.unwrap_or_default())
}
