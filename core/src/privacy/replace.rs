//! Putting something else where secrets were, in the style that was asked for.

use super::book::Book;
use super::label::Label;
use super::options::RedactionStyle;
use super::prose::{BETWEEN, MARK};
use super::rules::Rules;
use super::text::Edit;
use crate::id::TraceId;

/// Secrets shorter than this are not shown in part.
const PARTIAL: usize = 12;

/// Writes replacements.
#[derive(Debug)]
pub(super) struct Replacer<'r, 'b> {
    pub(super) rules: &'r Rules,
    /// The numbers of the trace at hand; none where there is no trace.
    pub(super) book: Option<(&'b mut Book, TraceId)>,
    /// Values replaced so far.
    pub(super) count: u64,
}

impl Replacer<'_, '_> {
    /// Writes what stands for a secret.
    #[inline]
    pub(super) fn put(&mut self, out: &mut Vec<u8>, label: Label, value: &[u8]) {
        self.count += 1;
        match self.rules.style {
            RedactionStyle::Full => out.extend_from_slice(MARK.as_bytes()),
            style => self.put_shown(out, style, label, value),
        }
    }

    /// Writes what is shown of a secret in the other styles.
    fn put_shown(&mut self, out: &mut Vec<u8>, style: RedactionStyle, label: Label, value: &[u8]) {
        let shown = match (style, &mut self.book) {
            (RedactionStyle::Partial, _) => {
                ends(value).map(|(first, last)| [first, BETWEEN.as_bytes(), last].concat())
            }
            (RedactionStyle::Indexed, Some((book, trace))) => {
                let number = book.number(*trace, label, value);
                number.map(|(label, number)| {
                    format!("[{}_{number}]", self.rules.labels.name(label)).into_bytes()
                })
            }
            _ => None,
        };
        out.extend_from_slice(shown.as_deref().unwrap_or(MARK.as_bytes()));
    }

    /// Writes what stands for a secret that was found in a text.
    #[inline]
    fn put_found(&mut self, out: &mut Vec<u8>, label: Label, value: &[u8]) {
        match value.first() {
            // A list or object has no first characters worth showing.
            Some(b'[' | b'{' | b'(') if self.rules.style == RedactionStyle::Partial => {
                self.count += 1;
                out.extend_from_slice(MARK.as_bytes());
            }
            _ => self.put(out, label, value),
        }
    }

    /// Writes the text with the edits made.
    pub(super) fn edit(&mut self, out: &mut Vec<u8>, text: &[u8], edits: &[Edit]) {
        // Marks are about as long as what they stand for.
        out.reserve(text.len());
        let mut from = 0;
        for edit in edits {
            out.extend_from_slice(text.get(from..edit.start).unwrap_or_default());
            let value = text.get(edit.start..edit.end).unwrap_or_default();
            match edit.wrap.and_then(|(start, end)| text.get(start..end)) {
                Some(quote) => {
                    out.extend_from_slice(quote);
                    self.put_found(out, edit.label, value);
                    out.extend_from_slice(quote);
                }
                None => self.put_found(out, edit.label, value),
            }
            from = edit.end;
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
    }
}

/// The first and the last three characters, if the secret is long enough and they are plain: half an escape
/// would spoil the text around it.
fn ends(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, last) = (value.get(..3)?, value.get(value.len() - 3..)?);
    let plain =
        |bytes: &[u8]| bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+=$!".contains(byte));
    (value.len() >= PARTIAL && plain(first) && plain(last)).then_some((first, last))
}
