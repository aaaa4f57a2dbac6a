//! W3C Baggage: name/value pairs of the application that travel with a trace.
//!
//! [`Baggage`] is the value that contexts hold; [`BaggagePropagator`] writes and reads the `baggage` header.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::carrier::{Getter, Setter};
use super::tracestate::trim;
use super::{Extracted, Propagator, Refused};
use crate::context::SpanContext;

const BAGGAGE: &str = "baggage";

/// Pairs a header may have.
pub const MAX_PAIRS: usize = 180;
/// Names that are kept, so that a million of them cost no more than what they are good for.
const MAX_ENTRIES: usize = 1024;
/// Bytes of one pair with its properties, as it stands in a header.
pub const MAX_PAIR_BYTES: usize = 4096;
/// Bytes of all headers together, commas included.
pub const MAX_BYTES: usize = 8192;

/// What a value must not hold literally: all but `baggage-octet`, and the percent sign. Plus and equals signs
/// are allowed but encoded too, since receivers exist that take the one for a blank and split at the other.
const ENCODED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\').add(b'%').add(b'+').add(b'=');

/// One name with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaggageEntry {
    /// The name; a `token` of RFC 9110 if it is to travel.
    pub key: String,
    /// The value, decoded.
    pub value: String,
    /// Properties as they stand in the header, for example `ttl=5;private`; empty when there are none.
    pub metadata: String,
}

/// Names with values, in the order they were first set; a name occurs once.
///
/// Any text is accepted here; what the header cannot carry is left out, and counted, when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baggage {
    entries: Vec<BaggageEntry>,
    /// Names that there was no room for.
    left_out: u32,
}

impl Baggage {
    /// No entries.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), left_out: 0 }
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entry(key).map(|entry| entry.value.as_str())
    }

    /// The value and properties of a name.
    pub fn entry(&self, key: &str) -> Option<&BaggageEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Sets a value without properties; a name that exists keeps its place.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.insert_with_metadata(key, value, "");
    }

    /// Sets a value with its properties, which are opaque text of the form `name=value;name`. A new name beyond 1,024 of
    /// them is left out, and counted by [`Baggage::to_header`].
    pub fn insert_with_metadata(
        &mut self,
        key: impl Into<String>,
        value: impl Into<String>,
        metadata: impl Into<String>,
    ) {
        let entry = BaggageEntry { key: key.into(), value: value.into(), metadata: metadata.into() };
        let has_room = self.entries.len() < MAX_ENTRIES;
        match self.entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry,
            None if has_room => self.entries.push(entry),
            None => self.left_out = self.left_out.saturating_add(1),
        }
    }

    /// Takes a name away and returns what it had.
    pub fn remove(&mut self, key: &str) -> Option<BaggageEntry> {
        let place = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(place))
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &BaggageEntry> {
        self.entries.iter()
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The header value, and how many entries it leaves out: those whose name is no token, whose properties
    /// are malformed, or that exceed a limit when their turn comes. Later ones that still fit are kept.
    pub fn to_header(&self) -> (String, u32) {
        let mut header = String::new();
        let mut pairs = 0;
        let mut refused = self.left_out;
        for entry in &self.entries {
            let start = header.len();
            let fits = pairs < MAX_PAIRS && write_pair(&mut header, entry) && header.len() <= MAX_BYTES;
            if fits {
                pairs += 1;
            } else {
                header.truncate(start);
                refused += 1;
            }
        }
        (header, refused)
    }
}

/// Appends one pair, with a comma before it if it is not the first; false when it must not be sent.
fn write_pair(header: &mut String, entry: &BaggageEntry) -> bool {
    // Encoding only makes a pair longer, so a huge one need not be encoded to be refused.
    let bytes = entry.key.len() + entry.value.len() + entry.metadata.len();
    if bytes >= MAX_PAIR_BYTES || !is_token(entry.key.as_bytes()) {
        return false;
    }
    let Some(properties) = read_properties(entry.metadata.as_bytes()) else { return false };
    if !header.is_empty() {
        header.push(',');
    }
    let start = header.len();
    header.push_str(&entry.key);
    header.push('=');
    header.extend(utf8_percent_encode(&entry.value, ENCODED));
    if !properties.is_empty() {
        header.push(';');
        header.push_str(&properties);
    }
    header.len() - start <= MAX_PAIR_BYTES
}

/// Gathers the pairs of several headers under one set of limits.
struct Reader<'a> {
    baggage: &'a mut Baggage,
    pairs: usize,
    bytes: usize,
    refused: u32,
}

impl Reader<'_> {
    fn header(&mut self, header: &[u8]) {
        for pair in header.split(|byte| *byte == b',').map(trim).filter(|pair| !pair.is_empty()) {
            let bytes = self.bytes + pair.len() + usize::from(self.pairs > 0);
            let entry = if self.pairs < MAX_PAIRS && pair.len() <= MAX_PAIR_BYTES && bytes <= MAX_BYTES {
                read_pair(pair)
            } else {
                None
            };
            match entry {
                Some(entry) => {
                    self.pairs += 1;
                    self.bytes = bytes;
                    self.baggage.insert_with_metadata(entry.key, entry.value, entry.metadata);
                }
                None => self.refused = self.refused.saturating_add(1),
            }
        }
    }
}

fn read_pair(pair: &[u8]) -> Option<BaggageEntry> {
    let (pair, properties) = split_once(pair, b';').unwrap_or((pair, &[]));
    let (key, value) = split_once(pair, b'=')?;
    let (key, value) = (trim(key), trim(value));
    if !is_token(key) || !value.iter().all(|byte| is_octet(*byte)) {
        return None;
    }
    Some(BaggageEntry {
        key: core::str::from_utf8(key).ok()?.to_owned(),
        value: percent_decode(value).decode_utf8_lossy().into_owned(),
        metadata: read_properties(properties)?,
    })
}

/// The properties without blanks and empty ones; `None` when one is malformed.
fn read_properties(properties: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(properties.len());
    for property in properties.split(|byte| *byte == b';').map(trim).filter(|property| !property.is_empty()) {
        let (key, value) = match split_once(property, b'=') {
            Some((key, value)) => (trim(key), Some(trim(value))),
            None => (property, None),
        };
        if !is_token(key) || !value.unwrap_or_default().iter().all(|byte| is_octet(*byte)) {
            return None;
        }
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(core::str::from_utf8(key).ok()?);
        if let Some(value) = value {
            text.push('=');
            text.push_str(core::str::from_utf8(value).ok()?);
        }
    }
    Some(text)
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| *byte == separator)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// `token` of RFC 9110, section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// `baggage-octet`: visible ASCII without quote, comma, semicolon and backslash.
fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

/// The propagator named `baggage`.
#[derive(Debug, Clone, Copy, Default)]
pub struct BaggagePropagator;

impl Propagator for BaggagePropagator {
    fn inject(&self, _: &SpanContext, baggage: &Baggage, carrier: &mut dyn Setter) -> Refused {
        if baggage.is_empty() {
            return Refused::default();
        }
        let (header, refused) = baggage.to_header();
        if !header.is_empty() {
            carrier.set(BAGGAGE, &header);
        }
        Refused { baggage: refused, ..Refused::default() }
    }

    fn extract(&self, carrier: &dyn Getter, into: &mut Extracted) {
        let mut reader = Reader { baggage: &mut into.baggage, pairs: 0, bytes: 0, refused: 0 };
        carrier.get_all(BAGGAGE, &mut |header| reader.header(header));
        into.refused.baggage += reader.refused;
    }

    fn fields(&self) -> &'static [&'static str] {
        &[BAGGAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_set_once_and_keeps_its_place() {
        let mut baggage = Baggage::new();
        baggage.insert("a", "1");
        baggage.insert_with_metadata("b", "2", "p");
        baggage.insert("a", "3");
        assert_eq!(baggage.to_header(), ("a=3,b=2;p".to_owned(), 0));
        assert_eq!(baggage.remove("a").map(|entry| entry.value), Some("3".to_owned()));
        assert_eq!(baggage.remove("a"), None);
        assert_eq!((baggage.get("a"), baggage.len()), (None, 1));
    }

    #[test]
    fn what_no_header_can_carry_is_left_out_and_counted() {
        let mut baggage = Baggage::new();
        baggage.insert("", "1");
        baggage.insert("two words", "1");
        baggage.insert("naïve", "1");
        baggage.insert_with_metadata("k", "1", "bad property");
        baggage.insert("huge", "x".repeat(10_000_000));
        baggage.insert("ok", "a b\r\n,;\"\\%é=+");
        assert_eq!(baggage.to_header(), ("ok=a%20b%0D%0A%2C%3B%22%5C%25%C3%A9%3D%2B".to_owned(), 5));
    }

    #[test]
    fn a_pair_that_does_not_fit_makes_room_for_the_next() {
        let mut baggage = Baggage::new();
        baggage.insert("a", "x".repeat(4094));
        baggage.insert("b", "x".repeat(4000));
        baggage.insert("c", "x".repeat(200));
        baggage.insert("d", "x".repeat(50));
        let (header, refused) = baggage.to_header();
        assert_eq!((header.len(), refused), (4096 + 1 + 4002 + 1 + 52, 1));
    }
}
