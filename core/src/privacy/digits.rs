//! Numbers that are secrets: payment cards, and Social Security numbers where something says that they are.

use super::label::Label;
use super::sieve::{BLOCK, Marks};
use super::text::Scanner;
use super::triggers::{Hit, Rule};

/// The most digits that a card has.
const LONGEST_CARD: usize = 19;
/// The fewest digits of a run that is looked at.
const CARD: usize = 9;

/// Finds runs of digits that are long enough for a card, in the blocks that have many digits.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Up to here runs have been found.
    until: usize,
}

impl Runs {
    /// Nine digits in groups leave so many to the fuller of the two blocks that they may fall into.
    pub(super) const DENSE: u32 = 5;

    /// Notes the runs of a block.
    pub(super) fn find(&mut self, text: &[u8], marks: Marks, hits: &mut Vec<Hit>) {
        const EDGES: u32 = 1 | 1 << (BLOCK - 1);
        if (marks.digits | marks.joins) & EDGES == 0 {
            within(marks, hits);
            self.until = marks.at + BLOCK;
            return;
        }
        // The run may have begun in the block before.
        let from = marks.at.saturating_sub(24).max(self.until);
        let before = text.get(from..marks.at).unwrap_or_default();
        let joined = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'-');
        let mut next = marks.at.max(from) - before.iter().rev().take_while(joined).count();
        while next < marks.at + BLOCK {
            let here = next.saturating_sub(marks.at);
            if next >= marks.at {
                let further = marks.digits >> here;
                if further == 0 {
                    break;
                }
                let gap = further.trailing_zeros();
                let length = (further >> gap).trailing_ones() as usize;
                next += gap as usize;
                // Told by the marks alone where it ends in this block and nothing joins it to a further one.
                let end = next + length;
                let ends_here = end < marks.at + BLOCK && !matches!(text.get(end), Some(b' ' | b'-'));
                if ends_here && length < CARD {
                    next = end;
                    continue;
                }
            } else if !text.get(next).is_some_and(u8::is_ascii_digit) {
                next += 1;
                continue;
            }
            let (end, digits) = run(text, next);
            if digits >= CARD {
                hits.push(Hit { at: next, rule: Rule::Digits });
            }
            next = end;
        }
        self.until = next;
    }
}

/// Notes the runs of a block that none enters or leaves, by its marks alone.
fn within(marks: Marks, hits: &mut Vec<Hit>) {
    let Marks { at, digits, joins, .. } = marks;
    let runs = digits | joins & digits << 1 & digits >> 1;
    // Where as many in a row begin as a card has digits.
    let two = runs & runs >> 1;
    let four = two & two >> 2;
    let long = four & four >> 4 & runs >> 8;
    let mut starts = long & !(long << 1);
    while starts != 0 {
        let start = starts.trailing_zeros();
        let length = (runs >> start).trailing_ones();
        if (digits >> start & ((1 << length) - 1)).count_ones() as usize >= CARD {
            hits.push(Hit { at: at + start as usize, rule: Rule::Digits });
        }
        starts &= starts - 1;
    }
}

/// The run of digits and single separators that begins at `at`: where it ends, and its digits.
fn run(text: &[u8], at: usize) -> (usize, usize) {
    let mut digits = digits_from(text, at);
    let mut end = at + digits;
    while digits > 0 && matches!(text.get(end), Some(b' ' | b'-')) {
        let group = digits_from(text, end + 1);
        if group == 0 {
            break;
        }
        digits += group;
        end += 1 + group;
    }
    (end, digits)
}

/// How many digits there are from `at` on.
fn digits_from(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// Looks at the run of digits at `at`.
pub(super) fn look(scanner: &mut Scanner<'_, '_>, at: usize) {
    let text = scanner.text;
    let (end, _) = run(text, at);
    scanner.skip_to(at);
    if is_joined(text, at, end) {
        return;
    }
    let value = scanner.slice(at, end);
    if is_social_security(value) {
        if context(text, at, end, &["ssn", "social security", "social_security", "socialsecurity"]) {
            scanner.hide(at, end, Label::SSN);
        }
        return;
    }
    // Groups of other numbers may stand on both sides: `2024 4111 1111 1111 1111`.
    let mut from = at;
    while from < end {
        if let Some(card) = card_at(text, from, end) {
            let grouped = scanner.slice(from, card).iter().any(|byte| !byte.is_ascii_digit());
            let length = card - from;
            let said = || {
                context(text, from, card, &["card", "visa", "pan", "payment", "amex", "cvv", "cvc", "credit"])
            };
            let usual = grouped || matches!(length, 15 | 16);
            if (usual || said()) && !is_named_otherwise(text, from) {
                scanner.hide(from, card, Label::CARD_NUMBER);
                from = card;
                continue;
            }
        }
        // The next group.
        let rest = scanner.slice(from, end);
        from += rest.iter().position(|byte| !byte.is_ascii_digit()).map_or(rest.len(), |gap| gap + 1);
    }
}

/// Whether letters or the signs of other numbers are joined to the run: then it is part of something else.
fn is_joined(text: &[u8], at: usize, end: usize) -> bool {
    let joins = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+'))
    };
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let escaped = matches!(before, Some(b'n' | b'r' | b't')) && at >= 2 && text.get(at - 2) == Some(&b'\\');
    let point = |byte: Option<&u8>, beyond: Option<&u8>| {
        matches!(byte, Some(b'.' | b'-' | b'/' | b':')) && beyond.is_some_and(u8::is_ascii_alphanumeric)
    };
    let beyond = at.checked_sub(2).and_then(|before| text.get(before));
    joins(before) && !escaped
        || joins(text.get(end))
        || matches!(before, Some(b'.' | b'-' | b'/')) && beyond.is_some_and(u8::is_ascii_alphanumeric)
        || point(text.get(end), text.get(end + 1)) && text.get(end) != Some(&b':')
}

/// The end of the card number that begins at `at` and lies before `end`.
fn card_at(text: &[u8], at: usize, end: usize) -> Option<usize> {
    let text = text.get(..end)?;
    let mut digits = [0u8; LONGEST_CARD];
    let (mut count, mut place) = (0, at);
    let mut groups = [0u8; 8];
    let mut separator = None;
    let mut best = None;
    for group in 0..groups.len() {
        let length = digits_from(text, place);
        let room = digits.get_mut(count..)?;
        // Of a group that is too long only the beginning is looked at, which is no number by itself.
        let taken = length.min(room.len());
        for (slot, byte) in room.iter_mut().zip(text.get(place..place + taken)?) {
            *slot = byte - b'0';
        }
        count += taken;
        place += taken;
        *groups.get_mut(group)? = taken as u8;
        let digits = digits.get(..count)?;
        if taken == length
            && count >= 13
            && is_issued(digits)
            && is_grouped(groups.get(..=group)?)
            && passes_luhn(digits)
        {
            best = Some(place);
        }
        let Some(byte) = text.get(place).filter(|_| count < LONGEST_CARD) else { break };
        if *separator.get_or_insert(*byte) != *byte {
            break;
        }
        place += 1;
    }
    best
}

/// In one piece, in fours, or as American Express and Diners print it.
fn is_grouped(groups: &[u8]) -> bool {
    match groups {
        [_] | [4, 6, 4 | 5] => true,
        [4, 4, 4, last] => (1..=4).contains(last),
        [4, 4, 4, 4, last] => (1..=3).contains(last),
        _ => false,
    }
}

/// Whether an issuer gives out numbers of that beginning and length (ISO/IEC 7812).
fn is_issued(digits: &[u8]) -> bool {
    let number =
        |count: usize| digits.iter().take(count).fold(0u32, |number, digit| number * 10 + u32::from(*digit));
    let (two, three, four, length) = (number(2), number(3), number(4), digits.len());
    match length {
        13 => digits.first() == Some(&4),
        14 => matches!(two, 36 | 38 | 39) || (300..=305).contains(&three),
        15 => matches!(two, 34 | 37),
        16 => {
            digits.first() == Some(&4)
                || (51..=55).contains(&two)
                || (2221..=2720).contains(&four)
                || (2200..=2204).contains(&four)
                || four == 6011
                || (644..=649).contains(&three)
                || matches!(two, 65 | 62)
                || (3528..=3589).contains(&four)
        }
        17..=19 => digits.first() == Some(&4) && length == 19 || matches!(two, 62 | 65) || four == 6011,
        _ => false,
    }
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    let first = digits.first();
    sum.is_multiple_of(10) && digits.iter().any(|digit| Some(digit) != first)
}

/// Whether a whole number is a card's, for numbers that are no text.
pub(super) fn is_card(number: i64) -> bool {
    let text = number.to_string();
    let digits: Vec<u8> = text.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
    (13..=19).contains(&digits.len()) && is_issued(&digits) && passes_luhn(&digits)
}

/// Three, two and four digits, of those that are given out.
fn is_social_security(value: &[u8]) -> bool {
    let [a, b, c, b'-', d, e, b'-', f, g, h, i] = value else { return false };
    let area = [*a, *b, *c];
    [a, b, c, d, e, f, g, h, i].iter().all(|byte| byte.is_ascii_digit())
        && area != *b"000"
        && area != *b"666"
        && *a != b'9'
        && [*d, *e] != *b"00"
        && [*f, *g, *h, *i] != *b"0000"
}

/// Whether one of these words stands near.
fn context(text: &[u8], start: usize, end: usize, words: &[&str]) -> bool {
    let before = text.get(start.saturating_sub(48)..start).unwrap_or_default();
    let after = text.get(end..text.len().min(end + 24)).unwrap_or_default();
    let near = |part: &[u8]| {
        let lower = part.to_ascii_lowercase();
        words.iter().any(|word| lower.windows(word.len()).any(|window| window == word.as_bytes()))
    };
    near(before) || near(after)
}

/// Whether the name before the number says that it is something else: an id, a time, a telephone.
fn is_named_otherwise(text: &[u8], start: usize) -> bool {
    let head = text.get(start.saturating_sub(40)..start).unwrap_or_default();
    let head = head.trim_ascii_end();
    let head = head.strip_suffix(b"\"").or_else(|| head.strip_suffix(b"'")).unwrap_or(head).trim_ascii_end();
    let Some(head) = head.strip_suffix(b":").or_else(|| head.strip_suffix(b"=")) else { return false };
    let head = head.trim_ascii_end();
    let head = head.strip_suffix(b"\"").or_else(|| head.strip_suffix(b"'")).unwrap_or(head);
    let head = head.strip_suffix(b"\\").unwrap_or(head);
    let length = head.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    is_other_number(head.get(head.len() - length..).unwrap_or_default())
}

/// Whether numbers under that name are something else than a card's: an id, a time, a telephone.
pub(super) fn is_other_number(name: &[u8]) -> bool {
    let words = super::words::Words::of(name);
    matches!(
        words.get(words.len().wrapping_sub(1)),
        b"id"
            | b"ids"
            | b"uid"
            | b"ts"
            | b"time"
            | b"timestamp"
            | b"ns"
            | b"nanos"
            | b"nano"
            | b"seq"
            | b"sequence"
            | b"nonce"
            | b"hash"
            | b"phone"
            | b"imei"
            | b"isbn"
            | b"version"
            | b"offset"
            | b"seed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::triggers::Triggers;

    #[test]
    fn cards_are_told_from_other_numbers() {
        let card = |text: &str| card_at(text.as_bytes(), 0, text.len());
        assert_eq!(card("4111111111111111"), Some(16));
        assert_eq!(card("4111 1111 1111 1111"), Some(19));
        assert_eq!(card("3782-822463-10005"), Some(17));
        assert_eq!(card("4111 1111-1111 1111"), None);
        assert_eq!(card("4111111111111112"), None);
        assert_eq!(card("411111 1111111111"), None);
        assert_eq!(card("1700000000000000"), None);
        assert_eq!(card("0000000000000000"), None);
        assert!(is_card(5_555_555_555_554_444) && !is_card(1_700_000_000_000_000_000));
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn runs_are_those_that_a_walk_finds(text in "([a-z{]{0,9}[0-9]{1,12}[ -]{0,2}){0,40}") {
            let bytes = text.as_bytes();
            let (mut walked, mut at) = (Vec::new(), 0);
            while at < bytes.len() {
                let (end, digits) = run(bytes, at);
                if digits >= CARD {
                    walked.push(at);
                }
                at = end.max(at + 1);
            }
            let mut hits = Vec::new();
            Triggers::new([]).find(bytes, &mut hits);
            hits.retain(|hit| hit.rule == Rule::Digits);
            let found: Vec<_> = hits.iter().map(|hit| hit.at).collect();
            proptest::prop_assert_eq!(found, walked);
        }
    }

    #[test]
    fn runs_are_found_wherever_they_begin() {
        for before in 0..80 {
            let text = format!("{}4111 1111 1111 1111 and more text behind it", "x ".repeat(before));
            let mut hits = Vec::new();
            Triggers::new([]).find(text.as_bytes(), &mut hits);
            assert_eq!(hits, [Hit { at: 2 * before, rule: Rule::Digits }], "{before}");
        }
    }
}
