//! Metadata taken out of what an application knows about a request.

use std::borrow::Cow;

use crate::sampling::ContextPath;
use crate::value::{OwnedValue, Value};

/// The values that the keys name, as pieces of metadata. A key is the name of a value or a dotted path to
/// one inside it, whose nesting is kept: `user.id` becomes `{"user": {"id": …}}`. What is not there, and
/// null, is left out.
pub(crate) fn extract<'k>(
    context: &Value<'_>,
    keys: impl IntoIterator<Item = &'k str>,
) -> Vec<(Cow<'static, str>, OwnedValue)> {
    let mut found = Vec::new();
    for key in keys {
        // A name may hold dots of its own.
        if let Some(value) = ContextPath::of([key]).find(context).filter(|value| **value != Value::Null) {
            put(&mut found, &[key], value);
            continue;
        }
        let path: Vec<_> = key.split('.').collect();
        if let Some(value) = ContextPath::dotted(key).find(context).filter(|value| **value != Value::Null) {
            put(&mut found, &path, value);
        }
    }
    found
}

/// Puts a value at a path, making the maps on the way.
fn put(entries: &mut Vec<(Cow<'static, str>, OwnedValue)>, path: &[&str], value: &Value<'_>) {
    let Some((first, rest)) = path.split_first() else { return };
    let at = entries.iter().position(|(known, _)| known == first).unwrap_or_else(|| {
        entries.push((Cow::Owned((*first).to_owned()), Value::Map(Vec::new())));
        entries.len() - 1
    });
    let Some((_, slot)) = entries.get_mut(at) else { return };
    if rest.is_empty() {
        *slot = value.clone().into_owned();
        return;
    }
    if !matches!(slot, Value::Map(_)) {
        *slot = Value::Map(Vec::new());
    }
    if let Value::Map(inner) = slot {
        put(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::json::to_json;

    #[test]
    fn paths_keep_their_nesting() {
        let user =
            Value::from_iter([("id", Value::from("u")), ("name", "Ann".into()), ("tier", Value::Null)]);
        let context = Value::from_iter([
            ("user", user),
            ("tenant", "t".into()),
            ("a.b", 1.into()),
            ("roles", vec!["x", "y"].into()),
        ]);
        let keys =
            ["user.id", "tenant", "user.name", "user.tier", "a.b", "roles.1", "missing", "tenant.id", ""];
        let found = Value::Map(extract(&context, keys));
        assert_eq!(
            to_json(&found),
            r#"{"user":{"id":"u","name":"Ann"},"tenant":"t","a.b":1,"roles":{"1":"y"}}"#
        );
    }
}
