//! Values as short text on one line, safe for a terminal.

use core::fmt::Write as _;

use crate::value::Value;

/// A value in at most `limit` characters: text as it is, structures as JSON; `…` marks what is cut.
pub(super) fn preview(value: &Value<'_>, limit: usize) -> String {
    let mut line = Line { text: String::new(), left: limit };
    let done = match value {
        Value::Str(text) => line.put(text),
        other => line.put_json(other),
    };
    if done.is_none() {
        line.text.push('…');
    }
    line.text
}

/// Text in at most `limit` characters.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    preview(&Value::from(text), limit)
}

struct Line {
    text: String,
    left: usize,
}

impl Line {
    /// Appends text; `None` once the limit is reached.
    fn put(&mut self, text: &str) -> Option<()> {
        for c in text.chars() {
            self.left = self.left.checked_sub(1)?;
            match c {
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                c if is_unsafe(c) => write!(self.text, "\\u{{{:x}}}", u32::from(c)).ok()?,
                c => self.text.push(c),
            }
        }
        Some(())
    }

    fn put_json(&mut self, value: &Value<'_>) -> Option<()> {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Value::I64(value) => self.put(&value.to_string()),
            Value::F64(value) => self.put(&value.to_string()),
            Value::Str(text) => {
                self.put("\"")?;
                self.put(text)?;
                self.put("\"")
            }
            Value::Bytes(bytes) => self.put(&format!("<{} bytes>", bytes.len())),
            Value::Array(items) => {
                self.put("[")?;
                for (at, item) in items.iter().enumerate() {
                    self.put(if at > 0 { ", " } else { "" })?;
                    self.put_json(item)?;
                }
                self.put("]")
            }
            Value::Map(entries) => {
                self.put("{")?;
                for (at, (key, item)) in entries.iter().enumerate() {
                    self.put(if at > 0 { ", " } else { "" })?;
                    self.put(key)?;
                    self.put(": ")?;
                    self.put_json(item)?;
                }
                self.put("}")
            }
        }
    }
}

/// What could move the cursor, or turn the direction of the text around.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// A duration with three digits.
pub(super) fn duration(nanos: u64) -> String {
    let number = nanos as f64;
    let (value, unit) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..999_500 => (number / 1e3, "µs"),
        999_500..999_500_000 => (number / 1e6, "ms"),
        999_500_000..60_000_000_000 => (number / 1e9, "s"),
        _ => {
            let seconds = nanos / 1_000_000_000;
            return match seconds / 3600 {
                0 => format!("{} min {:02} s", seconds / 60, seconds % 60),
                hours => format!("{hours} h {:02} min", seconds / 60 % 60),
            };
        }
    };
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_one_line() {
        let value = Value::from_iter([
            ("text", Value::from("a\nb")),
            ("list", Value::Array(vec![Value::Null, Value::I64(-1), Value::F64(0.5), Value::Bool(true)])),
            ("raw", Value::from(&b"xyz"[..])),
        ]);
        let expected = r#"{text: "a\nb", list: [null, -1, 0.5, true], raw: <3 bytes>}"#;
        assert_eq!(preview(&value, 100), expected);
    }

    #[test]
    fn long_values_are_cut_by_characters() {
        assert_eq!(preview(&Value::from("ééééé"), 5), "ééééé");
        assert_eq!(preview(&Value::from("éééééé"), 5), "ééééé…");
        let deep = (0..1000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert_eq!(preview(&deep, 3), "[[[…");
    }

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        let text = preview(&Value::from("\u{1b}[31m\u{202e}x\u{7f}\u{9b}"), 100);
        assert_eq!(text, r"\u{1b}[31m\u{202e}x\u{7f}\u{9b}");
    }

    #[test]
    fn durations_have_three_digits() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (12_345, "12.3 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (123_456_789, "123 ms"),
            (999_500_000, "1.00 s"),
            (9_996_000_000, "10.0 s"),
            (59_999_999_999, "60.0 s"),
            (61_000_000_000, "1 min 01 s"),
            (7_260_000_000_000, "2 h 01 min"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration(nanos), text);
        }
    }
}
