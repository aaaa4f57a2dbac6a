//! Structured inputs and outputs as JSON text, the one form every backend shows well.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x32};

use crate::frame::EVENT_HEADER;
use crate::frame::view::{Field, SpanView, ValueView, text};
use crate::frame::write;
use crate::value::Value;

/// The value as JSON text; see [`write_json`].
pub fn to_json(value: &Value<'_>) -> String {
    // A record of one attribute is the form in which values are read.
    let mut record = Vec::new();
    write::begin_span(&mut record);
    write::attribute(&mut record, "", value);
    let mut out = String::new();
    if let Ok(view) = SpanView::new(record.get(EVENT_HEADER..).unwrap_or(&[]))
        && let Some(Field::Attribute(_, value)) = view.fields().next()
    {
        write_json(&mut out, value);
    }
    out
}

/// Appends the value as JSON. Bytes become base64, numbers JSON lacks become the strings `NaN`,
/// `Infinity` and `-Infinity`, as in protobuf's JSON mapping.
pub fn write_json(out: &mut String, value: ValueView<'_>) {
    use core::fmt::Write as _;
    match value {
        ValueView::Null => out.push_str("null"),
        ValueView::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        ValueView::I64(value) => drop(write!(out, "{value}")),
        ValueView::F64(value) if value.is_finite() => drop(write!(out, "{value:?}")),
        ValueView::F64(value) if value.is_nan() => out.push_str("\"NaN\""),
        ValueView::F64(value) => out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        ValueView::Str(bytes) => write_string(out, &text(bytes)),
        ValueView::Bytes(bytes) => write_base64(out, bytes),
        ValueView::Array(items) => {
            out.push('[');
            for (at, item) in items.values().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(out, item);
            }
            out.push(']');
        }
        ValueView::Map(items) => {
            out.push('{');
            for (at, (name, item)) in items.entries().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(out, &text(name));
                out.push(':');
                write_json(out, item);
            }
            out.push('}');
        }
    }
}

/// Appends a JSON string literal.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    // Every cut is at an ASCII character.
    while let Some((place, byte)) = next::<false>(rest.as_bytes()) {
        let (escaped, length) = escape(byte);
        out.push_str(rest.get(..place).unwrap_or(""));
        out.extend(escaped.iter().take(length).copied().map(char::from));
        rest = rest.get(place + 1..).unwrap_or("");
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends a text of a record as a JSON string literal. Nearly all text is ASCII, which the same look tells; what
/// is not is checked to be UTF-8.
pub(crate) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let unchecked = put_escaped::<true>(out, bytes);
    if !unchecked.is_empty() {
        put_escaped::<false>(out, text(unchecked).as_bytes());
    }
    out.push(b'"');
}

/// Appends what stands between the quotation marks, if asked only up to what is not ASCII; what is left.
fn put_escaped<'t, const ASCII: bool>(out: &mut Vec<u8>, mut rest: &'t [u8]) -> &'t [u8] {
    while let Some((place, byte)) = next::<ASCII>(rest) {
        let (plain, behind) = rest.split_at_checked(place).unwrap_or_default();
        out.extend_from_slice(plain);
        if ASCII && !byte.is_ascii() {
            return behind;
        }
        let (escaped, length) = escape(byte);
        out.extend_from_slice(escaped.get(..length).unwrap_or_default());
        rest = behind.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    &[]
}

/// The first byte that is not written as it is, or, if asked, that is not ASCII.
fn next<const ASCII: bool>(text: &[u8]) -> Option<(usize, u8)> {
    let level = Level::new();
    dispatch!(level, simd => next_stop::<_, ASCII>(simd, text))
}

/// The same. Nearly all text has none, so many are looked at together.
#[inline(always)]
fn next_stop<S: Simd, const ASCII: bool>(simd: S, text: &[u8]) -> Option<(usize, u8)> {
    let mut at = 0;
    while let Some(run) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let run = u8x32::load_array_ref(simd, run);
        let mut found = run.simd_lt(u8x32::splat(simd, 0x20))
            | run.simd_eq(u8x32::splat(simd, b'"'))
            | run.simd_eq(u8x32::splat(simd, b'\\'));
        if ASCII {
            found |= run.simd_ge(u8x32::splat(simd, 0x80));
        }
        let found = found.to_bitmask() as u32;
        if found != 0 {
            at += found.trailing_zeros() as usize;
            return text.get(at).map(|byte| (at, *byte));
        }
        at += RUN;
    }
    let rest = text.get(at..)?;
    let stops = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\') || ASCII && !byte.is_ascii();
    let place = rest.iter().position(|byte| stops(*byte))?;
    rest.get(place).map(|byte| (at + place, *byte))
}

/// Bytes that are looked at together.
const RUN: usize = 32;

/// What is written for a byte, and how much of it.
fn escape(byte: u8) -> ([u8; 6], usize) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
            return ([b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0xf)], 6);
        }
    };
    ([b'\\', short, 0, 0, 0, 0], 2)
}

pub(crate) fn write_base64(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.push('"');
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |acc, byte| acc << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS.get((word >> (18 - 6 * place)) as usize & 63).copied().unwrap_or(b'=');
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_what_a_parser_reads_back() {
        let value = Value::from_iter([
            ("text", Value::from("a\"b\\c\nd\u{1}é")),
            ("list", Value::Array(vec![Value::Null, Value::Bool(true), Value::F64(0.5), Value::I64(-7)])),
            ("bytes", Value::from(&b"any carnal pleas"[..])),
        ]);
        let parsed: serde_json::Value = serde_json::from_str(&to_json(&value)).unwrap();
        assert_eq!(
            parsed,
            serde_json::json!({"text": "a\"b\\c\nd\u{1}é", "list": [null, true, 0.5, -7], "bytes": "YW55IGNhcm5hbCBwbGVhcw=="})
        );
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn every_text_is_read_back(text in "[a-zé😀\"\\\\\\n\u{1}]{0,200}", plain in "[ -~]{0,200}") {
            for text in [&text, &plain] {
                let mut out = String::new();
                write_string(&mut out, text);
                proptest::prop_assert_eq!(&serde_json::from_str::<String>(&out).unwrap(), text);
                let mut bytes = Vec::new();
                put_string(&mut bytes, text.as_bytes());
                proptest::prop_assert_eq!(String::from_utf8(bytes).unwrap(), out);
            }
        }
    }

    #[test]
    fn numbers_json_lacks_become_strings() {
        let list =
            Value::Array(vec![f64::NAN.into(), f64::INFINITY.into(), f64::NEG_INFINITY.into(), 1e300.into()]);
        assert_eq!(to_json(&list), r#"["NaN","Infinity","-Infinity",1e300]"#);
    }
}
