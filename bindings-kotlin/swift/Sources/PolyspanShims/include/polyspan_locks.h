// Locks in raw memory: plain ones, and such as one thread owns, which takes them without an atomic operation for as long as
// no other thread has. Included by polyspan_shims.h.

#ifndef POLYSPAN_LOCKS_H
#define POLYSPAN_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __APPLE__
#include <os/lock.h>
#else
#include <sched.h>
#endif

// As in polyspan_shims.h.
#if __has_attribute(swift_attr)
#pragma clang attribute push(__attribute__((swift_attr("@_effects(releasenone)"))), apply_to = function)
#endif

// Held for the time of a small copy, never around foreign code or a system call; zero is unlocked. Where the system has a
// lock that lends its priority, that one.
typedef struct {
#ifdef __APPLE__
    os_unfair_lock word;
#else
    uint32_t word;
#endif
} polyspan_lock;

static inline void polyspan_lock_take(polyspan_lock *lock) {
#ifdef __APPLE__
    os_unfair_lock_lock(&lock->word);
#else
    uint32_t tries = 0;
    while (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) != 0) {
            if (++tries > 64) sched_yield();
        }
    }
#endif
}

static inline void polyspan_lock_give(polyspan_lock *lock) {
#ifdef __APPLE__
    os_unfair_lock_unlock(&lock->word);
#else
    __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
#endif
}

// --- Locks with an owner -------------------------------------------------------------------------------------
//
// Nearly all spans are seen by one thread only, for which an atomic operation for each attribute is most of what it costs.
// The owner says that it is `inside`, and then looks whether the lock is `shared`; whoever else wants the lock takes it, says
// that it is shared, and then looks whether the owner is inside. Between the two steps each needs a barrier, or both would
// find nothing: the owner's is one for the compiler alone, since the other has the system put one into every thread of the
// process (`membarrier`). From then on the owner takes the lock as all do. All zeros is a lock without owner.

// Only where the interleavings were gone through, which are those of this processor's order.
#if defined(__linux__) && defined(__x86_64__) && __has_include(<linux/membarrier.h>)
#define POLYSPAN_HAS_OWNERS 1
#endif

typedef struct {
    polyspan_lock lock;
    // Written by the owner alone.
    uint32_t inside;
    // Written with the lock, once.
    uint32_t shared;
    // Of the thread; 0 for nobody. Written before other threads know the lock.
    uintptr_t owner;
} polyspan_owned_lock;

#ifdef POLYSPAN_HAS_OWNERS
// How many locks get no owner from now on: all of them where the system has no such barrier, some after one that had an
// owner was shared, since the barrier costs microseconds.
extern uint32_t polyspan_ownerless;
uintptr_t polyspan_no_owner(void);

// A number of this thread, which no other has that lives. Read anew each time: a task goes on on another thread.
static inline uintptr_t polyspan_me(void) {
    uintptr_t me;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(me));
    return me;
}
#endif

// Has the system prepare its barrier, for milliseconds: there are no owners before.
void polyspan_owners_begin(void);

// Who is to own a lock that this thread makes, and means to use alone.
static inline uintptr_t polyspan_owner(void) {
#ifdef POLYSPAN_HAS_OWNERS
    return __atomic_load_n(&polyspan_ownerless, __ATOMIC_RELAXED) == 0 ? polyspan_me() : polyspan_no_owner();
#else
    return 0;
#endif
}

// Takes the lock as who does not own it, or not any more. Apart: it is the seldom way, and what calls nothing else saves fewer
// registers.
void polyspan_owned_wait(polyspan_owned_lock *lock);

// Takes the lock; whether as its owner, which is for `polyspan_owned_give`.
static inline bool polyspan_owned_take(polyspan_owned_lock *lock) {
#ifdef POLYSPAN_HAS_OWNERS
    if (lock->owner == polyspan_me()) {
        __atomic_store_n(&lock->inside, 1, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(&lock->shared, __ATOMIC_RELAXED) == 0) return true;
        __atomic_store_n(&lock->inside, 0, __ATOMIC_RELEASE);
    }
#endif
    polyspan_owned_wait(lock);
    return false;
}

static inline void polyspan_owned_give(polyspan_owned_lock *lock, bool is_owner) {
    if (is_owner) __atomic_store_n(&lock->inside, 0, __ATOMIC_RELEASE);
    else polyspan_lock_give(&lock->lock);
}

#if __has_attribute(swift_attr)
#pragma clang attribute pop
#endif

#endif
