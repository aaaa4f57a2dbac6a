//! What every span of an engine carries that is given nothing else: ids, metadata and tags of its configuration.
//!
//! Encoded once, when the engine starts; whoever begins a span or a log record copies it in front of what is inherited
//! and given.

use super::Surroundings;
use crate::carried::{CarriedId, CarriedSet};
use crate::config::TraceSettings;
use crate::frame::write;

/// What an engine is configured to have its spans carry.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    set: CarriedSet,
    /// All ids, then the metadata.
    fields: Vec<u8>,
    ids: Vec<(CarriedId, Vec<u8>)>,
    metadata: Vec<u8>,
    tags: Vec<u8>,
}

impl Defaults {
    pub(crate) fn new(trace: &TraceSettings) -> Self {
        let mut defaults = Self::default();
        for (id, value) in &trace.ids {
            let mut field = Vec::new();
            write::attribute(&mut field, id.key(), &value.as_str().into());
            defaults.fields.extend_from_slice(&field);
            defaults.ids.push((*id, field));
            defaults.set = defaults.set.with(*id);
        }
        for (key, value) in &trace.metadata {
            write::metadata(&mut defaults.metadata, key, value);
        }
        defaults.fields.extend_from_slice(&defaults.metadata);
        for tag in &trace.tags {
            write::trace_tag(&mut defaults.tags, tag);
        }
        defaults
    }

    /// Writes the fields that each span begins with: the ids that it does not inherit, and the metadata, of which what
    /// is written later goes before.
    #[inline]
    pub(crate) fn put(&self, buf: &mut Vec<u8>, around: Option<&Surroundings>) {
        let inherited = around.map_or(CarriedSet::EMPTY, Surroundings::id_set);
        if !self.set.meets(inherited) {
            buf.extend_from_slice(&self.fields);
            return;
        }
        for (id, field) in &self.ids {
            if !inherited.contains(*id) {
                buf.extend_from_slice(field);
            }
        }
        buf.extend_from_slice(&self.metadata);
    }

    /// The tags, as fields of a span at the top of a trace.
    #[inline]
    pub(crate) fn tag_fields(&self) -> &[u8] {
        &self.tags
    }
}
