//! Batches that wait for long, compressed meanwhile: `Encoder::pack` and `unpack` of the encoders of OTLP.
//!
//! A collector that is away for seconds is what the queue is for, and its bound is in bytes. Spans shrink to a quarter,
//! so it holds four times as many. Whether the exporter compresses what it sends is another matter: that is undone here
//! before a sink sees the batch, since a receiver need not know of gzip.

use super::batch::OtlpBatch;

/// A part of a batch, compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    unpacked: usize,
}

#[cfg(feature = "otlp-http")]
impl OtlpBatch {
    /// Packs what is not packed yet, and says how many bytes the batch takes then; `None` where it would not shrink to
    /// half.
    pub(super) fn pack(&mut self) -> Option<usize> {
        use libdeflater::{CompressionLvl, Compressor};

        // Made anew for each: it is as large as half a batch, and hardly ever needed.
        let mut compressor = Compressor::new(CompressionLvl::new(1).ok()?);
        let mut bytes = vec![0; self.body.len() / 2];
        let length = compressor.deflate_compress(&self.body, &mut bytes).ok()?;
        bytes.truncate(length);
        bytes.shrink_to_fit();
        self.packed.push(Packed { bytes, unpacked: self.body.len() });
        self.body = Vec::new();
        Some(self.packed.iter().map(|part| part.bytes.len()).sum())
    }

    /// Unpacks everything; false when that is not possible.
    pub(super) fn unpack(&mut self) -> bool {
        use libdeflater::Decompressor;

        if self.packed.is_empty() {
            return true;
        }
        let mut from = self.body.len();
        let more: usize = self.packed.iter().map(|part| part.unpacked).sum();
        self.body.resize(from + more, 0);
        let mut decompressor = Decompressor::new();
        self.packed.drain(..).all(|part| {
            let room = self.body.get_mut(from..from + part.unpacked).unwrap_or_default();
            from += part.unpacked;
            decompressor.deflate_decompress(&part.bytes, room) == Ok(part.unpacked)
        })
    }
}

/// Without an exporter over the network nothing waits for long, and nothing compresses.
#[cfg(not(feature = "otlp-http"))]
impl OtlpBatch {
    pub(super) fn pack(&mut self) -> Option<usize> {
        None
    }

    pub(super) fn unpack(&mut self) -> bool {
        self.packed.is_empty()
    }
}

#[cfg(all(test, feature = "otlp-http"))]
mod tests {
    use super::super::encode::OtlpEncoder;
    use super::*;
    use crate::export::Encoder;

    fn joined(into: &mut OtlpBatch, more: OtlpBatch) -> Option<OtlpBatch> {
        OtlpEncoder::join(into, more)
    }

    #[test]
    fn what_was_packed_and_joined_comes_back_in_order() {
        let texts = ["first ", "second ", "third ", "fourth "].map(|text| text.repeat(500));
        let [plain, mut second, mut third, fourth] =
            texts.clone().map(|text| OtlpBatch::new(text.into_bytes(), 1));
        for batch in [&mut second, &mut third] {
            let before = batch.body.len();
            assert!(batch.pack().unwrap() < before / 4);
        }
        let mut all = plain;
        assert_eq!(joined(&mut all, second), None);
        assert_eq!(joined(&mut all, third), None);
        let refused = joined(&mut all, fourth.clone());
        assert_eq!(refused.as_ref(), Some(&fourth), "it would come before the others");
        assert_eq!(all.spans, 3);
        assert!(all.unpack() && all.unpack());
        assert_eq!(all, OtlpBatch::new(texts[..3].concat().into_bytes(), 3));
        assert!(joined(&mut all, fourth).is_none() && all.spans == 4);
    }

    #[test]
    fn what_does_not_shrink_stays() {
        let mut ids = crate::id::IdGenerator::from_seed([7; 32]);
        let body: Vec<u8> = (0..5_000).flat_map(|_| ids.next_u64().to_le_bytes()).collect();
        let mut batch = OtlpBatch::new(body, 1);
        let before = batch.clone();
        assert_eq!(batch.pack(), None);
        assert_eq!(batch, before);
    }

    #[test]
    fn what_is_damaged_is_said() {
        let mut batch = OtlpBatch::new("text ".repeat(500).into_bytes(), 1);
        batch.pack().unwrap();
        batch.packed.first_mut().unwrap().bytes.truncate(4);
        assert!(!batch.unpack());
    }
}
