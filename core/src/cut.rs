//! What a value looks like where a limit cut it: texts at a character's boundary, and the markers that say so.
//!
//! Every language leaves the same markers. The coarse cut on the recording thread, the limits on the export
//! thread and bindings that walk their own objects use these; `tests/vectors/limits.json` pins them.

use crate::frame::write::cut;

/// Ends a text that was cut, and stands for what was left out as a whole.
pub const TRUNCATED: &str = "…[truncated]";
/// Stands for an array or map that nests too deeply.
pub const MAX_DEPTH: &str = "[MaxDepth]";
/// Stands for an object inside itself.
pub const CIRCULAR: &str = "[Circular]";
/// The last key of a map that was cut; its value is what [`more_keys`] says.
pub const TRUNCATED_KEY: &str = "__truncated";

/// The last item of an array that was cut.
pub fn more_items(left_out: u64) -> String {
    format!("[…{left_out} more items]")
}

/// The value of [`TRUNCATED_KEY`] in a map that was cut.
pub fn more_keys(left_out: u64) -> String {
    format!("{left_out} more keys omitted")
}

/// Stands for bytes that are too many: a part of them would be of no use.
pub fn bytes_length(length: usize) -> String {
    format!("[bytes length={length}]")
}

/// How many items the marker of an array says were left out; `None` for any other text.
pub fn items_left_out(text: &str) -> Option<u64> {
    text.strip_prefix("[…")?.strip_suffix(" more items]")?.parse().ok()
}

/// How many keys the marker of a map says were left out; `None` for any other text.
pub fn keys_left_out(text: &str) -> Option<u64> {
    text.strip_suffix(" more keys omitted")?.parse().ok()
}

/// Whether the text is a marker as a whole, which no further limit shortens.
pub fn is_marker(text: &str) -> bool {
    let bytes = || text.strip_prefix("[bytes length=")?.strip_suffix(']')?.parse::<u64>().ok();
    matches!(text, TRUNCATED | MAX_DEPTH | CIRCULAR)
        || items_left_out(text).is_some()
        || keys_left_out(text).is_some()
        || bytes().is_some()
}

/// The first `limit` characters of a text that has more; `None` if it has not.
pub fn to_characters(text: &str, limit: usize) -> Option<&str> {
    if text.len() <= limit {
        return None;
    }
    let (end, _) = text.char_indices().nth(limit)?;
    text.get(..end)
}

/// Text of at most `limit` bytes with its marker, for one that is longer; nothing but the marker where not even
/// that fits.
pub fn to_bytes(text: &str, limit: usize) -> String {
    let kept = cut(text, limit.saturating_sub(TRUNCATED.len()));
    let mut shown = String::with_capacity(kept.len() + TRUNCATED.len());
    shown.push_str(kept);
    shown.push_str(TRUNCATED);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_known_again() {
        for marker in [TRUNCATED, MAX_DEPTH, CIRCULAR, &more_items(7), &more_keys(1), &bytes_length(12)] {
            assert!(is_marker(marker), "{marker}");
        }
        for text in ["", "[…x more items]", "more keys omitted", "[bytes length=]", "a…[truncated]"] {
            assert!(!is_marker(text), "{text}");
        }
        assert_eq!(items_left_out("[…7 more items]"), Some(7));
        assert_eq!(keys_left_out("1 more keys omitted"), Some(1));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(to_characters("héllo", 2), Some("hé"));
        assert_eq!(to_characters("héllo", 5), None);
        assert_eq!(to_characters("😀😀", 1), Some("😀"));
        assert_eq!(to_bytes("😀😀😀😀😀😀", TRUNCATED.len() + 7), "😀…[truncated]");
        assert_eq!(to_bytes("long", 2), TRUNCATED);
    }
}
