//! Credentials as protocols carry them: `Authorization` and `Cookie` headers, bearer and basic credentials
//! wherever they stand, JSON web tokens, private keys, bot tokens.

use super::label::Label;
use super::lex::{self, Quote};
use super::prose;
use super::text::{Name, Scanner};
use super::tokens::{is_edge, is_mixed};

/// Schemes that one token follows ...
const SCHEMES: [&str; 9] =
    ["bearer", "basic", "token", "apikey", "negotiate", "ntlm", "key", "dpop", "api-key"];
/// ... and schemes that a list of parameters follows.
const LISTS: [&str; 5] = ["digest", "oauth", "aws4-hmac-sha256", "hawk", "sharedkey"];

/// Bytes of a text in which a scheme is looked for.
const LONGEST: usize = 20;

/// The scheme that a text begins with, as the length of its name.
fn scheme_of(value: &[u8], schemes: &[&str]) -> Option<usize> {
    // The first letter already says for nearly every value that there is none.
    let first = value.first()? | 0x20;
    if !schemes.iter().any(|scheme| scheme.as_bytes().first() == Some(&first)) {
        return None;
    }
    let length =
        value.iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let word = value.get(..length)?;
    schemes.iter().any(|scheme| scheme.as_bytes().eq_ignore_ascii_case(word)).then_some(length)
}

/// Whether the first letter is that of one of [`SCHEMES`].
fn begins_as_scheme(value: &[u8]) -> bool {
    matches!(value.first().map(u8::to_ascii_lowercase), Some(b'b' | b't' | b'a' | b'n' | b'k' | b'd'))
}

/// What stands behind the scheme, if there is one.
pub(super) fn without_scheme(value: &[u8]) -> &[u8] {
    if !begins_as_scheme(value) || !value.get(..=LONGEST).unwrap_or(value).contains(&b' ') {
        return value;
    }
    let rest = scheme_of(value, &SCHEMES).and_then(|length| value.get(length..));
    match rest {
        Some(rest) if rest.first() == Some(&b' ') => rest.trim_ascii(),
        _ => value,
    }
}

/// The value of an `Authorization` header. False if it does not look like one.
pub(super) fn authorization(scanner: &mut Scanner<'_, '_>, name: &Name<'_>, at: usize) -> bool {
    let text = scanner.text;
    let rest = text.get(at..).unwrap_or_default();
    if let Some(length) = scheme_of(rest, &LISTS).filter(|length| rest.get(*length) == Some(&b' ')) {
        let end = end_of_header(text, name, at);
        scanner.hide(at + length + 1, end, Label::AUTHORIZATION);
        return true;
    }
    let Some(length) = scheme_of(rest, &SCHEMES).filter(|length| rest.get(*length) == Some(&b' ')) else {
        return false;
    };
    let blanks = rest.get(length..).unwrap_or_default().iter().take_while(|byte| **byte == b' ').count();
    let start = at + length + blanks;
    let end = lex::end_of_bare(text, start);
    let value = scanner.slice(start, end);
    let harmless = prose::is_nothing(value)
        || prose::is_placeholder(value)
        || prose::is_word(value)
        || matches!(value, b"token" | b"tokens" | b"credentials" | b"TOKEN" | b"auth");
    if !harmless {
        scanner.hide(start, end, Label::AUTHORIZATION);
    }
    true
}

/// The value of a `Cookie` or `Set-Cookie` header: the rest of its line.
pub(super) fn cookies(scanner: &mut Scanner<'_, '_>, name: &Name<'_>, at: usize) {
    let end = end_of_header(scanner.text, name, at);
    let value = scanner.slice(at, end);
    if value.contains(&b'=') && !prose::is_placeholder(value) && !prose::is_mark(value) {
        scanner.hide(at, end, Label::COOKIE);
    }
}

/// Where the value of a header ends that may hold blanks and quoted texts: with its line, or with the string
/// that it stands in.
fn end_of_header(text: &[u8], name: &Name<'_>, at: usize) -> usize {
    let line = lex::end_of_line(text, at);
    if let Some(quote) = name.quote.filter(|_| !name.closed) {
        return quote.close(text.get(..line).unwrap_or(text), at).end;
    }
    let mut least = usize::MAX;
    let mut place = at;
    while place < line {
        if let Some(quote) = Quote::at(text, place) {
            if quote.escapes() < least && least != usize::MAX {
                return place;
            }
            least = least.min(quote.escapes());
            place += quote.0.len();
        } else {
            place += 1;
        }
    }
    line
}

/// `Bearer …` and `Basic …` wherever they stand. The words themselves are common ones, so that what follows
/// must look like credentials.
pub(super) fn scheme(scanner: &mut Scanner<'_, '_>, at: usize) {
    let text = scanner.text;
    if !is_edge(text, at) {
        return;
    }
    let word = if text.get(at..).is_some_and(|rest| rest.first().is_some_and(|byte| byte | 0x20 == b'b')) {
        text.get(at + 1).map(|byte| byte | 0x20)
    } else {
        None
    };
    let is_basic = word == Some(b'a');
    let from = at + if is_basic { 6 } else { 7 };
    let start = from + text.get(from..).unwrap_or_default().iter().take_while(|byte| **byte == b' ').count();
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| is_token68(**byte)).count();
    let Some(value) = rest.get(..length) else { return };
    let value = value.strip_suffix(b".").unwrap_or(value);
    let fits = if is_basic { is_basic_pair(value, length == rest.len()) } else { is_bearer(value) };
    if fits {
        let label = if is_basic { Label::CREDENTIAL } else { Label::TOKEN };
        scanner.hide(start, start + value.len(), label);
    }
}

/// `token68` of RFC 9110, section 11.2.
fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

fn is_bearer(value: &[u8]) -> bool {
    let mixed_case = value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
    let starts_word = value.first().is_some_and(u8::is_ascii_uppercase)
        && value.get(1..).is_some_and(|rest| rest.iter().all(u8::is_ascii_lowercase));
    value.len() >= 8 && is_mixed(value) || value.len() >= 20 && mixed_case && !starts_word
}

/// Whether that is base64 of `user:password`.
fn is_basic_pair(value: &[u8], is_last: bool) -> bool {
    if value.len() < 6 || !is_last && !value.iter().any(|byte| byte.is_ascii_uppercase() || *byte == b'=') {
        return false;
    }
    let mut bits = 0u32;
    let mut held = 0;
    let mut colon = false;
    for byte in value.iter().take_while(|byte| **byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            let byte = (bits >> held) as u8;
            if byte < 0x20 || byte == 0x7f {
                return false;
            }
            colon |= byte == b':';
        }
    }
    colon
}

/// A JSON web token: header, payload and signature, the last of them perhaps cut off.
pub(super) fn jwt(scanner: &mut Scanner<'_, '_>, at: usize) {
    let text = scanner.text;
    if !is_edge(text, at) {
        return;
    }
    let rest = text.get(at..).unwrap_or_default();
    let part = |from: usize| {
        let rest = rest.get(from..).unwrap_or_default();
        rest.iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
            .count()
    };
    let header = part(0);
    let mut end = header;
    let mut parts = 1;
    while parts < 5 && rest.get(end) == Some(&b'.') {
        let length = part(end + 1);
        end += 1 + length;
        parts += 1;
    }
    let is_last = end == rest.len();
    if header >= 12 && (parts >= 3 || is_last && (parts == 2 || header >= 20)) {
        scanner.hide(at, at + end, Label::JWT);
    }
}

/// A private key in PEM, to its end or to the end of the text.
pub(super) fn pem(scanner: &mut Scanner<'_, '_>, at: usize) {
    let rest = scanner.text.get(at..).unwrap_or_default();
    let line = rest.get(..rest.len().min(64)).unwrap_or_default();
    let Some(kind) = line.windows(11).position(|window| window == b"PRIVATE KEY") else { return };
    let between = line.get(11..kind).unwrap_or_default();
    if !between.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ') {
        return;
    }
    let behind = rest.get(kind..).unwrap_or_default();
    let end = behind.windows(9).position(|window| window == b"-----END ").map(|found| {
        let tail = behind.get(found + 9..).unwrap_or_default();
        let close = tail.iter().take(64).position(|byte| *byte == b'-').unwrap_or(tail.len().min(64));
        let dashes = tail.get(close..).unwrap_or_default().iter().take_while(|byte| **byte == b'-').count();
        found + 9 + close + dashes
    });
    scanner.hide(at, at + end.map_or(rest.len(), |end| kind + end), Label::PRIVATE_KEY);
}

/// A bot's token as Telegram gives it: a number, a colon, 35 characters.
pub(super) fn bot(scanner: &mut Scanner<'_, '_>, at: usize) {
    let text = scanner.text;
    let head = text.get(..at).unwrap_or_default();
    let digits = head.iter().rev().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text.get(at + 1..).unwrap_or_default();
    let length =
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
    let start = at - digits;
    let edge = is_edge(text, start) || text.get(..start).is_some_and(|head| head.ends_with(b"bot"));
    if (8..=10).contains(&digits) && edge && (length == 35 || length > 8 && length == rest.len()) {
        scanner.hide(start, at + 1 + length, Label::TOKEN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_is_known_by_its_first_letter() {
        for scheme in SCHEMES {
            for scheme in [scheme.to_owned(), scheme.to_ascii_uppercase()] {
                let value = format!("{scheme} x1y2z3");
                assert_eq!(without_scheme(value.as_bytes()), b"x1y2z3", "{scheme}");
            }
        }
        assert_eq!(without_scheme(b"hunter2 x1y2z3"), b"hunter2 x1y2z3");
    }
}
