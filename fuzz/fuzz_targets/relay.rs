//! `relay`: whatever a stranger posts, what comes through the relay is a frame that reads to its end: entries of the
//! string table and ended spans alone, each checked, with the engine's number and the source in front.
#![no_main]

use libfuzzer_sys::fuzz_target;
use polyspan::frame::EventKind;
use polyspan::frame::batch::{Events, StringTable};
use polyspan::frame::check::TextBudget;
use polyspan::frame::sift::{self, SOURCE, SiftTerms};
use polyspan::frame::view::{Field, SpanView};
use polyspan::kinds::SpanFlags;

fuzz_target!(|frame: &[u8]| {
    let terms = SiftTerms { slot: 9, source: "browser", span_bytes: 4096, samples: true };
    let sifted = sift::sift(frame, &terms);
    let mut spans = 0;
    let mut table = StringTable::new();
    let mut entries = Events::new(&sifted.frame);
    while let Some(event) = entries.next_event().expect("written anew") {
        if event.kind == Some(EventKind::StringEntry) {
            table.define(event.body).expect("checked before");
        }
    }
    let mut texts = TextBudget::of(sifted.frame.len());
    let mut events = Events::new(&sifted.frame);
    while let Some(event) = events.next_event().expect("written anew") {
        assert_eq!(event.engine, 9);
        match event.kind {
            Some(EventKind::StringEntry) => {}
            Some(EventKind::SpanEnded) => {
                spans += 1;
                let span = SpanView::in_frame(event.body, &table).expect("checked before");
                span.check_within(&mut texts).expect("checked before");
                assert!(!span.head().flags.contains(SpanFlags::INTERNAL));
                let sources = span
                    .fields()
                    .filter(|field| matches!(field, Field::Attribute(key, _) if *key == SOURCE.as_bytes()))
                    .count();
                assert_eq!(sources, 1);
            }
            other => panic!("{other:?} came through"),
        }
    }
    assert_eq!(spans, sifted.spans);
});
