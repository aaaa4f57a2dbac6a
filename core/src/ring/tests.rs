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
    fn pass(&mut self) {
        let mut taken = Vec::new();
        self.handoff.drain(&mut taken);
        for segment in taken {
            self.seen.extend_from_slice(segment.events());
            self.handoff.recycle(segment);
        }
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

/// Two writers and the export thread; segments of one event each, so that every push meets a full one.
#[cfg(any(loom, shuttle))]
mod model {
    use super::*;

    #[cfg(loom)]
    use loom::thread;
    #[cfg(shuttle)]
    use shuttle::thread;

    fn check(scenario: fn()) {
        #[cfg(loom)]
        {
            let mut model = loom::model::Builder::new();
            model.preemption_bound = Some(3);
            model.check(scenario);
        }
        #[cfg(shuttle)]
        shuttle::check_random(scenario, 20_000);
    }

    /// Nothing is lost, nothing comes twice, and each writer's order holds, whatever the passes see.
    #[test]
    fn every_event_is_seen_once_and_in_order() {
        check(|| {
            let (handoff, _) = handoff(1 << 20);
            let writers: Vec<_> = (0..if cfg!(loom) { 1 } else { 3u8 })
                .map(|id| {
                    let handoff = Arc::clone(&handoff);
                    thread::spawn(move || {
                        let mut writer = Writer::new(&handoff);
                        writer.capacity = 2;
                        for number in 0..3 {
                            writer.push(&[id, number]).unwrap();
                            writer.capacity = 1;
                        }
                    })
                })
                .collect();
            let mut reader = Reader { handoff: Arc::clone(&handoff), seen: Vec::new() };
            reader.pass();
            reader.pass();
            let count = writers.len() as u8;
            for writer in writers {
                writer.join().unwrap();
            }
            reader.pass();
            for id in 0..count {
                assert_eq!(reader.of(id), [0, 1, 2]);
            }
            assert_eq!(handoff.used(), 0);
        });
    }

    /// The export thread never goes to sleep on something unseen: either it sees it, or it is woken.
    #[test]
    fn no_wake_is_lost() {
        check(|| {
            let (handoff, wakes) = handoff(1 << 20);
            let writing = {
                let handoff = Arc::clone(&handoff);
                thread::spawn(move || {
                    let mut writer = Writer::new(&handoff);
                    writer.push(&[1, 0]).unwrap();
                    writer.push(&[1, 1]).unwrap();
                    writer
                })
            };
            let mut reader = Reader { handoff: Arc::clone(&handoff), seen: Vec::new() };
            reader.pass();
            let before = wakes.load(Ordering::SeqCst);
            let asleep = handoff.may_sleep();
            let writer = writing.join().unwrap();
            if asleep && reader.of(1).len() < 2 {
                assert!(
                    wakes.load(Ordering::SeqCst) > before || handoff.state.load(Ordering::SeqCst) != IDLE
                );
            }
            drop(writer);
            reader.pass();
            assert_eq!(reader.of(1), [0, 1]);
        });
    }

    /// A lane that closes while it is drained still hands over its last event.
    #[test]
    fn a_closing_lane_is_drained() {
        check(|| {
            let (handoff, _) = handoff(1 << 20);
            let closing = {
                let handoff = Arc::clone(&handoff);
                thread::spawn(move || {
                    let mut writer = Writer::new(&handoff);
                    writer.push(&[2, 0]).unwrap();
                })
            };
            let mut reader = Reader { handoff: Arc::clone(&handoff), seen: Vec::new() };
            reader.pass();
            closing.join().unwrap();
            reader.pass();
            assert_eq!(reader.of(2), [0]);
            assert!(handoff.lanes().is_empty());
        });
    }
}
