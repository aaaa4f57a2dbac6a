//! The hand-off under the model checkers: loom tries every interleaving of a small one within a bound on
//! preemptions and weak memory, shuttle random interleavings of a larger one.

use super::super::sync::AtomicBool;
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

fn reader(handoff: &Arc<Handoff>) -> Reader {
    Reader { handoff: Arc::clone(handoff), seen: Vec::new() }
}

/// A writer whose segments hold `capacity` bytes.
fn writer(handoff: &Arc<Handoff>, capacity: usize) -> Writer {
    let mut writer = Writer::new(handoff);
    writer.capacity = capacity;
    writer
}

/// Nothing is lost, nothing comes twice, and each writer's order holds, whatever the passes see.
#[test]
fn every_event_is_seen_once_and_in_order() {
    check(|| {
        let (handoff, _) = handoff(1 << 20);
        let writers: Vec<_> = (0..if cfg!(loom) { 1 } else { 3u8 })
            .map(|id| {
                let mut writer = writer(&handoff, 2);
                thread::spawn(move || {
                    for number in 0..3 {
                        writer.push(&[id, number]).unwrap();
                        writer.capacity = 1;
                    }
                })
            })
            .collect();
        let mut reader = reader(&handoff);
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
        let mut writer = Writer::new(&handoff);
        let writing = thread::spawn(move || {
            writer.push(&[1, 0]).unwrap();
            writer.push(&[1, 1]).unwrap();
            writer
        });
        let mut reader = reader(&handoff);
        reader.pass();
        let before = wakes.load(Ordering::SeqCst);
        let asleep = handoff.may_sleep();
        let writer = writing.join().unwrap();
        if asleep && reader.of(1).len() < 2 {
            assert!(wakes.load(Ordering::SeqCst) > before);
        }
        drop(writer);
        reader.pass();
        assert_eq!(reader.of(1), [0, 1]);
    });
}

/// Full segments never wait for the timer once they are a good part of the budget: the pass sees them, or the thread is
/// told that it is urgent, or it is woken.
#[test]
fn no_hurry_is_lost() {
    check(|| {
        // Of which a single segment is enough.
        let (handoff, wakes) = handoff(URGENT_PART);
        let mut writer = writer(&handoff, 2);
        let writing = thread::spawn(move || {
            for number in 0..3 {
                writer.push(&[1, number]).unwrap();
                writer.capacity = 1;
            }
            writer
        });
        let mut reader = reader(&handoff);
        reader.pass();
        reader.pass();
        let before = wakes.load(Ordering::SeqCst);
        let urgent = handoff.is_urgent();
        let writer = writing.join().unwrap();
        if !urgent && handoff.full.looks_full() {
            assert!(wakes.load(Ordering::SeqCst) > before);
        }
        drop(writer);
    });
}

/// What was pushed before a flush was asked for is seen once every lane was, in whatever hand it is then.
#[test]
fn a_flush_sees_what_was_pushed_before() {
    // In the same segment as what follows, and in one that is put aside meanwhile.
    for scenario in [flush::<{ SMALLEST_SEGMENT }>, flush::<2>] {
        check(scenario);
    }
}

fn flush<const SEGMENT: usize>() {
    let (handoff, _) = handoff(1 << 20);
    let asked = Arc::new(AtomicBool::new(false));
    let mut writer = writer(&handoff, SEGMENT);
    let writing = thread::spawn({
        let asked = Arc::clone(&asked);
        move || {
            writer.push(&[1, 0]).unwrap();
            asked.store(true, Ordering::Release);
            writer.push(&[1, 1]).unwrap();
            writer
        }
    });
    let mut reader = reader(&handoff);
    if asked.load(Ordering::Acquire) {
        let unseen = reader.pass();
        if unseen.is_empty() || !reader.pass().contains(&unseen[0]) {
            assert_eq!(reader.of(1).first(), Some(&0));
        }
    }
    drop(writing.join().unwrap());
    assert!(reader.pass().is_empty());
    assert_eq!(reader.of(1), [0, 1]);
}

/// What a full budget refuses is refused wholly, what it takes arrives, and it recovers.
#[test]
fn a_full_budget_loses_what_it_says_and_no_more() {
    check(|| {
        let (handoff, _) = handoff(4);
        let mut writer = writer(&handoff, 2);
        let writing = thread::spawn(move || {
            let numbers = 0..if cfg!(loom) { 3 } else { 6u8 };
            let mut written = Vec::new();
            for number in numbers {
                written.extend(writer.push(&[1, number]).map(|()| number));
                writer.capacity = 1;
            }
            (writer, written)
        });
        let mut reader = reader(&handoff);
        reader.pass();
        let (mut writer, mut written) = writing.join().unwrap();
        reader.pass();
        assert_eq!(reader.of(1), written);
        assert_eq!(handoff.used(), 0);
        assert_eq!(writer.push(&[1, 9]), Ok(()), "there is room again");
        written.push(9);
        reader.pass();
        assert_eq!(reader.of(1), written);
    });
}

/// A lane that closes while it is drained still hands over its last event.
#[test]
fn a_closing_lane_is_drained() {
    check(|| {
        let (handoff, _) = handoff(1 << 20);
        let mut writer = Writer::new(&handoff);
        let closing = thread::spawn(move || writer.push(&[2, 0]).unwrap());
        let mut reader = reader(&handoff);
        reader.pass();
        closing.join().unwrap();
        reader.pass();
        assert_eq!(reader.of(2), [0]);
        assert!(handoff.lanes().is_empty());
    });
}

/// A new lane clears closed ones away, but none that still holds something.
#[test]
fn a_new_lane_leaves_what_closed_ones_hold() {
    check(|| {
        let (handoff, _) = handoff(1 << 20);
        let _others: Vec<_> = (0..3).map(|_| Writer::new(&handoff)).collect();
        let mut writer = Writer::new(&handoff);
        let full = {
            let lanes = handoff.lanes();
            lanes.len() == lanes.capacity()
        };
        assert!(full, "the next lane looks for room");
        let closing = thread::spawn(move || writer.push(&[2, 0]).unwrap());
        let _new = Writer::new(&handoff);
        closing.join().unwrap();
        let mut reader = reader(&handoff);
        reader.pass();
        assert_eq!(reader.of(2), [0]);
    });
}

/// The parts by themselves, with contents whose every access loom compares with what happened before.
#[cfg(loom)]
mod parts {
    #![allow(unsafe_code)]

    use loom::cell::UnsafeCell;

    use super::super::super::slot::{Found, Node, Slot, Stack};
    use super::*;

    /// A box is written by one side at a time, and each sees what the other wrote.
    #[test]
    fn a_slot_hands_its_content_over() {
        check(|| {
            let slot = Arc::new(Slot::empty());
            let writing = thread::spawn({
                let slot = Arc::clone(&slot);
                move || {
                    let mut fresh = 0;
                    for _ in 0..3 {
                        let content = slot.lend().unwrap_or_else(|| {
                            fresh += 1;
                            Node::new(UnsafeCell::new(0))
                        });
                        content.value.with_mut(|count| unsafe { *count += 1 });
                        slot.put(content);
                    }
                    fresh
                }
            });
            let mut seen = 0;
            let mut boxes = 0;
            let mut take = || {
                if let Found::Taken(content) = slot.take() {
                    boxes += 1;
                    seen += content.value.with_mut(|count| unsafe { *count });
                }
            };
            take();
            take();
            let fresh = writing.join().unwrap();
            take();
            assert_eq!((seen, boxes), (3, fresh));
        });
    }

    /// Two threads push; the one that takes sees what both wrote, each thread's boxes in its order.
    #[test]
    fn a_stack_hands_its_contents_over() {
        check(|| {
            let stack = Arc::new(Stack::empty());
            let pushing: Vec<_> = (0..2)
                .map(|id| {
                    let stack = Arc::clone(&stack);
                    thread::spawn(move || {
                        for number in 0..2 {
                            let content = UnsafeCell::new((9, 9));
                            content.with_mut(|content| unsafe { *content = (id, number) });
                            stack.push(Node::new(content));
                        }
                    })
                })
                .collect();
            let mut seen = Vec::new();
            let mut take = || {
                let mut now = Vec::new();
                stack.take_all(|node| now.push(node.value.with_mut(|content| unsafe { *content })));
                // The last one pushed comes first.
                seen.extend(now.into_iter().rev());
            };
            take();
            for thread in pushing {
                thread.join().unwrap();
            }
            take();
            for id in 0..2 {
                let numbers: Vec<_> =
                    seen.iter().filter(|(of, _)| *of == id).map(|(_, number)| *number).collect();
                assert_eq!(numbers, [0, 1]);
            }
        });
    }
}
