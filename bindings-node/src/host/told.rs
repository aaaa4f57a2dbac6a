//! Records of the host stage as bytes that TypeScript decodes when they are looked at.

use std::borrow::Cow;

use polyspan::host::{HostEvent, HostRecord};
use polyspan::value::Value;

use crate::{memory, wire};

/// For each record a byte that tells what it is ([`HostEvent`]), a u32 length, and so much of a map.
pub fn records<'a>(records: impl Iterator<Item = HostRecord<'a>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let told = match record.event {
            HostEvent::Log => record.to_log().map(|log| wire::bytes(&memory::told_log(&log))),
            _ => record.to_data().map(|span| wire::bytes(&with_scope(memory::told(&span), &record))),
        };
        // The engine makes no record that cannot be read; the place of one is kept all the same.
        let told = told.unwrap_or_else(|| wire::bytes(&Value::Map(Vec::new())));
        bytes.push(record.event as u8);
        bytes.extend_from_slice(&(told.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&told);
    }
    bytes
}

/// What processors of the OpenTelemetry SDK see of a scope besides its name and version.
fn with_scope<'a>(mut span: Value<'a>, record: &HostRecord<'a>) -> Value<'a> {
    if let Value::Map(entries) = &mut span {
        let schema = record.scope.schema_url.as_str();
        entries.push((Cow::Borrowed("scopeSchemaUrl"), schema.into()));
    }
    span
}
