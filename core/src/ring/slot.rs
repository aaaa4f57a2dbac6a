//! The two places where memory changes hands between threads: a slot for one box and a stack of boxes.
//!
//! Whoever takes a box owns it wholly, so neither side ever reads what the other writes. This is the only
//! file of the engine's core with `unsafe`.

#![allow(unsafe_code)]

use core::ptr;

use super::sync::{AtomicPtr, Ordering};

/// Holds one box, nothing, or the mark that its writer has the box in hand.
///
/// One thread writes ([`Slot::lend`], then [`Slot::put`] or [`Slot::put_nothing`]), one other takes
/// ([`Slot::take`]). The mark keeps the taker from mistaking a slot whose box is in hand for an empty one.
#[derive(Debug)]
pub(super) struct Slot<T>(AtomicPtr<T>);

impl<T> Slot<T> {
    /// The mark: an address that no box can have.
    const IN_HAND: *mut T = ptr::without_provenance_mut(1);

    pub(super) fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The writer takes the box into its hand; it must put something back.
    #[inline]
    pub(super) fn lend(&self) -> Option<Box<T>> {
        self.own(self.0.swap(Self::IN_HAND, Ordering::Acquire))
    }

    /// The writer puts a box back.
    #[inline]
    pub(super) fn put(&self, full: Box<T>) {
        // Release: the taker sees what was written into the box.
        self.0.store(Box::into_raw(full), Ordering::Release);
    }

    /// The writer has nothing to put back.
    pub(super) fn put_nothing(&self) {
        self.0.store(ptr::null_mut(), Ordering::Release);
    }

    /// The taker takes the box, unless there is none or it is in the writer's hand.
    pub(super) fn take(&self) -> Option<Box<T>> {
        let seen = self.0.load(Ordering::Relaxed);
        if seen.is_null() || seen == Self::IN_HAND {
            return None;
        }
        // The writer may have taken the box meanwhile; then it is left for the next pass.
        self.0.compare_exchange(seen, ptr::null_mut(), Ordering::Acquire, Ordering::Relaxed).ok()?;
        self.own(seen)
    }

    /// Whether there is a box, in the slot or in hand.
    pub(super) fn in_use(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_null()
    }

    #[inline]
    fn own(&self, raw: *mut T) -> Option<Box<T>> {
        if raw.is_null() || raw == Self::IN_HAND {
            return None;
        }
        // SAFETY: only `put` stores a pointer, from `Box::into_raw`; the caller removed it from the slot by a
        // swap or exchange, which succeeds for exactly one thread per stored pointer.
        Some(unsafe { Box::from_raw(raw) })
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// A box that can be linked into a [`Stack`].
#[derive(Debug)]
pub(super) struct Node<T> {
    pub(super) value: T,
    next: *mut Node<T>,
}

// SAFETY: `next` is written and followed only by the stack, which moves whole nodes between threads; a node
// outside the stack does not use it.
unsafe impl<T: Send> Send for Node<T> {}

impl<T> Node<T> {
    pub(super) fn new(value: T) -> Box<Self> {
        Box::new(Self { value, next: ptr::null_mut() })
    }
}

/// Many threads push, one takes everything at once; so no node is reused while another thread looks at it.
#[derive(Debug)]
pub(super) struct Stack<T>(AtomicPtr<Node<T>>);

impl<T> Stack<T> {
    pub(super) fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    pub(super) fn push(&self, node: Box<Node<T>>) {
        let raw = Box::into_raw(node);
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: `raw` came from the box above and is not published yet, so this thread alone has it.
            unsafe { (*raw).next = head };
            // Release: the taker sees the node's content; a failed exchange publishes nothing.
            match self.0.compare_exchange_weak(head, raw, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes all nodes, the last one pushed first.
    pub(super) fn take_all(&self, mut each: impl FnMut(Box<Node<T>>)) {
        let mut raw = self.0.swap(ptr::null_mut(), Ordering::Acquire);
        while !raw.is_null() {
            // SAFETY: every pointer in the chain came from `Box::into_raw` in `push`, and the swap gave the
            // whole chain to this caller alone.
            let node = unsafe { Box::from_raw(raw) };
            raw = node.next;
            each(node);
        }
    }

    pub(super) fn looks_full(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_null()
    }
}

impl<T> Drop for Stack<T> {
    fn drop(&mut self) {
        self.take_all(drop);
    }
}
