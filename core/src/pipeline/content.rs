//! The limits of one value: length of texts, depth, items of arrays, keys of maps.
//!
//! [`super::limits`] asks for every value whether it fits, which is one walk over it, and has those that do not
//! written as the limits leave them. What came of that fits, so that a span may pass more than once.

use crate::config::ContentLimits;
use crate::cut;
use crate::frame::extent::Extent;
use crate::frame::view::{Items, ValueView, text};
use crate::frame::write::{self, Container};

/// Which limits hold for a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) content: ContentLimits,
    /// OpenTelemetry's limit for the values of attributes: no text or bytes are longer, marker included.
    pub(super) attribute: Option<usize>,
}

impl Bounds {
    /// Whether nothing of the value has to go, which stands in no other.
    pub(super) fn fit(&self, value: ValueView<'_>) -> bool {
        let keep = |items: Items<'_>, is_map| items.keep(&self.extent(), is_map) || self.fit_in(value, 0);
        match value {
            ValueView::Array(items) => keep(items, false),
            ValueView::Map(items) => keep(items, true),
            value => self.fit_in(value, 0),
        }
    }

    /// The same of one that stands in `depth` arrays and maps, looked at item by item.
    fn fit_in(&self, value: ValueView<'_>, depth: usize) -> bool {
        match value {
            ValueView::Str(bytes) => self.fits_text(bytes),
            ValueView::Bytes(bytes) => {
                bytes.len() <= self.content.string_length
                    && self.attribute.is_none_or(|limit| bytes.len() <= limit)
            }
            ValueView::Array(items) => {
                depth <= self.content.depth
                    && self.keeps_items(items)
                    && items.values().all(|item| self.fit_in(item, depth + 1))
            }
            ValueView::Map(items) => {
                depth <= self.content.depth
                    && self.keeps_keys(items)
                    && items.entries().all(|(_, item)| self.fit_in(item, depth + 1))
            }
            ValueView::Null | ValueView::Bool(_) | ValueView::I64(_) | ValueView::F64(_) => true,
        }
    }

    /// Bounds that leave nothing to cut.
    fn extent(&self) -> Extent {
        let ContentLimits { depth, array_items, object_keys, .. } = self.content;
        Extent { length: self.shortest(), depth, items: array_items, keys: object_keys }
    }

    /// Texts of so many bytes fit, whatever their characters.
    #[inline]
    fn shortest(&self) -> usize {
        self.content.string_length.min(self.attribute.unwrap_or(usize::MAX))
    }

    #[inline]
    pub(super) fn fits_text(&self, bytes: &[u8]) -> bool {
        bytes.len() <= self.shortest() || self.long_text_fits(&text(bytes))
    }

    #[cold]
    fn long_text_fits(&self, whole: &str) -> bool {
        let is_within = |limit| cut::to_characters(whole, limit).is_none();
        if self.attribute.is_some_and(|limit| !is_within(limit)) {
            return false;
        }
        let limit = self.content.string_length;
        // As an earlier pass left it, or a language that knows these limits.
        let was_cut = || {
            whole.strip_suffix(cut::TRUNCATED).is_some_and(|kept| cut::to_characters(kept, limit).is_none())
        };
        is_within(limit) || was_cut() || cut::is_marker(whole)
    }

    fn keeps_items(&self, items: Items<'_>) -> bool {
        let (count, limit) = (items.len() as usize, self.content.array_items);
        count <= limit || (count == limit + 1 && items_marker(items).is_some())
    }

    fn keeps_keys(&self, items: Items<'_>) -> bool {
        let (count, limit) = (items.len() as usize, self.content.object_keys);
        count <= limit || (count == limit + 1 && keys_marker(items).is_some())
    }

    /// Writes what is left of the value and returns how many cuts that took.
    pub(super) fn put(&self, out: &mut Vec<u8>, value: ValueView<'_>, depth: usize) -> u64 {
        match value {
            ValueView::Null => write::put_null(out),
            ValueView::Bool(value) => write::put_bool(out, value),
            ValueView::I64(value) => write::put_i64(out, value),
            ValueView::F64(value) => write::put_f64(out, value),
            ValueView::Str(bytes) => return self.put_text(out, &text(bytes)),
            ValueView::Bytes(bytes) => return self.put_bytes(out, bytes),
            ValueView::Array(_) | ValueView::Map(_) if depth > self.content.depth => {
                self.put_text(out, cut::MAX_DEPTH);
                return 1;
            }
            ValueView::Array(items) => return self.put_array(out, items, depth),
            ValueView::Map(items) => return self.put_map(out, items, depth),
        }
        0
    }

    /// Writes what is left of a text and returns whether it was cut.
    fn put_text(&self, out: &mut Vec<u8>, whole: &str) -> u64 {
        let kept = self.cut_text(whole);
        write::put_str(out, kept.as_deref().unwrap_or(whole));
        u64::from(kept.is_some())
    }

    /// What is left of a text that does not fit; `None` if it does.
    pub(super) fn cut_text(&self, whole: &str) -> Option<String> {
        if self.fits_text(whole.as_bytes()) {
            return None;
        }
        let own = self.content.string_length;
        let limit = own.min(self.attribute.unwrap_or(usize::MAX));
        let mut kept = cut::to_characters(whole, limit).unwrap_or(whole).to_owned();
        let room = self.attribute.unwrap_or(usize::MAX).saturating_sub(limit);
        if !cut::is_marker(whole) && room >= cut::TRUNCATED.chars().count() {
            kept.push_str(cut::TRUNCATED);
        }
        Some(kept)
    }

    fn put_bytes(&self, out: &mut Vec<u8>, bytes: &[u8]) -> u64 {
        let (own, limit) = (self.content.string_length, self.attribute.unwrap_or(usize::MAX));
        if bytes.len() > own && limit > own {
            self.put_text(out, &cut::bytes_length(bytes.len()));
            return 1;
        }
        // As OpenTelemetry says; a marker would make something else of them.
        let kept = bytes.get(..limit).unwrap_or(bytes);
        write::put_bytes(out, kept);
        u64::from(kept.len() < bytes.len())
    }

    fn put_array(&self, out: &mut Vec<u8>, items: Items<'_>, depth: usize) -> u64 {
        let array = Container::array(out);
        if self.keeps_items(items) {
            let cuts = items.values().map(|item| self.put(out, item, depth + 1)).sum();
            array.close(out, items.len());
            return cuts;
        }
        let limit = self.content.array_items;
        let kept = items.values().take(limit);
        let cuts: u64 = kept.map(|item| self.put(out, item, depth + 1)).sum();
        // One that was cut before says itself how many it had.
        let before = items_marker(items);
        let given = u64::from(items.len()) - u64::from(before.is_some());
        let left_out = (given + before.unwrap_or(0)).saturating_sub(limit as u64);
        write::put_str(out, &cut::more_items(left_out));
        array.close(out, limit as u32 + 1);
        cuts + 1
    }

    fn put_map(&self, out: &mut Vec<u8>, items: Items<'_>, depth: usize) -> u64 {
        let map = Container::map(out);
        let limit = self.content.object_keys;
        let before = keys_marker(items);
        let keeps = self.keeps_keys(items);
        let kept = if keeps { items.len() as usize } else { limit };
        let mut cuts = 0;
        for (name, item) in items.entries().take(kept) {
            write::put_key(out, &text(name));
            cuts += self.put(out, item, depth + 1);
        }
        if keeps {
            map.close(out, items.len());
            return cuts;
        }
        let given = u64::from(items.len()) - u64::from(before.is_some());
        let left_out = (given + before.unwrap_or(0)).saturating_sub(limit as u64);
        write::put_key(out, cut::TRUNCATED_KEY);
        write::put_str(out, &cut::more_keys(left_out));
        map.close(out, limit as u32 + 1);
        cuts + 1
    }
}

/// How many items were left out already, by the marker at the end.
pub(super) fn items_marker(items: Items<'_>) -> Option<u64> {
    match items.values().last()? {
        ValueView::Str(bytes) => cut::items_left_out(&text(bytes)),
        _ => None,
    }
}

/// How many keys were left out already, by the marker at the end.
pub(super) fn keys_marker(items: Items<'_>) -> Option<u64> {
    let (name, value) = items.entries().last()?;
    keys_marker_of(name, value)
}

/// The same of one entry.
pub(super) fn keys_marker_of(name: &[u8], value: ValueView<'_>) -> Option<u64> {
    match value {
        ValueView::Str(bytes) if name == cut::TRUNCATED_KEY.as_bytes() => cut::keys_left_out(&text(bytes)),
        _ => None,
    }
}
