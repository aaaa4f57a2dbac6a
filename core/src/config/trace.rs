//! What every trace of an engine carries, what of it travels, and which spans are left out.

use std::borrow::Cow;

use super::options::Options;
use crate::carried::{CarriedId, CarriedSet, MAX_CARRIED};
use crate::error::Error;
use crate::frame::write;
use crate::kinds::{SpanType, TypeSet};
use crate::value::{OwnedValue, Value};

/// What traces carry besides what is set on their spans.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TraceSettings {
    /// Ids of every span that does not inherit others.
    pub ids: Vec<(CarriedId, String)>,
    /// Metadata of every span that has no other value of the key, each key once.
    pub metadata: Vec<(Cow<'static, str>, OwnedValue)>,
    /// Tags of every trace, each once.
    pub tags: Vec<String>,
    /// Names of values of the request context, or dotted paths to them, that roots take as metadata.
    pub request_context_keys: Vec<String>,
    /// The ids that `inject` writes and `extract` reads.
    pub propagate: CarriedSet,
    /// Which spans are left out.
    pub hiding: Hiding,
}

impl TraceSettings {
    /// Whether spans can carry it: every one holds a copy.
    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some((id, value)) = self.ids.iter().find(|(_, value)| value.is_empty()) {
            return Err(Error::invalid_option(id.name(), value, "text that is not empty"));
        }
        let mut fields = Vec::new();
        for (key, value) in &self.metadata {
            named("metadata", key)?;
            write::metadata(&mut fields, key, value);
        }
        carriable("metadata", fields.len())?;
        fields.clear();
        for tag in &self.tags {
            named("tags", tag)?;
            write::trace_tag(&mut fields, tag);
        }
        carriable("tags", fields.len())
    }
}

/// An option whose keys or tags, here one of them, cannot be empty.
fn named(option: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::invalid_option(option, text, "texts that are not empty"));
    }
    Ok(())
}

/// An option of which every span holds so many bytes.
fn carriable(option: &str, bytes: usize) -> Result<(), Error> {
    if bytes > MAX_CARRIED {
        let expected = format!("at most {MAX_CARRIED} bytes together");
        return Err(Error::invalid_option(option, &format!("{bytes} bytes"), &expected));
    }
    Ok(())
}

/// Which spans are left out. Their children go to the nearest ancestor that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hiding {
    /// Types whose spans are internal to a framework.
    pub internal: TypeSet,
    /// Internal spans are exported all the same.
    pub include_internal: bool,
    /// Types that are never exported.
    pub excluded: TypeSet,
}

impl Options {
    /// Where it runs, as `deployment.environment.name` of the resource. Default: that attribute of
    /// `OTEL_RESOURCE_ATTRIBUTES`, else the variable that the language uses (`PYTHON_ENV`, `NODE_ENV`), else
    /// `APP_ENV`, else `ENVIRONMENT`, else not set.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// An id of every span that does not inherit another one. Default: none.
    #[must_use]
    pub fn default_id(mut self, id: CarriedId, value: impl Into<String>) -> Self {
        self.trace.ids.retain(|(known, _)| *known != id);
        self.trace.ids.push((id, value.into()));
        self
    }

    /// A piece of metadata of every span that neither inherits nor is given another value of the key. Replaces one
    /// of the same key; all of it together has at most 64 KiB. Default: none.
    #[must_use]
    pub fn metadata<'a>(mut self, key: impl Into<String>, value: impl Into<Value<'a>>) -> Self {
        let key = key.into();
        self.trace.metadata.retain(|(known, _)| *known != key);
        self.trace.metadata.push((key.into(), value.into().into_owned()));
        self
    }

    /// Tags of every trace that starts here, besides those that it is given; at most 64 KiB together. Default: none.
    #[must_use]
    pub fn tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        for tag in tags {
            let tag = tag.into();
            if !self.trace.tags.contains(&tag) {
                self.trace.tags.push(tag);
            }
        }
        self
    }

    /// Names of values of the request context, or dotted paths to them, that the root of a trace takes as
    /// metadata, which everything below inherits. Default: none.
    #[must_use]
    pub fn request_context_keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        self.trace.request_context_keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// The ids that follow a trace to other processes: `inject` writes them as baggage, the session also as
    /// the header `x-polyspan-session-id`, and `extract` takes them from there. Default: none; a session
    /// header is read all the same.
    #[must_use]
    pub fn propagate_context(mut self, ids: CarriedSet) -> Self {
        self.trace.propagate = ids;
        self
    }

    /// Types whose spans are internal to a framework and not exported; see [`TypeSet::of_family`].
    /// Default: none.
    #[must_use]
    pub fn internal_spans(mut self, types: TypeSet) -> Self {
        self.trace.hiding.internal = self.trace.hiding.internal.union(types);
        self
    }

    /// Exports internal spans too. Default: false.
    #[must_use]
    pub fn include_internal_spans(mut self, include: bool) -> Self {
        self.trace.hiding.include_internal = include;
        self
    }

    /// Types that are not exported. Default: none.
    #[must_use]
    pub fn exclude_span_types(mut self, types: impl IntoIterator<Item = SpanType>) -> Self {
        self.trace.hiding.excluded = self.trace.hiding.excluded.union(types.into_iter().collect());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_and_each_tag_once() {
        let options = Options::new("x").metadata("a", 1).metadata("b", 2).metadata("a", 3);
        let options = options.tags(["x", "y"]).tags(["x", "z"]);
        assert_eq!(options.trace.metadata, [("b".into(), 2.into()), ("a".into(), 3.into())]);
        assert_eq!(options.trace.tags, ["x", "y", "z"]);
    }

    #[test]
    fn what_every_span_would_hold_is_bounded() {
        let long = "x".repeat(40_000);
        let fits = Options::new("x").metadata("a", long.as_str()).tags([long.clone()]);
        assert_eq!(fits.trace.check(), Ok(()));
        let error = fits.clone().metadata("b", long.as_str()).trace.check().unwrap_err();
        assert!(error.message().starts_with("metadata: \"80"), "{error}");
        assert!(error.message().ends_with("expected at most 65536 bytes together"), "{error}");
        let error = fits.tags(["y".repeat(40_000)]).trace.check().unwrap_err();
        assert!(error.message().starts_with("tags: \""), "{error}");
    }
}
