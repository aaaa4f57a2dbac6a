//! The two places where memory changes hands between threads: a slot for one value and a stack of values.
//!
//! Whoever takes a value owns it wholly, so neither side ever reads what the other writes. This is the only
//! file of the engine's core with `unsafe`.

#![allow(unsafe_code)]

use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

use super::sync::{AtomicPtr, Ordering};

/// A value on the heap that moves between threads.
///
/// A `Box` that is an argument claims to be the only way to its content until the function returns. Here
/// another thread may be at the content while the function that handed it over still runs, so no such claim
/// may be made (Miri: "weakly protected").
#[derive(Debug)]
pub(super) struct Owned<T>(NonNull<T>);

// SAFETY: it owns its value as a `Box` does.
unsafe impl<T: Send> Send for Owned<T> {}

impl<T> Owned<T> {
    fn new(value: T) -> Self {
        Self(NonNull::from(Box::leak(Box::new(value))))
    }

    pub(super) fn into_inner(self) -> T {
        let this = ManuallyDrop::new(self);
        // SAFETY: the pointer came from a box, and `self` is not dropped.
        *unsafe { Box::from_raw(this.0.as_ptr()) }
    }

    fn into_raw(self) -> *mut T {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl<T> Deref for Owned<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the pointer came from a box that this value owns.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for Owned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the pointer came from a box that this value owns.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box that this value owns.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// Holds one value, nothing, or the mark that its writer has the value in hand.
///
/// One thread writes ([`Slot::lend`], then [`Slot::put`] or [`Slot::put_nothing`]), one other takes
/// ([`Slot::take`]). The mark keeps the taker from mistaking a slot whose value is in hand for an empty one.
#[derive(Debug)]
pub(super) struct Slot<T>(AtomicPtr<T>);

/// What [`Slot::take`] found.
#[derive(Debug)]
pub(super) enum Found<T> {
    Nothing,
    /// The writer has the value; it is left for the next pass.
    InHand,
    Taken(Owned<T>),
}

impl<T> Slot<T> {
    /// The mark: an address that no value can have.
    const IN_HAND: *mut T = ptr::without_provenance_mut(1);

    pub(super) fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The writer takes the value into its hand; it must put something back.
    #[inline]
    pub(super) fn lend(&self) -> Option<Owned<T>> {
        self.own(self.0.swap(Self::IN_HAND, Ordering::Acquire))
    }

    /// The writer puts a value back.
    #[inline]
    pub(super) fn put(&self, full: Owned<T>) {
        // Release: the taker sees what was written.
        self.0.store(full.into_raw(), Ordering::Release);
    }

    /// The writer has nothing to put back.
    pub(super) fn put_nothing(&self) {
        self.0.store(ptr::null_mut(), Ordering::Release);
    }

    /// The taker takes the value, unless there is none or it is in the writer's hand.
    pub(super) fn take(&self) -> Found<T> {
        let seen = self.0.load(Ordering::Relaxed);
        if seen.is_null() {
            return Found::Nothing;
        }
        if seen == Self::IN_HAND {
            return Found::InHand;
        }
        // The writer may have taken it meanwhile. What counts is the pointer that was exchanged: the one seen
        // before may be of an older value at the same address.
        match self.0.compare_exchange(seen, ptr::null_mut(), Ordering::Acquire, Ordering::Relaxed) {
            Ok(taken) => self.own(taken).map_or(Found::Nothing, Found::Taken),
            Err(_) => Found::InHand,
        }
    }

    /// Whether there is a value, in the slot or in hand.
    pub(super) fn in_use(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_null()
    }

    #[inline]
    fn own(&self, raw: *mut T) -> Option<Owned<T>> {
        // Only `put` stores another pointer, from `Owned::into_raw`; the caller removed it from the slot by a
        // swap or exchange, which succeeds for exactly one thread per stored pointer.
        if raw == Self::IN_HAND { None } else { NonNull::new(raw).map(Owned) }
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// A value that can be linked into a [`Stack`].
#[derive(Debug)]
pub(super) struct Node<T> {
    pub(super) value: T,
    next: *mut Node<T>,
}

// SAFETY: `next` is written and followed only by the stack, which moves whole nodes between threads; a node
// outside the stack does not use it.
unsafe impl<T: Send> Send for Node<T> {}

impl<T> Node<T> {
    pub(super) fn new(value: T) -> Owned<Self> {
        Owned::new(Self { value, next: ptr::null_mut() })
    }
}

/// Many threads push, one takes everything at once; so no node is reused while another thread looks at it.
#[derive(Debug)]
pub(super) struct Stack<T>(AtomicPtr<Node<T>>);

impl<T> Stack<T> {
    pub(super) fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    pub(super) fn push(&self, node: Owned<Node<T>>) {
        let raw = node.into_raw();
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: `raw` came from the node above and is not published yet, so this thread alone has it.
            unsafe { (*raw).next = head };
            // Release: the taker sees the node's content; a failed exchange publishes nothing.
            match self.0.compare_exchange_weak(head, raw, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes all nodes, the last one pushed first.
    pub(super) fn take_all(&self, mut each: impl FnMut(Owned<Node<T>>)) {
        let mut raw = NonNull::new(self.0.swap(ptr::null_mut(), Ordering::Acquire));
        while let Some(first) = raw {
            // Every pointer in the chain came from `Owned::into_raw` in `push`, and the swap gave the whole
            // chain to this caller alone.
            let node = Owned(first);
            raw = NonNull::new(node.next);
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
