//! Whether a text is JSON: arguments that came as text are passed on as what they are, not as text of text.

/// Deeper JSON is left as text.
const MAX_DEPTH: usize = 64;

/// Whether the text is one JSON object and nothing else (RFC 8259).
pub(crate) fn is_json_object(text: &str) -> bool {
    let mut checker = Checker { rest: text.as_bytes() };
    checker.blank();
    checker.rest.first() == Some(&b'{') && checker.value(0).is_some() && {
        checker.blank();
        checker.rest.is_empty()
    }
}

struct Checker<'a> {
    rest: &'a [u8],
}

impl Checker<'_> {
    fn blank(&mut self) {
        let end = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.skip(end);
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or(&[]);
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.blank();
        match self.rest.first()? {
            b'{' if depth < MAX_DEPTH => self.items(b'}', true, depth),
            b'[' if depth < MAX_DEPTH => self.items(b']', false, depth),
            b'"' => self.string(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn items(&mut self, end: u8, named: bool, depth: usize) -> Option<()> {
        self.skip(1);
        self.blank();
        if self.rest.first() == Some(&end) {
            self.skip(1);
            return Some(());
        }
        loop {
            if named {
                self.blank();
                self.string()?;
                self.blank();
                self.word(b":")?;
            }
            self.value(depth + 1)?;
            self.blank();
            match self.next()? {
                b',' => {}
                byte if byte == end => return Some(()),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.word(b"\"")?;
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'u' => {
                        let digits = self.rest.get(..4)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        self.skip(4);
                    }
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    _ => return None,
                },
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.word(b"-");
        if let [b'0', _, ..] = self.digits()? {
            return None;
        }
        if self.word(b".").is_some() {
            self.digits()?;
        }
        if matches!(self.rest.first(), Some(b'e' | b'E')) {
            self.skip(1);
            if matches!(self.rest.first(), Some(b'+' | b'-')) {
                self.skip(1);
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<&[u8]> {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.rest.get(..length).filter(|digits| !digits.is_empty())?;
        self.rest = self.rest.get(length..)?;
        Some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_alone_pass() {
        for text in [r#"{}"#, r#" {"a": [1, -0.5e+3, "x\u00e9\n", {"b": null}], "c": true} "#] {
            assert!(is_json_object(text), "{text}");
        }
        for text in
            ["", "[]", "{", "{}x", "{'a':1}", r#"{"a":01}"#, r#"{"a":1,}"#, r#"{"a" 1}"#, "{\"a\":\"\n\"}"]
        {
            assert!(!is_json_object(text), "{text}");
        }
        assert!(!is_json_object(&"{\"a\":".repeat(100)));
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn it_agrees_with_a_parser(text in r#"[\{\}\[\]",:0-9a-e\\ .truefalsn-]{0,24}"#) {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            proptest::prop_assert_eq!(is_json_object(&text), parsed.is_ok_and(|value| value.is_object()));
        }
    }
}
