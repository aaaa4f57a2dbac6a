//! Keys in the form that records have them in, for hosts that write the same ones again and again.
//!
//! A binding keeps one beside a key object of its language (`bindings-python/src/keys.rs`) and need not ask that for its
//! text again; what is copied has a length that the compiler knows.

use super::tag;

/// The tag of an attribute, the length, and a text of up to 29 bytes.
const BYTES: usize = 32;

/// A short key, ready to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownKey {
    bytes: [u8; BYTES],
    /// The length of the text.
    length: u8,
}

impl KnownKey {
    /// A key of that text; `None` where it is empty or has more than 29 bytes.
    pub fn new(text: &str) -> Option<Self> {
        let length = u8::try_from(text.len()).ok().filter(|length| *length > 0)?;
        let mut bytes = [0; BYTES];
        let [first, low, _high, rest @ ..] = &mut bytes;
        (*first, *low) = (tag::ATTRIBUTE, length);
        rest.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length })
    }

    /// Bytes of its text.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        usize::from(self.length)
    }

    /// Writes it as [`attribute_key`](super::write::attribute_key) does.
    #[inline]
    pub(crate) fn put_attribute(&self, buf: &mut Vec<u8>) {
        let end = buf.len() + 3 + self.length();
        buf.extend_from_slice(&self.bytes);
        buf.truncate(end);
    }

    /// Writes it as [`put_key`](super::write::put_key) does.
    #[inline]
    pub(crate) fn put(&self, buf: &mut Vec<u8>) {
        let [_tag, key @ ..] = &self.bytes;
        let end = buf.len() + 2 + self.length();
        buf.extend_from_slice(key);
        buf.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::write;

    #[test]
    fn it_writes_what_its_text_does() {
        for text in ["a", "agent.request", "schlüssel", &"x".repeat(29)] {
            let known = KnownKey::new(text).unwrap();
            let (mut one, mut other) = (vec![7], vec![7]);
            known.put(&mut one);
            known.put_attribute(&mut one);
            write::put_key(&mut other, text);
            write::attribute_key(&mut other, text);
            assert_eq!(one, other, "{text}");
        }
    }

    #[test]
    fn neither_empty_nor_long() {
        assert_eq!(KnownKey::new(""), None);
        assert_eq!(KnownKey::new(&"x".repeat(30)), None);
        assert_eq!(KnownKey::new(&"x".repeat(70_000)), None);
    }
}
