//! How far a structured value reaches: one walk over its bytes that makes nothing of them. The limits ask it of
//! every array and map, nearly all of which keep them.

use super::view::Items;
use super::{key, kind};

/// Bounds that are kept for sure, or perhaps not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Bytes of a text, or of bytes.
    pub(crate) length: usize,
    /// Arrays and maps inside of one another.
    pub(crate) depth: usize,
    /// Items of an array.
    pub(crate) items: usize,
    /// Entries of a map.
    pub(crate) keys: usize,
}

impl Items<'_> {
    /// Whether all that is inside surely keeps the bounds, as the items of an array or the entries of a map. What
    /// cannot be read, or refers to the string table of a frame, does not.
    pub(crate) fn keep(&self, bounds: &Extent, is_map: bool) -> bool {
        within(self.raw(), is_map, bounds, bounds.depth).is_some()
    }
}

/// Walks over a count and so many values, which may stand in `depth` further arrays and maps; `None` where one is
/// beyond the bounds.
fn within(bytes: &[u8], is_map: bool, bounds: &Extent, depth: usize) -> Option<()> {
    let (count, mut rest) = number(bytes)?;
    if count > if is_map { bounds.keys } else { bounds.items } {
        return None;
    }
    for _ in 0..count {
        if is_map {
            let (word, behind) = rest.split_first_chunk()?;
            let word = u16::from_le_bytes(*word);
            rest = if word < key::STATIC { behind.get(usize::from(word)..)? } else { behind };
        }
        let (first, behind) = rest.split_first()?;
        rest = match *first {
            kind::STR | kind::BYTES => {
                let (length, behind) = number(behind)?;
                behind.get(length..).filter(|_| length <= bounds.length)?
            }
            kind::I64 | kind::F64 => behind.get(8..)?,
            kind::NULL | kind::FALSE | kind::TRUE => behind,
            inner @ (kind::ARRAY | kind::MAP) => {
                let (length, behind) = number(behind)?;
                let (inside, behind) = behind.split_at_checked(length)?;
                within(inside, inner == kind::MAP, bounds, depth.checked_sub(1)?)?;
                behind
            }
            _ => return None,
        };
    }
    Some(())
}

#[inline]
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number) as usize, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::view::{ValueView, read_alone};
    use crate::frame::write;
    use crate::value::Value;

    const BOUNDS: Extent = Extent { length: 4, depth: 2, items: 3, keys: 2 };

    fn keeps(value: &Value<'_>) -> bool {
        let mut bytes = Vec::new();
        write::put_value(&mut bytes, value);
        match read_alone(&bytes) {
            Some(ValueView::Array(items)) => items.keep(&BOUNDS, false),
            Some(ValueView::Map(items)) => items.keep(&BOUNDS, true),
            other => panic!("{other:?}"),
        }
    }

    fn array(items: usize, item: &Value<'static>) -> Value<'static> {
        Value::Array(vec![item.clone(); items])
    }

    fn map(keys: usize, value: &Value<'static>) -> Value<'static> {
        Value::Map((0..keys).map(|key| (key.to_string().into(), value.clone())).collect())
    }

    #[test]
    fn each_bound_is_kept_or_not() {
        let one = Value::I64(1);
        for (value, expected) in [
            (array(0, &one), true),
            (array(3, &one), true),
            (array(4, &one), false),
            (map(2, &Value::F64(0.5)), true),
            (map(3, &Value::Null), false),
            (array(1, &"four".into()), true),
            (array(1, &"fives".into()), false),
            (map(1, &Value::Bytes(vec![0; 5].into())), false),
            (array(1, &map(1, &array(1, &Value::Bool(true)))), true),
            (array(1, &map(1, &array(1, &array(0, &one)))), false),
            (map(2, &array(3, &map(2, &one))), true),
            (map(2, &array(3, &map(3, &one))), false),
        ] {
            assert_eq!(keeps(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_keeps_nothing() {
        let mut bytes = Vec::new();
        write::put_value(&mut bytes, &map(2, &"four".into()));
        let whole = bytes.len();
        for cut in 9..whole {
            let mut bytes = bytes[..cut].to_vec();
            bytes[1..5].copy_from_slice(&(cut as u32 - 5).to_le_bytes());
            let Some(ValueView::Map(items)) = read_alone(&bytes) else { panic!("a map") };
            assert!(!items.keep(&BOUNDS, true), "{cut} of {whole}");
        }
    }
}
