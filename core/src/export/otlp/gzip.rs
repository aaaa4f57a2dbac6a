//! Compression of request bodies, with one deflate state kept from batch to batch.

use flate2::{Compress, Compression, FlushCompress, Status};

/// Window of 32 KiB, the largest, as every gzip reader expects.
const WINDOW_BITS: u8 = 15;

pub(super) struct Gzip(Compress);

impl Gzip {
    /// `level` from 1 (fast) to 9 (small).
    pub(super) fn new(level: u32) -> Self {
        Self(Compress::new_gzip(Compression::new(level), WINDOW_BITS))
    }

    /// The body as one gzip member; `None` if the compressor fails, and the body then goes as it is.
    pub(super) fn compress(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        self.0.reset();
        // Spans shrink to between a tenth and a third.
        let mut out = Vec::with_capacity(body.len() / 4 + 128);
        loop {
            let read = usize::try_from(self.0.total_in()).ok()?;
            match self.0.compress_vec(body.get(read..)?, &mut out, FlushCompress::Finish).ok()? {
                Status::StreamEnd => return Some(out),
                Status::Ok | Status::BufError => out.reserve(out.capacity().max(4096)),
            }
        }
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
