//! The first look at text: one pass that finds where a rule could begin to matter.
//!
//! Nearly all text holds no secret, so this pass is what redaction costs. It reads three bytes at every second
//! place, folds their case, and looks their hash up in a table of 32 KiB; only where that says so are the
//! literals behind it compared. A literal of four bytes or more stands in the table with the two triples that
//! it has at an even and at an odd place; one of three bytes with itself and with its last two bytes before
//! every byte that may follow it.

use super::tokens;

/// Bits of the hash.
const BITS: u32 = 15;
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
    /// In lower case unless the case counts.
    text: Box<[u8]>,
    exact: bool,
    rule: Rule,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    literal: u16,
    /// Where in the literal the triple stands.
    offset: u8,
    /// The next entry of the same slot, counted from one; 0 for none.
    next: u16,
}

/// All literals, and the table that finds them.
#[derive(Debug)]
pub(super) struct Triggers {
    table: Box<[u8; SLOTS]>,
    /// The first entry of each slot, counted from one.
    first: Box<[u16; SLOTS]>,
    entries: Vec<Entry>,
    literals: Vec<Literal>,
}

/// Words of names, each with the place of the four bytes that are looked for.
const WORDS: [(&str, usize); 27] = [
    ("pass", 0),
    ("kennwort", 3),
    ("secret", 1),
    ("credential", 1),
    ("creds", 1),
    ("token", 1),
    ("auth", 0),
    ("bearer", 2),
    ("cookie", 1),
    ("jsession", 0),
    ("phpsess", 0),
    ("mnemonic", 0),
    ("phrase", 1),
    ("card", 0),
    ("ccnum", 0),
    ("cc_num", 2),
    ("security", 1),
    ("recovery", 2),
    ("backup", 2),
    ("mfa_", 0),
    ("mfac", 0),
    ("connect.sid", 6),
    ("x-amz-sig", 4),
    ("x-goog-sig", 5),
    ("signature=", 5),
    ("sig=", 0),
    ("code=", 0),
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
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
/// How the headers of JSON web tokens begin: `{"` and `alg`, `typ`, `kid` ..., encoded.
const JWT: [&str; 9] = [
    "eyJhbGci", "eyJ0eXAi", "eyJraWQi", "eyJjdHki", "eyJlbmMi", "eyJ4NXQ", "eyJqa3Ui", "eyJqd2si", "eyJjcml0",
];

impl Triggers {
    /// The built-in literals and further words of names.
    pub(super) fn new<'a>(own: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut triggers = Self {
            table: Box::new([0; SLOTS]),
            first: Box::new([0; SLOTS]),
            entries: Vec::new(),
            literals: Vec::new(),
        };
        for (word, window) in WORDS {
            triggers.long(word.as_bytes(), window, false, Rule::Name);
        }
        for (word, letters) in SHORT_WORDS {
            triggers.short(word.as_bytes(), letters.as_bytes(), false, Rule::Name);
        }
        for (number, form) in tokens::FORMS.iter().enumerate() {
            let prefix = form.prefix.as_bytes();
            let rule = Rule::Token(number as u8);
            match prefix.len() {
                0..=2 => triggers.tiny(prefix, rule),
                3 => triggers.short(prefix, LETTERS, true, rule),
                _ => triggers.long(prefix, usize::from(form.window), true, rule),
            }
        }
        triggers.long(b"bearer ", 3, false, Rule::Scheme);
        triggers.long(b"basic ", 2, false, Rule::Scheme);
        for start in JWT {
            triggers.long(start.as_bytes(), 3, true, Rule::Jwt);
        }
        triggers.long(b"-----BEGIN ", 5, true, Rule::Pem);
        triggers.short(b"://", LETTERS, true, Rule::Url);
        triggers.short(b":AA", LETTERS, true, Rule::Bot);
        for text in ENCODED {
            triggers.short(text.as_bytes(), LETTERS, false, Rule::Encoded);
        }
        for word in own {
            match word.len() {
                0..=2 => {}
                3 => triggers.short(word, LETTERS, false, Rule::Name),
                length => triggers.long(word, (length - 4) / 2, false, Rule::Name),
            }
        }
        triggers
    }

    fn literal(&mut self, text: &[u8], exact: bool, rule: Rule) -> u16 {
        let text = if exact { text.to_vec() } else { text.to_ascii_lowercase() };
        self.literals.push(Literal { text: text.into(), exact, rule });
        (self.literals.len() - 1) as u16
    }

    /// A literal of four bytes or more, found by the four at `window`.
    fn long(&mut self, text: &[u8], window: usize, exact: bool, rule: Rule) {
        let literal = self.literal(text, exact, rule);
        for offset in [window, window + 1] {
            if let Some([a, b, c]) = text.get(offset..).and_then(|rest| rest.first_chunk::<3>()) {
                self.enter([*a, *b, *c], literal, offset);
            }
        }
    }

    /// A literal of three bytes, behind which anything but a letter may stand, and these letters.
    fn short(&mut self, text: &[u8], letters: &[u8], exact: bool, rule: Rule) {
        let literal = self.literal(text, exact, rule);
        if let [a, b, c] = *text {
            self.enter([a, b, c], literal, 0);
            // Folded: digits and most signs lie below 0x20 then.
            for follows in (0x00..0x20).chain(*b"@[\\]^_").chain(letters.iter().copied()) {
                self.enter([b, c, follows], literal, 1);
            }
        }
    }

    /// A literal of two bytes before a hexadecimal digit.
    fn tiny(&mut self, text: &[u8], rule: Rule) {
        let literal = self.literal(text, true, rule);
        if let [a, b] = *text {
            for c in *b"0123456789abcdef" {
                self.enter([a, b, c], literal, 0);
                for d in *b"0123456789abcdef" {
                    self.enter([b, c, d], literal, 1);
                }
            }
        }
    }

    fn enter(&mut self, triple: [u8; 3], literal: u16, offset: usize) {
        let [a, b, c] = triple;
        let slot = slot(u32::from_le_bytes([a, b, c, 0]));
        let Some(first) = self.first.get_mut(slot) else { return };
        let known = core::iter::successors(Some(*first), |entry| {
            self.entries.get(usize::from(*entry).wrapping_sub(1)).map(|entry| entry.next)
        });
        let mut known = known.filter_map(|entry| self.entries.get(usize::from(entry).wrapping_sub(1)));
        if known.any(|entry| entry.literal == literal && usize::from(entry.offset) == offset) {
            return;
        }
        self.entries.push(Entry { literal, offset: offset as u8, next: *first });
        *first = self.entries.len() as u16;
        if let Some(mark) = self.table.get_mut(slot) {
            *mark = 1;
        }
    }

    /// Finds every place where a rule is to look closer, in order.
    pub(super) fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        let before = hits.len();
        let mut at = 0;
        // Sixteen bytes a step; two more are looked at.
        while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<20>()) {
            let mut marks = self.marks(chunk);
            while marks != 0 {
                self.look(text, at + 2 * marks.trailing_zeros() as usize, hits);
                marks &= marks - 1;
            }
            at += 16;
        }
        for at in (at..text.len()).step_by(2) {
            self.look(text, at, hits);
        }
        // A literal of three bytes at the very end has nothing behind it to be found by.
        if let Some(last) = text.len().checked_sub(3).filter(|last| last % 2 == 1) {
            self.look(text, last, hits);
        }
        let by_words = hits.len();
        super::digits::find_runs(text, hits);
        let found = hits.get_mut(before..).unwrap_or_default();
        if by_words < before + found.len() || found.windows(2).any(|two| matches!(two, [a, b] if a.at > b.at))
        {
            found.sort_by_key(|hit| hit.at);
        }
    }

    /// One bit for each even place of a step that the table knows.
    #[inline(always)]
    fn marks(&self, chunk: &[u8; 20]) -> u8 {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, ..] = *chunk;
        let low = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let high = u64::from_le_bytes([i, j, k, l, m, n, o, p]);
        let mark = |triple: u32| self.table.get(slot(triple)).copied().unwrap_or(0);
        mark(low as u32)
            | mark((low >> 16) as u32) << 1
            | mark((low >> 32) as u32) << 2
            | mark(u32::from_le_bytes([g, h, i, 0])) << 3
            | mark(high as u32) << 4
            | mark((high >> 16) as u32) << 5
            | mark((high >> 32) as u32) << 6
            | mark(u32::from_le_bytes([o, p, q, r])) << 7
    }

    /// Compares the literals of which a part may stand at a place.
    fn look(&self, text: &[u8], at: usize, hits: &mut Vec<Hit>) {
        let Some([a, b, c]) = text.get(at..).and_then(|rest| rest.first_chunk::<3>()) else { return };
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
        let found = text.get(at..)?.get(..literal.text.len())?;
        let same =
            if literal.exact { *found == *literal.text } else { found.eq_ignore_ascii_case(&literal.text) };
        same.then_some(Hit { at, rule: literal.rule })
    }
}

#[inline(always)]
fn slot(triple: u32) -> usize {
    ((triple & FOLD).wrapping_mul(0x9e37_79b9) >> (32 - BITS)) as usize
}
