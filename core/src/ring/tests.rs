//! The hand-off under test: plainly, under loom (small and exhaustive) and under shuttle (large and random).
//!
//! `cargo xtask model` runs the checkers, with `--cfg loom` and `--cfg shuttle` for this crate alone.

use super::sync::{Arc, AtomicUsize, Ordering};
use super::*;

/// The export thread's loop as far as the hand-off sees it: drain, and sleep only when allowed.
struct Reader {
    handoff: Arc<Handoff>,
    seen: Vec<u8>,
}

impl Reader {
    /// Says which lanes were left out because their writers were at work.
    fn pass(&mut self) -> Vec<usize> {
        let (mut taken, mut in_hand) = (Vec::new(), Vec::new());
        self.handoff.drain(&mut taken, &mut in_hand);
        for segment in taken {
            self.seen.extend_from_slice(segment.events());
            self.handoff.recycle(segment);
        }
        in_hand
    }

    /// What `writer` wrote, in the order it was seen. An event is its writer and a running number.
    fn of(&self, writer: u8) -> Vec<u8> {
        self.seen.chunks(2).filter(|event| event[0] == writer).map(|event| event[1]).collect()
    }
}

fn handoff(budget: usize) -> (Arc<Handoff>, Arc<AtomicUsize>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&wakes);
    let wake = Box::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    (Arc::new(Handoff::new(budget, wake)), wakes)
}

#[cfg(not(any(loom, shuttle)))]
mod plain {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn events_arrive_in_order_and_segments_grow() {
        let (handoff, wakes) = handoff(1 << 20);
        let mut writer = Writer::new(&handoff);
        for number in 0..40_000u32 {
            writer.push(&[0, number as u8]).unwrap();
        }
        assert!(wakes.load(Ordering::SeqCst) >= 1, "a first event wakes");
        let mut reader = Reader { handoff: Arc::clone(&handoff), seen: Vec::new() };
        reader.pass();
        assert_eq!(reader.of(0), (0..40_000u32).map(|number| number as u8).collect::<Vec<_>>());
        assert_eq!(handoff.used(), 0, "a drained hand-off holds nothing");
        assert!(handoff.may_sleep());
    }

    #[test]
    fn a_full_budget_refuses_and_recovers() {
        let (handoff, _) = handoff(8 * 1024);
        let mut writer = Writer::new(&handoff);
        let event = [1u8; 3000];
        assert_eq!(writer.push(&event), Ok(()));
        assert_eq!(writer.push(&event), Err(Full), "the next segment would be 8 KiB");
        assert!(writer.push(&[9; 10]).is_ok(), "what fits into the segment in use still does");
        let mut reader = Reader { handoff: Arc::clone(&handoff), seen: Vec::new() };
        reader.pass();
        assert_eq!(reader.seen.len(), 3010);
        assert_eq!(writer.push(&event), Ok(()));
    }

    #[test]
    fn an_event_larger_than_a_segment_gets_its_own() {
        let (handoff, _) = handoff(1 << 20);
        let mut writer = Writer::new(&handoff);
        writer.push(&[1; 100]).unwrap();
        writer.push(&vec![2; 300_000]).unwrap();
        writer.push(&[3; 100]).unwrap();
        let mut reader = Reader { handoff, seen: Vec::new() };
        reader.pass();
        assert_eq!(reader.seen.len(), 300_200);
        assert_eq!((reader.seen[0], reader.seen[100], reader.seen[300_100]), (1, 2, 3));
    }

    #[test]
    fn frames_of_a_host_take_pooled_segments() {
        let (handoff, _) = handoff(1 << 20);
        let mut writer = Writer::new(&handoff);
        let mut reader = Reader { handoff: Arc::clone(&handoff), seen: Vec::new() };
        for _ in 0..3 {
            // Each finds the slot empty, as the export thread is quick.
            writer.push_parts([&[1; 12], &[2; 40_000]]).unwrap();
            assert_eq!(handoff.used(), LARGEST_SEGMENT);
            reader.pass();
        }
        assert_eq!(handoff.pool.len(), 1, "the same memory served all of them");
        assert_eq!(reader.seen.len(), 3 * 40_012);
        assert_eq!((reader.seen[11], reader.seen[12]), (1, 2));
    }

    #[test]
    fn five_thousand_idle_lanes_hold_nothing() {
        let (handoff, _) = handoff(32 << 20);
        let mut writers: Vec<_> = (0..5_000).map(|_| Writer::new(&handoff)).collect();
        for writer in &mut writers {
            assert_eq!(writer.push(&[7; 100]), Ok(()));
        }
        let mut reader = Reader { handoff: Arc::clone(&handoff), seen: Vec::new() };
        reader.pass();
        assert_eq!((reader.seen.len(), handoff.used()), (500_000, 0));
        drop(writers);
        reader.pass();
        assert!(handoff.lanes().is_empty());
    }

    #[test]
    fn lanes_of_threads_that_ended_do_not_pile_up() {
        let (handoff, _) = handoff(1 << 20);
        let mut kept = Writer::new(&handoff);
        for _ in 0..10_000 {
            drop(Writer::new(&handoff));
        }
        assert!(handoff.lanes().len() < 10, "{}", handoff.lanes().len());
        let mut last = Writer::new(&handoff);
        last.push(&[1, 0]).unwrap();
        kept.push(&[2, 0]).unwrap();
        drop(last);
        (0..100).for_each(|_| drop(Writer::new(&handoff)));
        let mut reader = Reader { handoff, seen: Vec::new() };
        reader.pass();
        assert_eq!((reader.of(1), reader.of(2)), (vec![0], vec![0]), "what they left is not thrown away");
    }

    #[test]
    fn many_threads_lose_nothing() {
        let (handoff, _) = handoff(8 << 20);
        let done = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..4u8)
            .map(|id| {
                let handoff = Arc::clone(&handoff);
                std::thread::spawn(move || {
                    let mut writer = Writer::new(&handoff);
                    // Fewer under an interpreter, which is a thousand times slower.
                    (0..if cfg!(miri) { 300 } else { 50_000u32 })
                        .filter(|number| writer.push(&[id, *number as u8]).is_ok())
                        .map(|number| number as u8)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let reading = std::thread::spawn({
            let (handoff, done) = (Arc::clone(&handoff), Arc::clone(&done));
            move || {
                let mut reader = Reader { handoff, seen: Vec::new() };
                while !done.load(Ordering::SeqCst) {
                    reader.pass();
                }
                reader.pass();
                reader
            }
        });
        let written: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        done.store(true, Ordering::SeqCst);
        let reader = reading.join().unwrap();
        for (id, numbers) in written.iter().enumerate() {
            assert_eq!(&reader.of(id as u8), numbers);
        }
    }
}

/// Writers and the export thread; segments of one event each, so that every push meets a full one.
#[cfg(any(loom, shuttle))]
mod model;
