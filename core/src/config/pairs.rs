//! Lists of `key=value` pairs in a variable, in the encoding of W3C Baggage without properties.
//!
//! `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS` have this form.

use percent_encoding::percent_decode_str;

/// A member of the list that cannot be used: its text up to the equals sign, for the value may be secret.
pub(super) struct BadPair<'a>(pub &'a str);

/// Splits a list into decoded pairs; blanks around members, keys and values do not count, nor do empty
/// members.
pub(super) fn parse(list: &str) -> impl Iterator<Item = Result<(String, String), BadPair<'_>>> {
    list.split(',').map(str::trim).filter(|member| !member.is_empty()).map(|member| {
        let (key, value) = member.split_once('=').ok_or(BadPair(""))?;
        let bad = || BadPair(key.trim());
        let key = decode(key.trim()).filter(|key| !key.is_empty()).ok_or_else(bad)?;
        Ok((key, decode(value.trim()).ok_or_else(bad)?))
    })
}

/// `None` unless every percent sign begins an escape and the result is text.
fn decode(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.get(..2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = after;
    }
    percent_decode_str(text).decode_utf8().ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(list: &str) -> Result<Vec<(String, String)>, String> {
        parse(list).map(|pair| pair.map_err(|bad| bad.0.to_owned())).collect()
    }

    #[test]
    fn members_are_trimmed_and_decoded() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            all(" a = 1 ,, b=x%20y%2Cz ,c==,"),
            Ok(vec![pair("a", "1"), pair("b", "x y,z"), pair("c", "=")])
        );
        assert_eq!(all(""), Ok(vec![]));
        assert_eq!(all("k=%C3%A9"), Ok(vec![pair("k", "é")]));
    }

    #[test]
    fn bad_members_are_named_without_their_value() {
        assert_eq!(all("secret"), Err(String::new()));
        assert_eq!(all("=secret"), Err(String::new()));
        assert_eq!(all("k=50%"), Err("k".to_owned()));
        assert_eq!(all("k=%zz"), Err("k".to_owned()));
        assert_eq!(all("k=%ff"), Err("k".to_owned()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse(&text).count();
        }
    }
}
