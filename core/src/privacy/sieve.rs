//! The sieve: which places of a text may hold one of many short literals, told for thirty-two bytes at once.
//!
//! Nearly all text holds no secret, so this pass is what redaction costs. Every literal is looked for by three of
//! its bytes, its *anchor*. Anchors whose letters are alike form a *family*, of which there are sixteen, each with
//! a bit of its own. For the upper and the lower half of a byte a table of sixteen entries says which families
//! have it in first, second or third place; where all six agree on a family, [`super::triggers`] looks closer.
//! (Literature and other libraries call this Teddy.) The same pass tells digits, for [`super::digits`].

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x32};

/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 32;
/// Bytes of an anchor.
pub(super) const ANCHOR: usize = 3;
/// A block with the bytes that its last anchors reach.
type Span = [u8; BLOCK + ANCHOR - 1];
/// Two blocks with such.
const PAIR: usize = 2 * BLOCK + ANCHOR - 1;
/// Families, eight to a table.
pub(super) const FAMILIES: usize = 16;

/// The bytes that an anchor may have in each of its places.
pub(super) type Anchor = [Vec<u8>; ANCHOR];

/// What was found in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// Where the block begins.
    pub(super) at: usize,
    /// One bit for each place at which an anchor may begin.
    pub(super) anchors: u32,
    /// One bit for each digit.
    pub(super) digits: u32,
    /// One bit for each blank and hyphen, which may join groups of digits.
    pub(super) joins: u32,
}

/// The families that have a half of a byte in one place, by that half. Twice, since blocks are looked up in halves.
type Table = [u8; BLOCK];

/// Eight families.
#[derive(Debug)]
struct Octet {
    low: [Table; ANCHOR],
    high: [Table; ANCHOR],
}

/// All anchors, and what the processor can do.
#[derive(Debug)]
pub(super) struct Sieve {
    octets: [Octet; FAMILIES / 8],
    level: Level,
    /// The families that may have a byte in each place of an anchor, by that byte: where it goes byte by byte.
    #[cfg(any(test, target_arch = "x86", target_arch = "x86_64"))]
    places: Vec<[u16; ANCHOR]>,
}

impl Sieve {
    /// Lets everything through.
    pub(super) fn new() -> Self {
        let empty = || Octet { low: [[0; BLOCK]; ANCHOR], high: [[0; BLOCK]; ANCHOR] };
        Self {
            octets: [empty(), empty()],
            level: Level::new(),
            #[cfg(any(test, target_arch = "x86", target_arch = "x86_64"))]
            places: Vec::new(),
        }
    }

    /// Adds an anchor to a family.
    pub(super) fn add(&mut self, anchor: &Anchor, family: usize) {
        let Some(octet) = self.octets.get_mut(family / 8) else { return };
        let bit = 1 << (family % 8);
        for ((low, high), bytes) in octet.low.iter_mut().zip(&mut octet.high).zip(anchor) {
            for byte in bytes {
                for half in [0, 16] {
                    let places = [low.get_mut(half + lower(*byte)), high.get_mut(half + upper(*byte))];
                    for families in places.into_iter().flatten() {
                        *families |= bit;
                    }
                }
            }
        }
        #[cfg(any(test, target_arch = "x86", target_arch = "x86_64"))]
        if cfg!(test) || self.goes_byte_by_byte() {
            let [first, second] = &self.octets;
            let of = |byte| {
                let both = first.families(byte).into_iter().zip(second.families(byte));
                let mut places = both.map(|(one, other)| u16::from_le_bytes([one, other]));
                [(); ANCHOR].map(|()| places.next().unwrap_or(0))
            };
            self.places = (0..=u8::MAX).map(of).collect();
        }
    }

    /// Whether bytes cannot be looked up in vectors. Doing it nevertheless costs forty-eight thousand bytes of code.
    #[cfg(any(test, target_arch = "x86", target_arch = "x86_64"))]
    fn goes_byte_by_byte(&self) -> bool {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        return matches!(self.level, Level::Sse2(_));
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        return false;
    }

    /// The family that lets the fewest further bytes through if it takes that anchor in.
    pub(super) fn nearest(&self, anchor: &Anchor) -> usize {
        let passes = |family: usize, more: Option<&Anchor>| -> usize {
            let Some(octet) = self.octets.get(family / 8) else { return usize::MAX };
            let bit = 1u8 << (family % 8);
            let count = |table: &Table, half: fn(u8) -> usize, place: usize| {
                let more = more.and_then(|anchor| anchor.get(place));
                let holds =
                    |index: usize| more.is_some_and(|bytes| bytes.iter().any(|byte| half(*byte) == index));
                (0..16).filter(|at| table.get(*at).is_some_and(|set| set & bit != 0) || holds(*at)).count()
            };
            let places = octet.low.iter().zip(&octet.high).enumerate();
            places.map(|(place, (low, high))| count(low, lower, place) * count(high, upper, place)).product()
        };
        let grows = |family: &usize| passes(*family, Some(anchor)).saturating_sub(passes(*family, None));
        (0..FAMILIES).min_by_key(grows).unwrap_or(0)
    }

    /// Tells every block in which an anchor may begin, or in which there are `dense` digits or more, in order.
    #[inline]
    pub(super) fn sift(&self, text: &[u8], dense: u32, found: impl FnMut(Marks)) {
        match self.level {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Sse2(_) => sift_bytes(&self.places, text, dense, found),
            level => dispatch!(level, simd => sift(simd, &self.octets, text, dense, found)),
        }
    }
}

fn lower(byte: u8) -> usize {
    usize::from(byte & 0x0f)
}

fn upper(byte: u8) -> usize {
    usize::from(byte >> 4)
}

impl Octet {
    /// The families that may have that byte in each place of an anchor.
    #[cfg(any(test, target_arch = "x86", target_arch = "x86_64"))]
    #[inline]
    fn families(&self, byte: u8) -> [u8; ANCHOR] {
        let of = |table: &Table, half: usize| table.get(half).copied().unwrap_or(0);
        let [a, b, c] = &self.low;
        let [d, e, f] = &self.high;
        let (low, high) = (lower(byte), upper(byte));
        [of(a, low) & of(d, high), of(b, low) & of(e, high), of(c, low) & of(f, high)]
    }
}

/// The same as [`sift`], byte by byte.
#[cfg(any(test, target_arch = "x86", target_arch = "x86_64"))]
fn sift_bytes(places: &[[u16; ANCHOR]], text: &[u8], dense: u32, mut found: impl FnMut(Marks)) {
    // Behind the end is nothing that an anchor has.
    let of =
        |at: usize| text.get(at).and_then(|byte| places.get(usize::from(*byte))).copied().unwrap_or_default();
    // What has been looked up of the bytes behind the one at hand.
    let (mut next, mut after) = (of(0), of(1));
    for (block, bytes) in text.chunks(BLOCK).enumerate() {
        let at = block * BLOCK;
        let mut marks = Marks { at, anchors: 0, digits: 0, joins: 0 };
        for (place, byte) in bytes.iter().enumerate() {
            let here = next;
            (next, after) = (after, of(at + place + 2));
            let is_anchor = here[0] & next[1] & after[2] != 0;
            marks.anchors |= u32::from(is_anchor) << place;
            marks.digits |= u32::from(byte.is_ascii_digit()) << place;
            marks.joins |= u32::from(matches!(byte, b' ' | b'-')) << place;
        }
        if marks.anchors != 0 || marks.digits.count_ones() >= dense {
            found(marks);
        }
    }
}

/// The tables where the vectors of a processor can look things up.
#[derive(Clone, Copy)]
struct Loaded<S: Simd> {
    low: [u8x32<S>; ANCHOR],
    high: [u8x32<S>; ANCHOR],
}

// All of these are compiled once for each kind of processor, for which they must become part of `dispatch!`.

#[inline(always)]
fn sift<S: Simd>(
    simd: S,
    octets: &[Octet; FAMILIES / 8],
    text: &[u8],
    dense: u32,
    mut found: impl FnMut(Marks),
) {
    let [first, second] = octets;
    let octets = [loaded(simd, first), loaded(simd, second)];
    let mut at = 0;
    // There are more tables than registers: two blocks at a time share the loading of each.
    while let Some(both) = text.get(at..).and_then(|rest| rest.first_chunk::<PAIR>())
        && let (Some(one), Some(other)) = (both.first_chunk(), both.last_chunk())
    {
        let [seen, further] = see_pair(simd, &octets, both);
        let families = Seen { families: seen.families | further.families, digits: 0 };
        if families.anchors(simd) != 0 || seen.digits.count_ones() + further.digits.count_ones() >= dense {
            tell(simd, at, one, seen, dense, &mut found);
            tell(simd, at + BLOCK, other, further, dense, &mut found);
        }
        at += 2 * BLOCK;
    }
    while let Some(bytes) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        tell(simd, at, bytes, see(simd, &octets, bytes), dense, &mut found);
        at += BLOCK;
    }
    // The end, with zeros behind it, which no anchor has.
    let rest = text.get(at..).unwrap_or_default();
    let mut padded = [0; PAIR];
    if let Some(start) = padded.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    let mut from = 0;
    while let Some(bytes) =
        padded.get(from..).and_then(|rest| rest.first_chunk()).filter(|_| from < rest.len())
    {
        tell(simd, at + from, bytes, see(simd, &octets, bytes), dense, &mut found);
        from += BLOCK;
    }
}

#[inline(always)]
fn loaded<S: Simd>(simd: S, octet: &Octet) -> Loaded<S> {
    let [a, b, c] = &octet.low;
    let [d, e, f] = &octet.high;
    Loaded {
        low: [load(simd, a), load(simd, b), load(simd, c)],
        high: [load(simd, d), load(simd, e), load(simd, f)],
    }
}

#[inline(always)]
fn load<S: Simd>(simd: S, bytes: &[u8; BLOCK]) -> u8x32<S> {
    u8x32::load_array_ref(simd, bytes)
}

/// The families that may have an anchor at each place of a block, and its digits.
#[derive(Clone, Copy)]
struct Seen<S: Simd> {
    families: u8x32<S>,
    digits: u32,
}

impl<S: Simd> Seen<S> {
    /// The places where an anchor may begin.
    #[inline(always)]
    fn anchors(self, simd: S) -> u32 {
        !self.families.simd_eq(u8x32::splat(simd, 0)).to_bitmask() as u32
    }
}

#[inline(always)]
fn see<S: Simd>(simd: S, octets: &[Loaded<S>; FAMILIES / 8], bytes: &Span) -> Seen<S> {
    let [first, second] = octets;
    let halves = [halves::<S, 0>(simd, bytes), halves::<S, 1>(simd, bytes), halves::<S, 2>(simd, bytes)];
    let families = families(first, halves) | families(second, halves);
    Seen { families, digits: digits(simd, window::<S, 0>(simd, bytes)) }
}

/// The same of two blocks, with every table loaded once.
#[inline(always)]
fn see_pair<S: Simd>(simd: S, octets: &[Loaded<S>; FAMILIES / 8], bytes: &[u8; PAIR]) -> [Seen<S>; 2] {
    let [first, second] = octets;
    let [[a, b, c], [d, e, f]] = [first.low, second.low];
    let [[g, h, i], [j, k, l]] = [first.high, second.high];
    let pair = [halves::<S, 0>(simd, bytes), halves::<S, BLOCK>(simd, bytes)];
    let (mut one, mut other) = (agreed_pair(a, g, pair), agreed_pair(d, j, pair));
    let pair = [halves::<S, 1>(simd, bytes), halves::<S, { BLOCK + 1 }>(simd, bytes)];
    (one, other) = (both(one, agreed_pair(b, h, pair)), both(other, agreed_pair(e, k, pair)));
    let pair = [halves::<S, 2>(simd, bytes), halves::<S, { BLOCK + 2 }>(simd, bytes)];
    (one, other) = (both(one, agreed_pair(c, i, pair)), both(other, agreed_pair(f, l, pair)));
    [
        Seen { families: one[0] | other[0], digits: digits(simd, window::<S, 0>(simd, bytes)) },
        Seen { families: one[1] | other[1], digits: digits(simd, window::<S, BLOCK>(simd, bytes)) },
    ]
}

/// A bit for each digit.
#[inline(always)]
fn digits<S: Simd>(simd: S, bytes: u8x32<S>) -> u32 {
    let digits = (bytes - u8x32::splat(simd, b'0')).simd_lt(u8x32::splat(simd, 10));
    digits.to_bitmask() as u32
}

/// Tells of a block in which something was seen.
#[inline(always)]
fn tell<S: Simd>(simd: S, at: usize, bytes: &Span, seen: Seen<S>, dense: u32, found: &mut impl FnMut(Marks)) {
    let anchors = seen.anchors(simd);
    if anchors != 0 || seen.digits.count_ones() >= dense {
        found(Marks { at, anchors, digits: seen.digits, joins: joins(simd, bytes) });
    }
}

/// The blanks and hyphens of a block.
#[inline(always)]
fn joins<S: Simd>(simd: S, bytes: &Span) -> u32 {
    let bytes = window::<S, 0>(simd, bytes);
    let joins = bytes.simd_eq(u8x32::splat(simd, b' ')) | bytes.simd_eq(u8x32::splat(simd, b'-'));
    joins.to_bitmask() as u32
}

/// The bytes of a block from a place on.
#[inline(always)]
fn window<S: Simd, const PLACE: usize>(simd: S, bytes: &[u8]) -> u8x32<S> {
    match bytes.get(PLACE..).and_then(|rest| rest.first_chunk()) {
        Some(window) => load(simd, window),
        None => u8x32::splat(simd, 0),
    }
}

/// Both halves of the bytes in one of an anchor's places.
#[derive(Clone, Copy)]
struct Halves<S: Simd> {
    low: u8x32<S>,
    high: u8x32<S>,
}

#[inline(always)]
fn halves<S: Simd, const PLACE: usize>(simd: S, bytes: &[u8]) -> Halves<S> {
    let bytes = window::<S, PLACE>(simd, bytes);
    Halves { low: bytes & u8x32::splat(simd, 0x0f), high: bytes >> 4 }
}

/// The families that may have an anchor at each place.
#[inline(always)]
fn families<S: Simd>(octet: &Loaded<S>, [a, b, c]: [Halves<S>; ANCHOR]) -> u8x32<S> {
    let [low_a, low_b, low_c] = octet.low;
    let [high_a, high_b, high_c] = octet.high;
    agreed(low_a, high_a, a) & agreed(low_b, high_b, b) & agreed(low_c, high_c, c)
}

/// The families on which both halves of a byte agree.
#[inline(always)]
fn agreed<S: Simd>(low: u8x32<S>, high: u8x32<S>, bytes: Halves<S>) -> u8x32<S> {
    low.swizzle_dyn_within_blocks(bytes.low) & high.swizzle_dyn_within_blocks(bytes.high)
}

#[inline(always)]
fn agreed_pair<S: Simd>(low: u8x32<S>, high: u8x32<S>, [one, other]: [Halves<S>; 2]) -> [u8x32<S>; 2] {
    [agreed(low, high, one), agreed(low, high, other)]
}

#[inline(always)]
fn both<S: Simd>(one: [u8x32<S>; 2], other: [u8x32<S>; 2]) -> [u8x32<S>; 2] {
    [one[0] & other[0], one[1] & other[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(text: &str) -> Anchor {
        let [a, b, c] = text.as_bytes() else { panic!("three bytes") };
        [vec![*a], vec![*b], vec![*c]]
    }

    /// The marks of a text as one list of places each.
    fn places(sieve: &Sieve, text: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let (mut anchors, mut digits) = (Vec::new(), Vec::new());
        sieve.sift(text, 0, |marks| {
            let of =
                |bits: u32| (0..BLOCK).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| marks.at + bit);
            anchors.extend(of(marks.anchors));
            digits.extend(of(marks.digits));
        });
        (anchors, digits)
    }

    #[test]
    fn an_anchor_is_seen_at_every_place() {
        let mut sieve = Sieve::new();
        sieve.add(&anchor("ab="), 0);
        sieve.add(&anchor("\u{fc}x"), 15);
        for length in 3..140 {
            for at in 0..length - 2 {
                let mut text = vec![b'.'; length];
                text[at..at + 3].copy_from_slice(b"ab=");
                assert_eq!(places(&sieve, &text).0, [at], "{at} of {length}");
                text[at..at + 3].copy_from_slice("\u{fc}x".as_bytes());
                assert_eq!(places(&sieve, &text).0, [at], "{at} of {length}");
            }
        }
    }

    #[test]
    fn digits_are_told_from_their_neighbours() {
        let text: Vec<u8> = (0..=255).collect();
        let (anchors, digits) = places(&Sieve::new(), &text);
        assert_eq!((anchors, digits), (vec![], (0x30..0x3a).collect()));
    }

    proptest::proptest! {
        #[test]
        fn bytes_one_by_one_say_the_same(
            anchors in proptest::collection::vec(("[a-d0-9 -]{3}", 0..FAMILIES), 0..20),
            text in "[a-d0-9 \\-\u{fc}]{0,300}",
            dense in 0u32..20,
        ) {
            let mut sieve = Sieve::new();
            for (text, family) in &anchors {
                sieve.add(&anchor(text), *family);
            }
            let (mut together, mut one_by_one) = (Vec::new(), Vec::new());
            dispatch!(sieve.level, simd => {
                sift(simd, &sieve.octets, text.as_bytes(), dense, |marks| together.push(marks))
            });
            sift_bytes(&sieve.places, text.as_bytes(), dense, |marks| one_by_one.push(marks));
            proptest::prop_assert_eq!(together, one_by_one);
        }
    }

    #[test]
    fn an_anchor_joins_those_that_are_like_it() {
        let mut sieve = Sieve::new();
        for (family, text) in ["key", "sk-", "%22"].into_iter().enumerate() {
            sieve.add(&anchor(text), family);
        }
        assert_eq!(sieve.nearest(&anchor("sk-")), 1);
        assert_eq!(sieve.nearest(&anchor("qqq")), 3, "a family of its own");
    }
}
