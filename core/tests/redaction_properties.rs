//! Secrets planted under every kind of name, in every form, nested and cut anywhere: none may be found in what
//! redaction leaves, while harmless neighbours stay. And whatever the text: it stays text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use polyspan::privacy::{Redaction, RedactionStyle, Redactor};
use polyspan::value::Value;
use proptest::prelude::*;

const SECRET: &str = "q7Zr-9xVt2LmK4wP";
const NAMES: [&str; 14] = [
    "password",
    "dbPassword",
    "DB_PASSWORD",
    "accessToken",
    "refresh_token",
    "x-api-key",
    "APIKey",
    "client_secret",
    "SECRET_KEY_BASE",
    "private_key",
    "credentials",
    "X-Amz-Security-Token",
    "passphrase",
    "jwt",
];
/// How a name (`@`) and its value (`#`) are joined in text.
const FORMS: [&str; 24] = [
    r##"{"user":"bob","@":"#","city":"Basel"}"##,
    r##"{"a":{"b":[{"@" : "#"}]},"city":"Basel"}"##,
    r##"{"@":["#","x"],"city":"Basel"}"##,
    r##"{"@":{"x":"#"},"city":"Basel"}"##,
    r##"[["user","bob"],["@","#"]]"##,
    r##"{"name":"@","value":"#"}"##,
    r##"{"value":"#","name":"@"}"##,
    r##"{"k":"@","v":"#","city":"Basel"}"##,
    "{'user': 'bob', '@': '#', 'city': 'Basel'}",
    "[('user', 'bob'), ('@', '#')]",
    "User(name='bob', @='#', city='Basel')",
    "user=bob @=# city=Basel",
    "user=bob&@=#&city=Basel",
    "https://h/p?user=bob&@=#&city=Basel",
    "@: #\ncity: Basel",
    "failed with @: # in Basel",
    "export @='#'",
    "@ = \"#\"",
    "tool --@ # --city Basel",
    "tool --@=# --city Basel",
    "<city>Basel</city><@>#</@>",
    "Server=h;@=#;City=Basel",
    "[\"app\",\"--@\",\"#\"]",
    "{:@=>\"#\", :city=>\"Basel\"}",
];

fn redactor() -> Redactor {
    Redactor::new(&Redaction::new()).unwrap()
}

/// Whether a piece of the secret that is worth something can be read.
fn leaks(text: &str) -> bool {
    (0..=SECRET.len() - 6).any(|at| text.contains(&SECRET[at..at + 6]))
}

/// The text as a string inside JSON, so many times.
fn nested(text: &str, depth: usize) -> String {
    (0..depth).fold(text.to_owned(), |text, _| serde_json::json!({ "body": text, "status": 200 }).to_string())
}

fn planted() -> impl Iterator<Item = String> {
    FORMS.iter().flat_map(|form| {
        NAMES.iter().flat_map(move |name| {
            let text = form.replace('@', name).replace('#', SECRET);
            (0..3).map(move |depth| nested(&text, depth))
        })
    })
}

#[test]
fn no_planted_secret_stays() {
    let redactor = redactor();
    let mut left = Vec::new();
    for text in planted() {
        let redacted = redactor.text(&text);
        if leaks(&redacted) {
            left.push(format!("{text}\n  {redacted}"));
        } else if text.contains("Basel") && !redacted.contains("Basel") {
            left.push(format!("Basel is gone: {text}\n  {redacted}"));
        }
    }
    assert!(left.is_empty(), "{}:\n{}", left.len(), left.join("\n"));
}

#[test]
fn no_cut_leaves_a_part_of_a_secret() {
    let redactor = redactor();
    let mut left = Vec::new();
    for text in planted() {
        let start = text.find(SECRET).unwrap();
        // A value before its name has no name yet; what was cut there is known to nobody.
        let from = if text[start..].contains("name") { text.len() } else { start + 6 };
        for end in from..text.len() {
            let Some(cut) = text.get(..end) else { continue };
            let redacted = redactor.text(cut);
            if leaks(&redacted) {
                left.push(format!("{cut}\n  {redacted}"));
            }
        }
    }
    left.truncate(20);
    assert!(left.is_empty(), "{}", left.join("\n"));
}

#[test]
fn no_structure_keeps_a_secret() {
    let redactor = redactor();
    for name in NAMES {
        let secret = || Value::from(SECRET);
        let pair = |key: &str, value: Value<'static>| (key.to_owned().into(), value);
        let values = [
            Value::Map(vec![pair(name, secret())]),
            Value::Map(vec![pair(name, Value::Array(vec![secret()]))]),
            Value::Map(vec![pair(name, Value::Map(vec![pair("x", secret())]))]),
            Value::Array(vec![Value::Array(vec![Value::from(name), secret()])]),
            Value::Map(vec![pair("name", Value::from(name)), pair("value", secret())]),
            Value::Map(vec![pair("value", secret()), pair("key", Value::from(name))]),
            Value::from(format!("{{\"{name}\":\"{SECRET}\"}}")),
            Value::Bytes(format!("{name}={SECRET}").into_bytes().into()),
        ];
        for value in values {
            let deep = Value::Map(vec![pair("a", Value::Array(vec![value]))]);
            let redacted = redactor.value("note", &deep).expect(name);
            assert!(!leaks(&format!("{redacted:?}")), "{redacted:?}");
            assert_eq!(redactor.value("note", &redacted), None, "once is enough");
        }
    }
}

/// Pieces that rules look at, put together at random.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("password".to_owned()),
        Just("tokens".to_owned()),
        Just("api_key".to_owned()),
        Just("name".to_owned()),
        Just("value".to_owned()),
        Just("Bearer ".to_owned()),
        Just("://".to_owned()),
        Just("sk-".to_owned()),
        Just("4111 1111".to_owned()),
        Just("%22".to_owned()),
        Just("&quot;".to_owned()),
        Just("…[truncated]".to_owned()),
        Just("[REDACTED]".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        "[\"'`\\\\{}\\[\\]():=,;<>&?@ \n]",
        "[a-z0-9]{1,4}",
        "\\PC",
    ];
    proptest::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_the_text_it_stays_text(text in soup(), style in 0..3usize) {
        let style = [RedactionStyle::Full, RedactionStyle::Partial, RedactionStyle::Indexed][style];
        let redactor = Redactor::new(&Redaction::new().style(style)).unwrap();
        let redacted = redactor.text(&text);
        // Whatever it did, it ends, and does not grow without bound.
        prop_assert!(redactor.text(&redacted).len() <= 2 * text.len() * 12 + 64);
    }

    #[test]
    fn ordinary_words_pass_unchanged(words in proptest::collection::vec("[b-df-hj-np-z]{1,8}[aeiou][0-9]{0,3}", 0..60)) {
        let text = words.join(" ");
        let found = redactor().text(&text).into_owned();
        prop_assert_eq!(found, text);
    }
}
