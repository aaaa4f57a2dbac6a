//! A host's frame that the hand-off has no room for, and what exporters hear that were told of its spans. Alone in
//! its process, whose hand-off is under pressure meanwhile.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "host/harness.rs"]
mod harness;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use harness::{LONG, handler, port, started};
use polyspan::DropReason;
use polyspan::config::{ExporterOptions, HostExporter};
use polyspan::export::Outcome;
use polyspan::frame::{EventKind, VERSION, write};
use polyspan::host::{HostEvent, HostJob};
use polyspan::hosted::start_hosted;

#[test]
fn a_frame_that_is_lost_drops_what_it_held() {
    let (port, _) = port();
    let (seen, look) = channel();
    let seen = Mutex::new(seen);
    let work = move |job: HostJob| {
        for record in job.batch().records() {
            let _ = seen.lock().unwrap().send((record.event, record.to_data().unwrap().status_message));
        }
        let spans = job.batch().spans();
        job.delivered(Outcome::exported(spans));
    };
    let events = [HostEvent::SpanStarted, HostEvent::SpanDropped].into_iter().collect();
    let exporter = HostExporter::new("follower", handler(&port, work)).at_once(true).events(events);
    let engine = started([ExporterOptions::Host(exporter)]);
    let mut span = start_hosted(Some(&engine), &[], None, None, None, None).body.unwrap();
    engine.flush(LONG).unwrap();
    // More than the hand-off holds.
    write::attribute(&mut span, "large", &"x".repeat(64 << 20).into());
    let mut event = (span.len() as u32).to_le_bytes().to_vec();
    event.extend_from_slice(&[EventKind::SpanEnded as u8, VERSION, 0, 0]);
    event.extend_from_slice(&span);
    assert!(!engine.submit(&event, 1));
    engine.flush(LONG).unwrap();
    let told: Vec<_> = look.try_iter().collect();
    let dropped = (HostEvent::SpanDropped, "buffer_full".to_owned());
    assert_eq!(told, [(HostEvent::SpanStarted, String::new()), dropped]);
    assert_eq!(engine.stats().dropped, BTreeMap::from([(DropReason::BufferFull, 1)]));
    engine.shutdown(LONG).unwrap();
}
