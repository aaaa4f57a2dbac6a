//! What a host made of a span: the fields that it read or set, as a map, against those that the span has.

use std::borrow::Cow;

use super::wire::{read_context, read_value};
use crate::frame::record::{EventData, LinkData, SpanData};
use crate::frame::view::SpanView;
use crate::frame::write::{self, Head};
use crate::frame::{EVENT_HEADER, EventKind, copy};
use crate::host::HostRecord;
use crate::kinds::{SpanKind, SpanType, StatusCode};
use crate::value::{OwnedValue, Value};

/// The body of a span's event with what was changed; `None` where nothing was.
///
/// # Errors
/// Says which field cannot be recorded.
pub fn body(record: &HostRecord<'_>, change: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let (Ok(view), Some(mut data)) = (SpanView::new(record.body), record.to_data()) else {
        return Err("a record that cannot be read".to_owned());
    };
    let mut head = *view.head();
    let Some(Value::Map(fields)) = read_value(change) else {
        return Err("a change that cannot be read".to_owned());
    };
    let mut changed = false;
    for (name, value) in fields {
        changed |= apply(&mut head, &mut data, &name, value)
            .ok_or_else(|| format!("{name}: something that cannot be recorded there"))?;
    }
    if !changed {
        return Ok(None);
    }
    let mut event = Vec::new();
    write::begin_span(&mut event);
    copy::fields(&mut event, &data);
    write::finish_span(&mut event, EventKind::SpanEnded, 0, &head);
    Ok(Some(event.split_off(EVENT_HEADER)))
}

/// Sets one field. Whether it is another one now; `None` where it is of a wrong form.
fn apply(head: &mut Head, data: &mut SpanData, name: &str, value: OwnedValue) -> Option<bool> {
    Some(match name {
        "name" => replace(&mut data.name, value.as_str()?.to_owned()),
        "statusMessage" => replace(&mut data.status_message, value.as_str()?.to_owned()),
        "type" => replace(&mut head.span_type, SpanType::from_name(value.as_str()?)?),
        "kind" => replace(&mut head.kind, kind(value.as_str()?)?),
        "status" => replace(&mut head.status, status(value.as_str()?)?),
        "startTime" => replace(&mut head.start_unix_nanos, nanos(&value)?),
        "endTime" => replace(&mut head.end_unix_nanos, nanos(&value)?),
        "attributes" => pairs(&mut data.attributes, value)?,
        "metadata" => pairs(&mut data.metadata, value)?,
        "tags" => {
            let Value::Array(tags) = value else { return None };
            let tags = tags.iter().map(|tag| tag.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
            replace(&mut data.tags, tags)
        }
        // A list of one value, or of none.
        "input" => slot(&mut data.input, value)?,
        "output" => slot(&mut data.output, value)?,
        "events" => {
            let Value::Array(events) = value else { return None };
            let before = std::mem::take(&mut data.events);
            let events = events.into_iter().enumerate().map(|(at, given)| event(given, before.get(at)));
            data.events = events.collect::<Option<Vec<_>>>()?;
            data.events != before
        }
        "links" => {
            let Value::Array(links) = value else { return None };
            let before = std::mem::take(&mut data.links);
            let links = links.into_iter().enumerate().map(|(at, given)| link(given, before.get(at)));
            data.links = links.collect::<Option<Vec<_>>>()?;
            data.links != before
        }
        _ => return None,
    })
}

fn replace<T: PartialEq>(kept: &mut T, now: T) -> bool {
    let differs = *kept != now;
    *kept = now;
    differs
}

fn kind(name: &str) -> Option<SpanKind> {
    let kinds =
        [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    kinds.into_iter().find(|kind| kind.as_str() == name)
}

fn status(name: &str) -> Option<StatusCode> {
    Some(match name {
        "unset" => StatusCode::Unset,
        "ok" => StatusCode::Ok,
        "error" => StatusCode::Error,
        _ => return None,
    })
}

fn nanos(value: &OwnedValue) -> Option<u64> {
    value.as_i64().and_then(|nanos| u64::try_from(nanos).ok())
}

/// Some hosts have one kind of number: what is the same to them stays what it was.
fn settled(before: Option<&OwnedValue>, now: OwnedValue) -> OwnedValue {
    match (before, now) {
        (Some(Value::F64(before)), Value::I64(now)) if *before == now as f64 => Value::F64(*before),
        (Some(Value::Array(before)), Value::Array(now)) => {
            let items = now.into_iter().enumerate();
            Value::Array(items.map(|(at, item)| settled(before.get(at), item)).collect())
        }
        (Some(Value::Map(before)), Value::Map(now)) => Value::Map(each_settled(before, now).collect()),
        (_, now) => now,
    }
}

/// The same for each value of a map.
fn each_settled<K: AsRef<str>>(
    before: &[(K, OwnedValue)],
    now: Vec<(Cow<'static, str>, OwnedValue)>,
) -> impl Iterator<Item = (Cow<'static, str>, OwnedValue)> {
    now.into_iter().map(|(key, now)| {
        let before = before.iter().find(|(known, _)| known.as_ref() == key).map(|(_, value)| value);
        (key, settled(before, now))
    })
}

fn pairs(kept: &mut Vec<(String, OwnedValue)>, now: OwnedValue) -> Option<bool> {
    let Value::Map(now) = now else { return None };
    let now = each_settled(kept, now).map(|(key, value)| (key.into_owned(), value)).collect();
    Some(replace(kept, now))
}

fn slot(kept: &mut Option<OwnedValue>, now: OwnedValue) -> Option<bool> {
    let Value::Array(now) = now else { return None };
    let now = now.into_iter().next().map(|now| settled(kept.as_ref(), now));
    Some(replace(kept, now))
}

/// The members of a map, by their names.
fn members<const N: usize>(given: OwnedValue, names: [&str; N]) -> Option<[OwnedValue; N]> {
    let Value::Map(entries) = given else { return None };
    let mut found = [const { Value::Null }; N];
    for (key, value) in entries {
        if let Some(slot) = names.iter().position(|name| *name == key).and_then(|at| found.get_mut(at)) {
            *slot = value;
        }
    }
    Some(found)
}

fn count(value: &OwnedValue) -> u32 {
    value.as_i64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

fn event(given: OwnedValue, before: Option<&EventData>) -> Option<EventData> {
    let [name, time, attributes, dropped] = members(given, ["name", "time", "attributes", "dropped"])?;
    let mut kept = before.map(|event| event.attributes.clone()).unwrap_or_default();
    pairs(&mut kept, attributes)?;
    Some(EventData {
        name: name.as_str()?.to_owned(),
        time_unix_nanos: nanos(&time)?,
        attributes: kept,
        dropped_attributes: count(&dropped),
    })
}

fn link(given: OwnedValue, before: Option<&LinkData>) -> Option<LinkData> {
    let [context, attributes, dropped] = members(given, ["context", "attributes", "dropped"])?;
    let Value::Bytes(context) = context else { return None };
    let mut kept = before.map(|link| link.attributes.clone()).unwrap_or_default();
    pairs(&mut kept, attributes)?;
    Some(LinkData { context: read_context(&context)?, attributes: kept, dropped_attributes: count(&dropped) })
}
