//! Splitting a name into its words: `accessToken`, `x-api-key`, `APIKey` and `db.password2` are all made of
//! words, and only whole words say what a name stands for.

/// Bytes of a name that are looked at; of a longer one the end, where the noun stands.
const LONGEST: usize = 96;
/// Words that are told apart; of more the last ones.
const MOST: usize = 16;

/// The words of a name, in ASCII lower case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    bytes: [u8; LONGEST],
    ends: [u8; MOST],
    starts: [u8; MOST],
    count: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Other,
}

fn kind(byte: u8) -> Kind {
    match byte {
        b'A'..=b'Z' => Kind::Upper,
        b'0'..=b'9' => Kind::Digit,
        // Letters beyond ASCII have no case here.
        b'a'..=b'z' | 0x80.. => Kind::Lower,
        _ => Kind::Other,
    }
}

impl Words {
    /// Splits a name at separators, at humps (`apiKey`, `APIKey`), and between letters and digits.
    pub(super) fn of(name: &[u8]) -> Self {
        let name = name.get(name.len().saturating_sub(LONGEST)..).unwrap_or(name);
        let mut words = Self { bytes: [0; LONGEST], ends: [0; MOST], starts: [0; MOST], count: 0 };
        let mut start = None;
        let mut before = Kind::Other;
        for (at, byte) in name.iter().enumerate() {
            if let Some(slot) = words.bytes.get_mut(at) {
                *slot = byte.to_ascii_lowercase();
            }
            let this = kind(*byte);
            let next = name.get(at + 1).map_or(Kind::Other, |byte| kind(*byte));
            let hump = this == Kind::Upper && (before == Kind::Lower || next == Kind::Lower);
            let turn = (this == Kind::Digit) != (before == Kind::Digit);
            if let Some(from) = start.filter(|_| this == Kind::Other || hump || turn) {
                words.push(from, at);
                start = None;
            }
            if this != Kind::Other && start.is_none() {
                start = Some(at);
            }
            before = this;
        }
        if let Some(from) = start {
            words.push(from, name.len());
        }
        words
    }

    fn push(&mut self, start: usize, end: usize) {
        if self.count == MOST {
            self.starts.copy_within(1.., 0);
            self.ends.copy_within(1.., 0);
            self.count -= 1;
        }
        if let (Some(from), Some(to)) = (self.starts.get_mut(self.count), self.ends.get_mut(self.count)) {
            // Both fit, since no name is longer than a byte can count.
            *from = start as u8;
            *to = end as u8;
            self.count += 1;
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// One of them; empty beyond the last.
    pub(super) fn get(&self, at: usize) -> &[u8] {
        if at >= self.count {
            return &[];
        }
        let range = self.starts.get(at).zip(self.ends.get(at));
        range.and_then(|(start, end)| self.bytes.get(usize::from(*start)..usize::from(*end))).unwrap_or(&[])
    }

    /// The word before that one; empty before the first.
    pub(super) fn before(&self, at: usize) -> &[u8] {
        at.checked_sub(1).map_or(&[], |at| self.get(at))
    }

    /// All of them in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.count).map(|at| self.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(name: &str) -> String {
        let words = Words::of(name.as_bytes());
        let words: Vec<&str> = words.iter().map(|word| core::str::from_utf8(word).unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn names_are_split_in_every_style() {
        for (name, words) in [
            ("accessToken", "access token"),
            ("APIKey", "api key"),
            ("x-api-key", "x api key"),
            ("SECRET_KEY_BASE", "secret key base"),
            ("gen_ai.usage.input_tokens", "gen ai usage input tokens"),
            ("password2", "password 2"),
            ("oauth2Token", "oauth 2 token"),
            ("PGPASSWORD", "pgpassword"),
            ("  API key ", "api key"),
            ("contraseña", "contraseña"),
            ("", ""),
            ("...", ""),
        ] {
            assert_eq!(split(name), words, "{name}");
        }
    }

    #[test]
    fn of_a_long_name_the_end_counts() {
        assert_eq!(split(&format!("{}.token", "a.".repeat(200))), "a a a a a a a a a a a a a a a token");
        assert!(split(&format!("{}_secret", "x".repeat(5000))).ends_with("x secret"));
    }
}
