//! What every span inside a context inherits.

use std::borrow::Cow;
use std::sync::Arc;

use crate::carried::{CarriedId, CarriedSet, MAX_CARRIED};
use crate::cut;
use crate::frame::write;
use crate::kinds::{SpanFlags, TypeSet};
use crate::propagation::Baggage;
use crate::request_context;
use crate::value::{OwnedValue, Value};

pub(crate) type Pairs = Vec<(Cow<'static, str>, OwnedValue)>;

/// What every span inside inherits: ids such as the session, attributes, metadata, tags, baggage, and what
/// is to be hidden.
///
/// Immutable and shared; [`Surroundings::inside`] makes a changed copy. Kept encoded, so that inheriting
/// costs one copy of bytes per span.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    attributes: Pairs,
    metadata: Pairs,
    tags: Vec<String>,
    baggage: Baggage,
    ids: CarriedSet,
    flags: SpanFlags,
    internal: TypeSet,
    request: Option<Arc<OwnedValue>>,
    request_keys: Vec<String>,
    fields: Vec<u8>,
    tag_fields: Vec<u8>,
}

/// Attributes, pieces of metadata, and tags: every span inside carries them all.
pub(crate) const MAX_INHERITED: usize = 1024;

/// The lengths and kinds that stand before a key and a value, at most.
const HEADERS: usize = 32;

impl Surroundings {
    /// A copy to change, of `outer` or of nothing.
    pub fn inside(outer: Option<&Arc<Self>>) -> Self {
        outer.map_or_else(Self::default, |outer| Self::clone(outer))
    }

    /// An attribute of every span inside; replaces one of the same key.
    #[must_use]
    pub fn attribute<'a>(mut self, key: &str, value: impl Into<Value<'a>>) -> Self {
        if let Some(id) = CarriedId::from_key(key) {
            self.ids = self.ids.with(id);
        }
        match set(&mut self.attributes, key, value.into()) {
            Change::Replaced => self.encode(),
            Change::Added(value) => put(&mut self.fields, write::attribute, key, value),
            Change::Refused => {}
        }
        self
    }

    /// An id of everything inside: whose session it is, whose user.
    #[must_use]
    pub fn id(self, id: CarriedId, value: &str) -> Self {
        self.attribute(id.key(), value)
    }

    /// The session, as attribute `session.id`.
    #[must_use]
    pub fn session_id(self, id: &str) -> Self {
        self.id(CarriedId::Session, id)
    }

    /// The user, as attribute `user.id`.
    #[must_use]
    pub fn user_id(self, id: &str) -> Self {
        self.id(CarriedId::User, id)
    }

    /// A piece of metadata of every span inside; replaces one of the same key.
    #[must_use]
    pub fn metadata<'a>(mut self, key: &str, value: impl Into<Value<'a>>) -> Self {
        match set(&mut self.metadata, key, value.into()) {
            Change::Replaced => self.encode(),
            Change::Added(value) => put(&mut self.fields, write::metadata, key, value),
            Change::Refused => {}
        }
        self
    }

    /// A tag of every trace that starts inside.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !self.tags.contains(&tag) && has_room(self.tags.len()) {
            write::trace_tag(&mut self.tag_fields, &tag);
            self.tags.push(tag);
        }
        self
    }

    /// Replaces the baggage.
    #[must_use]
    pub fn with_baggage(mut self, baggage: Baggage) -> Self {
        self.baggage = baggage;
        self
    }

    /// The input of spans inside does not leave the process.
    #[must_use]
    pub fn hide_input(mut self) -> Self {
        self.flags = self.flags.with(SpanFlags::HIDE_INPUT);
        self
    }

    /// The output of spans inside does not leave the process.
    #[must_use]
    pub fn hide_output(mut self) -> Self {
        self.flags = self.flags.with(SpanFlags::HIDE_OUTPUT);
        self
    }

    /// Spans of these types inside are internal to a framework, besides those that are already.
    #[must_use]
    pub fn internal(mut self, types: TypeSet) -> Self {
        self.internal = self.internal.union(types);
        self
    }

    /// What the application knows about the request, a map as a rule: samplers see it, and roots take
    /// metadata out of it by [`Surroundings::request_context_keys`] and those of the engine.
    #[must_use]
    pub fn request_context<'a>(mut self, context: impl Into<Value<'a>>) -> Self {
        self.request = Some(Arc::new(context.into().into_owned()));
        self
    }

    /// Names of values of the request context, or dotted paths to them, that roots inside take as metadata,
    /// besides those that the engine is configured with.
    #[must_use]
    pub fn request_context_keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        for key in keys {
            let key = key.into();
            if !self.request_keys.contains(&key) {
                self.request_keys.push(key);
            }
        }
        self
    }

    /// The baggage that travels on from here.
    pub fn baggage(&self) -> &Baggage {
        &self.baggage
    }

    /// The attributes that every span inside carries, ids among them.
    pub fn attributes(&self) -> &[(Cow<'static, str>, OwnedValue)] {
        &self.attributes
    }

    /// The metadata that every span inside carries.
    pub fn all_metadata(&self) -> &[(Cow<'static, str>, OwnedValue)] {
        &self.metadata
    }

    /// The ids that are set, with their texts.
    pub fn ids(&self) -> impl Iterator<Item = (CarriedId, &str)> {
        let attributes = self.attributes.iter();
        attributes.filter_map(|(key, value)| Some((CarriedId::from_key(key)?, value.as_str()?)))
    }

    /// What the application knows about the request.
    pub fn request(&self) -> Option<&OwnedValue> {
        self.request.as_deref()
    }

    #[inline]
    pub(crate) const fn flags(&self) -> SpanFlags {
        self.flags
    }

    #[inline]
    pub(crate) const fn internal_types(&self) -> TypeSet {
        self.internal
    }

    #[inline]
    pub(crate) const fn id_set(&self) -> CarriedSet {
        self.ids
    }

    /// The tags, as fields of a span at the top of a trace.
    pub(crate) fn tag_fields(&self) -> &[u8] {
        &self.tag_fields
    }

    /// The same with metadata taken out of a request context by the keys that were asked for here and those
    /// of the engine. What is set already stays, unless it `overrides` that. None if nothing is to be added.
    #[cold]
    pub(crate) fn with_extracted(
        around: Option<&Arc<Self>>,
        context: Option<&Value<'_>>,
        engine_keys: &[String],
        overrides: bool,
    ) -> Option<Self> {
        let context = context.or_else(|| around?.request())?;
        let own_keys = around.map_or(&[][..], |around| &around.request_keys);
        let keys = engine_keys.iter().chain(own_keys).map(String::as_str);
        let is_set =
            |key: &str| around.is_some_and(|around| around.metadata.iter().any(|(known, _)| known == key));
        let extracted = request_context::extract(context, keys);
        let added = extracted.into_iter().filter(|(key, _)| overrides || !is_set(key));
        added.fold(None, |inner, (key, value)| {
            Some(inner.unwrap_or_else(|| Self::inside(around)).metadata(&key, value))
        })
    }

    /// Writes everything anew.
    fn encode(&mut self) {
        self.fields.clear();
        for (key, value) in &self.attributes {
            put(&mut self.fields, write::attribute, key, value);
        }
        for (key, value) in &self.metadata {
            put(&mut self.fields, write::metadata, key, value);
        }
    }

    /// The fields each span inside starts with; the tags only at the top of a trace.
    #[inline]
    pub(crate) fn put(&self, buf: &mut Vec<u8>, local_root: bool) {
        buf.extend_from_slice(&self.fields);
        if local_root {
            buf.extend_from_slice(&self.tag_fields);
        }
    }
}

type Write = fn(&mut Vec<u8>, &str, &Value<'_>);

/// Writes a value; of one that is too large what fits, or a mark that it was there.
fn put(fields: &mut Vec<u8>, write: Write, key: &str, value: &Value<'_>) {
    let at = fields.len();
    write(fields, key, value);
    let room = MAX_CARRIED.saturating_sub(key.len() + HEADERS);
    if fields.len() - at > MAX_CARRIED {
        fields.truncate(at);
        let message = "what spans inherit has at most 64 KiB a value; this is cut: ";
        crate::log::warn_once("surroundings", &format!("{message}{:?}", cut::to_bytes(key, 64)));
        let left = match value {
            Value::Str(text) if room > cut::TRUNCATED.len() => cut::to_bytes(text, room),
            _ => cut::TRUNCATED.to_owned(),
        };
        write(fields, key, &Value::from(left));
    }
    if key.is_empty() || fields.len() - at > MAX_CARRIED {
        fields.truncate(at);
        let message = "what spans inherit must have a key of at most 64 KiB; this is left out: ";
        crate::log::warn_once("surroundings", &format!("{message}{:?}", cut::to_bytes(key, 64)));
    }
}

/// What became of a value.
enum Change<'l> {
    Added(&'l OwnedValue),
    Replaced,
    Refused,
}

fn set<'l>(list: &'l mut Pairs, key: &str, value: Value<'_>) -> Change<'l> {
    if let Some(place) = list.iter().position(|(known, _)| known == key) {
        if let Some((_, slot)) = list.get_mut(place) {
            *slot = value.into_owned();
        }
        return Change::Replaced;
    }
    if !has_room(list.len()) {
        return Change::Refused;
    }
    list.push((Cow::Owned(key.to_owned()), value.into_owned()));
    list.last().map_or(Change::Refused, |(_, value)| Change::Added(value))
}

fn has_room(count: usize) -> bool {
    if count >= MAX_INHERITED {
        let message =
            format!("spans inherit at most {MAX_INHERITED} values of a kind; further ones are left out");
        crate::log::warn_once("inherited", &message);
    }
    count < MAX_INHERITED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inherited_is_bounded_in_number_and_size() {
        let many = (0..10 * MAX_INHERITED).fold(Surroundings::default(), |around, number| {
            around
                .metadata(&format!("m{number}"), 1)
                .attribute(&format!("a{number}"), 1)
                .tag(format!("t{number}"))
        });
        let counts = (many.metadata.len(), many.attributes.len(), many.tags.len());
        assert_eq!(counts, (MAX_INHERITED, MAX_INHERITED, MAX_INHERITED));
        assert!(
            many.metadata("m1", 2).metadata.contains(&(Cow::from("m1"), OwnedValue::from(2))),
            "known keys change"
        );

        let large = Surroundings::default()
            .metadata("text", "x".repeat(100_000))
            .metadata("list", vec!["x"; 100_000]);
        assert!((60_000..140_000).contains(&large.fields.len()), "{}", large.fields.len());
        let marks =
            large.fields.windows(cut::TRUNCATED.len()).filter(|part| *part == cut::TRUNCATED.as_bytes());
        assert_eq!(marks.count(), 2, "both say that they were cut");
    }
}
