//! An exporter of the application's that panics costs the spans it was given, and not those that come later.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::Duration;

use polyspan::config::{CustomExporter, ExporterOptions};
use polyspan::export::memory::DataEncoder;
use polyspan::export::{Outcome, SendContext, Sink};
use polyspan::frame::record::SpanData;
use polyspan::{DropReason, Options};

const LONG: Duration = Duration::from_secs(30);

/// Panics at its first batch and its first flush.
#[derive(Default)]
struct Panicking {
    batches: u32,
    flushes: u32,
}

impl Sink<Vec<SpanData>> for Panicking {
    async fn send(&mut self, batch: Vec<SpanData>, _: &SendContext) -> Outcome {
        self.batches += 1;
        assert!(self.batches > 1, "the first batch");
        Outcome::exported(batch.len() as u32)
    }

    async fn flush(&mut self) {
        self.flushes += 1;
        assert!(self.flushes > 1, "the first flush");
    }
}

#[test]
fn a_sink_that_panics_goes_on_with_the_next_batch() {
    let exporter = CustomExporter::new("panicking", |_| Ok((DataEncoder::new(), Panicking::default())));
    let options = Options::new("service").exporter(ExporterOptions::Custom(exporter));
    let engine = polyspan::init(options).unwrap();
    engine.span("lost").start().end();
    engine.flush(LONG).unwrap();
    engine.span("delivered").start().end();
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let exporter = &stats.exporters[0];
    assert_eq!((exporter.exported, exporter.pending), (1, 0));
    assert_eq!(exporter.dropped, BTreeMap::from([(DropReason::Internal, 1)]));
    engine.shutdown(LONG).unwrap();
}
