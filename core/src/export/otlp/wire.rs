//! The protobuf wire format, as far as OTLP needs it: reading foreign bytes field by field.
//!
//! Splitting a batch and understanding a reply stand on it. Everything is bounds-checked; malformed bytes
//! end the walk with `None`.

/// One field of a protobuf message.
pub(super) struct Field<'a> {
    pub(super) number: u32,
    /// Tag, length and content as they stand.
    pub(super) raw: &'a [u8],
    pub(super) payload: Payload<'a>,
}

/// What a field holds, by wire type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Field<'a> {
    /// The content of a length-delimited field.
    pub(super) fn content(&self) -> Option<&'a [u8]> {
        match self.payload {
            Payload::Bytes(content) => Some(content),
            _ => None,
        }
    }
}

/// Walks the fields of a message; `None` as an item means malformed bytes, after which nothing follows.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<Field<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0;
        if start.is_empty() {
            return None;
        }
        let field = read_field(start);
        self.0 = match &field {
            Some(field) => start.get(field.raw.len()..).unwrap_or_default(),
            None => &[],
        };
        Some(field)
    }
}

/// The contents of every length-delimited field with that number.
pub(super) fn submessages(message: &[u8], field: u32) -> impl Iterator<Item = Option<&[u8]>> {
    Fields(message).filter_map(move |entry| match entry {
        Some(entry) if entry.number == field => entry.content().map(Some),
        Some(_) => None,
        None => Some(None),
    })
}

fn read_field(bytes: &[u8]) -> Option<Field<'_>> {
    let mut rest = bytes;
    let tag = take_varint(&mut rest)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| *number != 0)?;
    let payload = match tag & 7 {
        0 => Payload::Varint(take_varint(&mut rest)?),
        1 => {
            let (value, after) = rest.split_first_chunk()?;
            rest = after;
            Payload::Fixed64(u64::from_le_bytes(*value))
        }
        2 => {
            let length = usize::try_from(take_varint(&mut rest)?).ok()?;
            let (content, after) = rest.split_at_checked(length)?;
            rest = after;
            Payload::Bytes(content)
        }
        5 => {
            let (value, after) = rest.split_first_chunk()?;
            rest = after;
            Payload::Fixed32(u32::from_le_bytes(*value))
        }
        // Groups are not part of proto3.
        _ => return None,
    };
    let raw = bytes.get(..bytes.len() - rest.len())?;
    Some(Field { number, raw, payload })
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            *bytes = bytes.get(place + 1..)?;
            return Some(value);
        }
    }
    None
}

/// Appends a varint.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_type_is_walked() {
        let bytes = [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, b'h', b'i', 0x25, 1, 2, 3, 4];
        let fields: Vec<_> = Fields(&bytes).map(Option::unwrap).collect();
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let payloads: Vec<_> = fields.iter().map(|field| field.payload).collect();
        let expected = [
            Payload::Varint(150),
            Payload::Fixed64(0x0807_0605_0403_0201),
            Payload::Bytes(b"hi"),
            Payload::Fixed32(0x0403_0201),
        ];
        assert_eq!(payloads, expected);
        assert_eq!(fields.iter().map(|field| field.raw).collect::<Vec<_>>().concat(), bytes);
    }

    #[test]
    fn malformed_bytes_end_the_walk() {
        let malformed: [&[u8]; 6] = [&[0x08], &[0x0a, 5, 1], &[0x0b], &[0x00, 1], &[0x11, 1, 2], &[0xff; 11]];
        for bytes in malformed {
            let items: Vec<_> = Fields(bytes).collect();
            assert!(items.len() == 1 && items[0].is_none(), "{bytes:?}");
        }
    }
}
