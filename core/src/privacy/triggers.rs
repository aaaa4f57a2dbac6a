//! The first look at text: one pass that finds where a rule could begin to matter.
//!
//! [`super::sieve`] tells where three bytes of a literal may stand; only there a table is asked which literals
//! have them, and these are compared.

use super::digits::Runs;
use super::sieve::{ANCHOR, Anchor, FAMILIES, Sieve};
use super::tokens;

/// Bits of the hash of an anchor.
const BITS: u32 = 11;
const SLOTS: usize = 1 << BITS;
/// Letters of both cases, and digits and control bytes, are one.
const FOLD: u32 = 0x00df_dfdf;

/// What to do where a literal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A word of a name that may be sensitive.
    Name,
    /// The beginning of a token of a known form: its number in [`tokens::FORMS`].
    Token(u8),
    /// `bearer` and `basic` before credentials.
    Scheme,
    /// The beginning of a JSON web token.
    Jwt,
    /// `-----BEGIN `, perhaps of a private key.
    Pem,
    /// `://`
    Url,
    /// The colon inside a bot token.
    Bot,
    /// An encoded delimiter: what stands around it is looked at once more, decoded.
    Encoded,
    /// A run of digits, perhaps a card number.
    Digits,
}

/// A place where a rule is to look closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// Where the literal begins.
    pub(super) at: usize,
    pub(super) rule: Rule,
}

#[derive(Debug)]
struct Literal {
    head: Head,
    /// In lower case unless the case counts.
    text: Box<[u8]>,
    exact: bool,
    /// The small letters that may stand behind it, where not all may.
    before: Option<&'static [u8]>,
    rule: Rule,
}

/// Bytes of a literal that are compared at first.
const HEAD: usize = 4;

/// The first bytes of a literal: some need not be there, and letters may have either case.
#[derive(Debug, Clone, Copy)]
struct Head {
    bytes: u32,
    /// All bits of the bytes that must be there.
    mask: u32,
    /// The bit that makes letters small.
    fold: u32,
}

impl Head {
    fn of(text: &[u8], exact: bool) -> Self {
        let bytes = |of: fn(u8, bool) -> u8| {
            let byte = |place: usize| text.get(place).map_or(0, |byte| of(*byte, exact));
            u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
        };
        Self {
            bytes: bytes(|byte, _| byte),
            mask: bytes(|_, _| 0xff),
            fold: bytes(|byte, exact| if !exact && byte.is_ascii_alphabetic() { 0x20 } else { 0 }),
        }
    }

    #[inline]
    fn begins(self, text: &[u8]) -> bool {
        let first = text.first_chunk::<HEAD>().copied().unwrap_or_else(|| {
            // The end of the text, with zeros behind it.
            core::array::from_fn(|place| text.get(place).copied().unwrap_or(0))
        });
        (u32::from_le_bytes(first) | self.fold) & self.mask == self.bytes
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    literal: u16,
    /// Where in the literal its anchor stands.
    offset: u8,
    /// The next entry of the same slot, counted from one; 0 for none.
    next: u16,
}

/// All literals, and what finds them.
#[derive(Debug)]
pub(super) struct Triggers {
    sieve: Sieve,
    /// The first entry of each slot, counted from one.
    first: Box<[u16; SLOTS]>,
    entries: Vec<Entry>,
    literals: Vec<Literal>,
}

/// Words of names.
const WORDS: [&str; 27] = [
    "pass",
    "kennwort",
    "secret",
    "credential",
    "creds",
    "token",
    "auth",
    "bearer",
    "cookie",
    "jsession",
    "phpsess",
    "mnemonic",
    "phrase",
    "card",
    "ccnum",
    "cc_num",
    "security",
    "recovery",
    "backup",
    "mfa_",
    "mfac",
    "connect.sid",
    "x-amz-sig",
    "x-goog-sig",
    "signature=",
    "sig=",
    "code=",
];
/// Short words, each with the letters that may follow it inside a name.
const SHORT_WORDS: [(&str, &str); 8] = [
    ("key", "bdhijmprstv"),
    ("pwd", "h"),
    ("jwt", "st"),
    ("ssn", "n"),
    ("cvv", ""),
    ("cvc", ""),
    ("otp", "ct"),
    ("pin", "c"),
];
/// Quotes, equals signs, colons, underscores, hyphens and brackets as URLs write them.
const ENCODED: [&str; 7] = ["%22", "%27", "%3d", "%3a", "%5f", "%2d", "%5d"];
/// How the headers of JSON web tokens begin: `{"` and `alg`, `typ`, `kid` ..., encoded.
const JWT: [&str; 9] = [
    "eyJhbGci", "eyJ0eXAi", "eyJraWQi", "eyJjdHki", "eyJlbmMi", "eyJ4NXQ", "eyJqa3Ui", "eyJqd2si", "eyJjcml0",
];

/// The anchors of the literals above, a family to a line: chosen together with the families so that ordinary text
/// has few places that look like one.
const ANCHORS: [&str; FAMILIES] = [
    "Jqa Jra KEY KIA k-a kup",
    "dck gsk hpa lpa lsa mfa tok",
    "p.p php phr pin ptt pwd pyp qd2",
    "XAi uth vly xai",
    "ca_ coo cov hf_ ho_ soa sq0 xap xox",
    ":AA CCA SG. car cc_ gd_ glr",
    "NXQ PX- phx pi- pi_ plx pm_ r8_ rit rk_ sk- sk_ snt",
    "Jjc TT3 eds ghs",
    "_v1 otp pa_ pas pss",
    "%22 %27 %2d Jhb ede ghr ghu jdH ldt",
    "AIz BIA bea gem ghp nem",
    "%3a %3d %5d %5f -si ASI asi mMi",
    ":// ec_ ecr lc_ ub_",
    "SK cvc cvv hvb hvs jse jwt",
    "EGI a29 de= ig= key re=",
    "ccn enn onn ssn sv2",
];

impl Triggers {
    /// The built-in literals and further words of names.
    pub(super) fn new<'a>(own: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut triggers = Self {
            sieve: Sieve::new(),
            first: Box::new([0; SLOTS]),
            entries: Vec::new(),
            literals: Vec::new(),
        };
        for word in WORDS {
            triggers.enter(word.as_bytes(), false, Rule::Name);
        }
        for (word, letters) in SHORT_WORDS {
            triggers.enter(word.as_bytes(), false, Rule::Name);
            if let Some(literal) = triggers.literals.last_mut() {
                literal.before = Some(letters.as_bytes());
            }
        }
        for (number, form) in tokens::FORMS.iter().enumerate() {
            triggers.enter(form.prefix.as_bytes(), true, Rule::Token(number as u8));
        }
        for scheme in ["bearer ", "basic "] {
            triggers.enter(scheme.as_bytes(), false, Rule::Scheme);
        }
        for start in JWT {
            triggers.enter(start.as_bytes(), true, Rule::Jwt);
        }
        triggers.enter(b"-----BEGIN ", true, Rule::Pem);
        triggers.enter(b"://", true, Rule::Url);
        triggers.enter(b":AA", true, Rule::Bot);
        for text in ENCODED {
            triggers.enter(text.as_bytes(), false, Rule::Encoded);
        }
        // Shorter ones cannot be found in text.
        for word in own.into_iter().filter(|word| word.len() >= ANCHOR) {
            triggers.enter(word, false, Rule::Name);
        }
        triggers
    }

    /// Adds a literal of three bytes or more, or one of two before a hexadecimal digit.
    fn enter(&mut self, text: &[u8], exact: bool, rule: Rule) {
        let text = if exact { text.to_vec() } else { text.to_ascii_lowercase() };
        let known = anchor_of(&text);
        // The middle of a word of the application's own says more than its beginning.
        let offset = known.map_or(text.len().saturating_sub(ANCHOR) / 2, |(offset, _)| offset);
        let Some(bytes) = text.get(offset..text.len().min(offset + ANCHOR)).filter(|bytes| bytes.len() > 1)
        else {
            return;
        };
        let anchor: Anchor = core::array::from_fn(|place| match bytes.get(place) {
            Some(byte) if exact => vec![*byte],
            Some(byte) => vec![*byte, byte.to_ascii_uppercase()],
            None => b"0123456789abcdef".to_vec(),
        });
        let family = known.map_or_else(|| self.sieve.nearest(&anchor), |(_, family)| family);
        self.sieve.add(&anchor, family);
        let literal = self.literals.len() as u16;
        let [a, b, last] = anchor;
        for c in last.into_iter().filter(|byte| exact || !byte.is_ascii_uppercase()) {
            let slot = slot(u32::from_le_bytes([
                a.first().copied().unwrap_or(0),
                b.first().copied().unwrap_or(0),
                c,
                0,
            ]));
            let Some(first) = self.first.get_mut(slot) else { continue };
            self.entries.push(Entry { literal, offset: offset as u8, next: *first });
            *first = self.entries.len() as u16;
        }
        let head = Head::of(&text, exact);
        self.literals.push(Literal { head, text: text.into(), exact, before: None, rule });
    }

    /// Finds every place where a rule is to look closer, in order.
    pub(super) fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        let before = hits.len();
        let mut runs = Runs::default();
        self.sieve.sift(text, Runs::DENSE, |marks| {
            let mut anchors = marks.anchors;
            while anchors != 0 {
                self.look(text, marks.at + anchors.trailing_zeros() as usize, hits);
                anchors &= anchors - 1;
            }
            if marks.digits.count_ones() >= Runs::DENSE {
                runs.find(text, marks, hits);
            }
        });
        let found = hits.get_mut(before..).unwrap_or_default();
        if !found.is_sorted_by_key(|hit| hit.at) {
            found.sort_by_key(|hit| hit.at);
        }
    }

    /// Compares the literals whose anchor may stand at a place.
    fn look(&self, text: &[u8], at: usize, hits: &mut Vec<Hit>) {
        let Some([a, b, c]) = text.get(at..).and_then(|rest| rest.first_chunk::<ANCHOR>()) else { return };
        let slot = slot(u32::from_le_bytes([*a, *b, *c, 0]));
        let mut entry = self.first.get(slot).copied().unwrap_or(0);
        while let Some(found) = self.entries.get(usize::from(entry).wrapping_sub(1)) {
            entry = found.next;
            if let Some(hit) = self.compare(text, at, *found) {
                hits.push(hit);
            }
        }
    }

    fn compare(&self, text: &[u8], at: usize, entry: Entry) -> Option<Hit> {
        let literal = self.literals.get(usize::from(entry.literal))?;
        let at = at.checked_sub(usize::from(entry.offset))?;
        let rest = text.get(at..)?;
        if !literal.head.begins(rest) {
            return None;
        }
        let (found, behind) = rest.split_at_checked(literal.text.len())?;
        let (found, text) = (found.get(HEAD..), literal.text.get(HEAD..));
        let same = if literal.exact {
            found == text
        } else {
            found.unwrap_or_default().eq_ignore_ascii_case(text.unwrap_or_default())
        };
        let goes_on = || match (literal.before, behind.first()) {
            (Some(letters), Some(next)) => !next.is_ascii_lowercase() || letters.contains(next),
            _ => true,
        };
        (same && goes_on()).then_some(Hit { at, rule: literal.rule })
    }
}

/// Where the first known anchor of a literal stands in it, and its family.
fn anchor_of(text: &[u8]) -> Option<(usize, usize)> {
    ANCHORS.iter().enumerate().find_map(|(family, anchors)| {
        let mut anchors = anchors.split(' ').map(str::as_bytes);
        let place = |anchor: &[u8]| {
            let whole = anchor.len() == ANCHOR || text.len() < ANCHOR;
            text.windows(anchor.len()).position(|window| whole && window == anchor)
        };
        Some((anchors.find_map(place)?, family))
    })
}

#[inline(always)]
fn slot(triple: u32) -> usize {
    ((triple & FOLD).wrapping_mul(0x9e37_79b9) >> (32 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> Triggers {
        Triggers::new([])
    }

    #[test]
    fn every_literal_is_found_wherever_it_stands() {
        let own: [&[u8]; 3] = [b"employee", b"\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87", b"abc"];
        let triggers = Triggers::new(own);
        for literal in &triggers.literals {
            let upper = literal.text.to_ascii_uppercase();
            for text in [&literal.text[..], &upper].into_iter().take(if literal.exact { 1 } else { 2 }) {
                for before in 0..70 {
                    let text = ["~".repeat(before).as_bytes(), text, b"0"].concat();
                    let mut hits = Vec::new();
                    triggers.find(&text, &mut hits);
                    let found = hits.contains(&Hit { at: before, rule: literal.rule });
                    assert!(found, "{:?} at {before}", text.escape_ascii().to_string());
                }
            }
        }
    }

    #[test]
    fn a_short_word_goes_on_as_names_do() {
        for (text, count) in
            [("key", 1), ("keyed", 0), ("keys", 1), ("keyOf", 1), ("KEY_ID", 1), ("spinner", 0)]
        {
            let mut hits = Vec::new();
            built_in().find(text.as_bytes(), &mut hits);
            assert_eq!(hits.len(), count, "{text}");
        }
    }

    #[test]
    fn built_in_literals_are_known_by_their_anchors() {
        for literal in &built_in().literals {
            assert!(anchor_of(&literal.text).is_some(), "{:?}", literal.text.escape_ascii().to_string());
        }
    }

    #[test]
    fn ordinary_text_is_looked_at_in_few_places() {
        let texts = [
            include_str!("../../../docs/architecture.md"),
            include_str!("../../../tests/vectors/limits.json"),
        ];
        for text in texts {
            let mut places = 0;
            built_in()
                .sieve
                .sift(text.as_bytes(), u32::MAX, |marks| places += marks.anchors.count_ones() as usize);
            assert!(places > 0 && places < text.len() / 50, "{places} of {}", text.len());
        }
    }
}
