//! Compression of request bodies, with one compressor kept from batch to batch.
//!
//! libdeflate takes a body whole, which is how it comes; `docs/decisions/otlp-http.md` says what it costs beside
//! others.

use libdeflater::{CompressionError, CompressionLvl, Compressor};

pub(super) struct Gzip(Compressor);

impl Gzip {
    /// `level` from 1 (fast) to 9 (small).
    pub(super) fn new(level: u32) -> Self {
        let level = i32::try_from(level).ok().and_then(|level| CompressionLvl::new(level).ok());
        Self(Compressor::new(level.unwrap_or(CompressionLvl::fastest())))
    }

    /// The body as one gzip member; `None` if the compressor fails, and the body then goes as it is.
    pub(super) fn compress(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        // Spans shrink to between a tenth and a third; what does not is done again with all the room it may need.
        match self.compress_within(body, body.len() / 2 + 128) {
            Err(CompressionError::InsufficientSpace) => {
                let most = self.0.gzip_compress_bound(body.len());
                self.compress_within(body, most).ok()
            }
            packed => packed.ok(),
        }
    }

    fn compress_within(&mut self, body: &[u8], room: usize) -> Result<Vec<u8>, CompressionError> {
        let mut out = vec![0; room];
        let length = self.0.gzip_compress(body, &mut out)?;
        out.truncate(length);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    proptest::proptest! {
        #[test]
        fn every_body_comes_back(bodies: [Vec<u8>; 3], level in 1u32..=9) {
            let mut gzip = Gzip::new(level);
            for body in bodies {
                let packed = gzip.compress(&body).unwrap();
                let mut back = Vec::new();
                flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
                proptest::prop_assert_eq!(back, body);
            }
        }
    }

    #[test]
    fn a_body_that_does_not_shrink_grows_the_buffer() {
        let mut ids = crate::id::IdGenerator::from_seed([7; 32]);
        let body: Vec<u8> = (0..50_000).flat_map(|_| ids.next_u64().to_le_bytes()).collect();
        let packed = Gzip::new(1).compress(&body).unwrap();
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, body);
    }
}
