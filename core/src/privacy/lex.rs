//! Reading text that looks like data, whatever wrote it: quotes at any depth of escaping, balanced brackets,
//! bare values. Nothing here needs the text to be whole or valid.

/// A quotation mark as it stands in the text: `"`, `'`, `` ` ``, with the backslashes of the strings that it
/// stands in (`\"`, `\\\"`), tripled, or as an HTML entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote<'a>(pub(super) &'a [u8]);

const ENTITIES: [&[u8]; 4] = [b"&quot;", b"&#34;", b"&#39;", b"&#x27;"];

/// Where a quoted text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted {
    /// Where its content ends ...
    pub(super) end: usize,
    /// ... and where the text goes on.
    pub(super) after: usize,
}

impl<'a> Quote<'a> {
    /// The quotation mark that begins at `at`.
    pub(super) fn at(text: &'a [u8], at: usize) -> Option<Self> {
        let rest = text.get(at..)?;
        if rest.first() == Some(&b'&') {
            return ENTITIES.iter().find(|entity| rest.starts_with(entity)).map(|entity| Self(entity));
        }
        let escapes = rest.iter().take_while(|byte| **byte == b'\\').count();
        let mark = *rest.get(escapes)?;
        if !is_mark(mark) {
            return None;
        }
        let triple = [mark; 3];
        if escapes == 0 && rest.starts_with(&triple) && rest.get(3) != Some(&mark) && mark != b'`' {
            return rest.get(..3).map(Self);
        }
        rest.get(..=escapes).map(Self)
    }

    /// The quotation mark that ends at `end`.
    pub(super) fn before(text: &'a [u8], end: usize) -> Option<Self> {
        let head = text.get(..end)?;
        if head.last() == Some(&b';') {
            return ENTITIES.iter().find(|entity| head.ends_with(entity)).map(|entity| Self(entity));
        }
        let (mark, rest) = head.split_last()?;
        if !is_mark(*mark) {
            return None;
        }
        let escapes = rest.iter().rev().take_while(|byte| **byte == b'\\').count();
        head.get(rest.len() - escapes..).map(Self)
    }

    /// How many backslashes stand before the mark.
    pub(super) fn escapes(self) -> usize {
        self.0.iter().take_while(|byte| **byte == b'\\').count()
    }

    /// The mark itself.
    fn mark(self) -> u8 {
        self.0.last().copied().unwrap_or(b'"')
    }

    /// Where the text ends that this mark opened right before `from`. A mark of an outer string ends it too: the
    /// inner one was cut. Without any the rest of the text belongs to it.
    pub(super) fn close(self, text: &[u8], from: usize) -> Quoted {
        let whole = Quoted { end: text.len(), after: text.len() };
        if self.0.len() > 1 && self.escapes() == 0 {
            // Tripled, or an entity: nothing escapes it.
            let rest = text.get(from..).unwrap_or_default();
            let found = rest.windows(self.0.len()).position(|window| window == self.0);
            return found
                .map_or(whole, |found| Quoted { end: from + found, after: from + found + self.0.len() });
        }
        let (mark, level) = (self.mark(), self.escapes());
        let mut at = from;
        while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == mark)) {
            let place = at + found;
            let inside = text.get(from..place).unwrap_or_default();
            let escapes = inside.iter().rev().take_while(|byte| **byte == b'\\').count();
            if escapes < level {
                return Quoted { end: place - escapes, after: place - escapes };
            }
            // A backslash of the content is doubled at each level, and so is what escapes the mark.
            if escapes % (2 * (level + 1)) == level {
                return Quoted { end: place - level, after: place + 1 };
            }
            at = place + 1;
        }
        whole
    }
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// The first place from `at` on that holds no blank. Line breaks count as blanks, also escaped ones, in strings
/// that are `escaped`.
pub(super) fn skip_blanks(text: &[u8], mut at: usize, escaped: bool) -> usize {
    loop {
        match text.get(at) {
            Some(b' ' | b'\t' | b'\n' | b'\r') => at += 1,
            Some(b'\\') if escaped && matches!(text.get(at + 1), Some(b'n' | b't' | b'r')) => at += 2,
            _ => return at,
        }
    }
}

/// Where the bracket closes that opens at `at`: right behind it, or the end of the text if it was cut. Strings
/// are quoted by marks with that many backslashes; a mark with fewer ends everything.
pub(super) fn close_bracket(text: &[u8], at: usize, escapes: usize) -> usize {
    let mut depth = 0usize;
    let mut place = at;
    while let Some(byte) = text.get(place) {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return place + 1;
                }
            }
            b'"' | b'\'' | b'`' | b'\\' | b'&' => {
                if let Some(quote) = Quote::at(text, place) {
                    if quote.0.first() != Some(&b'&') && quote.escapes() < escapes {
                        return place;
                    }
                    // An apostrophe inside a word opens nothing.
                    let word = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
                    if quote.0 != b"'" || !(place > 0 && word(place - 1)) {
                        place = quote.close(text, place + quote.0.len()).after;
                        continue;
                    }
                }
            }
            _ => {}
        }
        place += 1;
    }
    text.len()
}

/// Where a line ends: at its break, also an escaped one.
pub(super) fn end_of_line(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\n' | b'\r' => break,
            b'\\' if matches!(rest.get(at + 1), Some(b'n' | b'r')) => break,
            _ => at += 1,
        }
    }
    from + at
}

/// Bytes that may stand in a name.
const NAME: u8 = 1;
/// Bytes that no URL holds, where it stands in text.
pub(super) const URL_END: u8 = 2;
/// Bytes that may end a value without quotation marks.
const BARE_END: u8 = 4;

/// What each byte may be.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0u8;
    loop {
        if let Some((slot, _)) = classes.split_at_mut(byte as usize).1.split_first_mut() {
            let blank = byte.is_ascii_whitespace();
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$') || byte >= 0x80 {
                *slot |= NAME;
            }
            if blank || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\') {
                *slot |= URL_END | BARE_END;
            }
            if matches!(byte, b'&' | b'(' | b'[' | b'{' | b')' | b']' | b'}' | b',' | b';' | b'|') {
                *slot |= BARE_END;
            }
        }
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

/// Whether a byte is of one of these classes.
#[inline]
pub(super) fn is(byte: u8, classes: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|known| known & classes != 0)
}

/// Whether a byte may stand in a name.
#[inline]
pub(super) fn is_name(byte: u8) -> bool {
    is(byte, NAME)
}

/// How many bytes that may stand in a name there are from `at` on, up to `most`.
pub(super) fn name_from(text: &[u8], at: usize, most: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let rest = rest.get(..most).unwrap_or(rest);
    rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len())
}

/// The same before `at`.
pub(super) fn name_before(text: &[u8], at: usize, most: usize) -> usize {
    let head = text.get(at.saturating_sub(most)..at).unwrap_or_default();
    head.len() - head.iter().rposition(|byte| !is_name(*byte)).map_or(0, |other| other + 1)
}

/// Where a value without quotation marks ends.
///
/// Blanks, quotation marks and ampersands always end it; commas, semicolons and closing brackets only where the
/// text goes on as if they did, since passwords hold them too.
pub(super) fn end_of_bare(text: &[u8], from: usize) -> usize {
    let mut open = 0usize;
    let mut at = from;
    while let Some(byte) = text.get(at) {
        if !is(*byte, BARE_END) {
            at += 1;
            continue;
        }
        let next = text.get(at + 1).copied();
        let ends = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'&' => true,
            b'\\' => matches!(next, Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'\\' | b'u') | None),
            b'(' | b'[' | b'{' => {
                open += 1;
                false
            }
            b')' | b']' | b'}' => {
                let closes = open == 0 && next.is_none_or(is_break);
                open = open.saturating_sub(1);
                closes
            }
            b',' | b';' => open == 0 && (next.is_none_or(is_break) || is_pair(text, at + 1)),
            // What separates the columns of tables, and pipelines.
            b'|' => next.is_none_or(is_break),
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    at
}

fn is_break(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && byte < 0x80
}

/// Whether a name and an equals sign or colon follow.
fn is_pair(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let name = rest.iter().take(48).take_while(|byte| is_name(**byte) || **byte == b' ').count();
    name > 0 && matches!(rest.get(name), Some(b'=' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> (&str, &str) {
        let quote = Quote::at(text.as_bytes(), 0).unwrap();
        let start = quote.0.len();
        let found = quote.close(text.as_bytes(), start);
        (&text[start..found.end], &text[found.after..])
    }

    #[test]
    fn a_quoted_text_ends_at_its_own_mark() {
        assert_eq!(quoted(r#""a\"b" c"#), (r#"a\"b"#, " c"));
        assert_eq!(quoted(r#""a\\" c"#), (r#"a\\"#, " c"));
        assert_eq!(quoted("'it' c"), ("it", " c"));
        assert_eq!(quoted(r#"\"a\\\"b\\\\\" c"#), (r#"a\\\"b\\\\"#, " c"));
        assert_eq!(quoted(r#"\\\"a\\\" c"#), ("a", " c"));
        assert_eq!(quoted("&quot;a&quot; c"), ("a", " c"));
        assert_eq!(quoted("\"\"\"a\"b\"\"\" c"), ("a\"b", " c"));
        assert_eq!(quoted("\"\" c"), ("", " c"));
    }

    #[test]
    fn a_text_that_was_cut_ends_with_what_is_around_it() {
        assert_eq!(quoted(r#""abc"#), ("abc", ""));
        assert_eq!(quoted(r#"\"abc" outer"#), ("abc", "\" outer"));
        assert_eq!(quoted("'abc\\"), ("abc\\", ""));
    }

    #[test]
    fn brackets_close_outside_of_strings() {
        let close = |text: &str, escapes| close_bracket(text.as_bytes(), 0, escapes);
        assert_eq!(close(r#"{"a": "}"} x"#, 0), 10);
        assert_eq!(close("[[1], {}] x", 0), 9);
        assert_eq!(close("[don't] x", 0), 7);
        assert_eq!(close(r#"{\"a\": \"}\"}" x"#, 1), 14);
        assert_eq!(close(r#"{\"a\": [1" x"#, 1), 10);
        assert_eq!(close("[1, 2", 0), 5);
    }

    #[test]
    fn a_bare_value_ends_where_another_begins() {
        let bare = |text: &'static str| &text[..end_of_bare(text.as_bytes(), 0)];
        assert_eq!(bare("hunter2 x"), "hunter2");
        assert_eq!(bare("hu,nt;er)2, user=bob"), "hu,nt;er)2");
        assert_eq!(bare("hunter2;User=bob"), "hunter2");
        assert_eq!(bare("hunter2)"), "hunter2");
        assert_eq!(bare("a&b=c"), "a");
        assert_eq!(bare("x(1, 2)) y"), "x(1,");
        assert_eq!(bare("abc\\nHost: x"), "abc");
        assert_eq!(bare("ab==;EndpointSuffix=core"), "ab==");
    }
}
