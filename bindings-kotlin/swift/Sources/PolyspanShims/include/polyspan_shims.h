// What the Swift sources need and Swift has no words for: bytes that grow, locks in raw memory, the body of an open span,
// and what each thread keeps for itself. Called by Sources/Polyspan only.

#ifndef POLYSPAN_SHIMS_H
#define POLYSPAN_SHIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "polyspan_locks.h"

// Nothing here lets go of an object of Swift's: with that promise the compiler need not hold texts and spans around each call.
#if __has_attribute(swift_attr)
#pragma clang attribute push(__attribute__((swift_attr("@_effects(releasenone)"))), apply_to = function)
#endif

// --- Counters that several threads read and write ------------------------------------------------------------

static inline int64_t polyspan_add(int64_t *counter, int64_t by) {
    return __atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

static inline int64_t polyspan_load(const int64_t *counter) {
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static inline int64_t polyspan_swap(int64_t *counter, int64_t value) {
    return __atomic_exchange_n(counter, value, __ATOMIC_ACQ_REL);
}

// --- Copies --------------------------------------------------------------------------------------------------

// As memcpy, for what is short nearly always: a call would cost more than the copy.
static inline void polyspan_copy(uint8_t *to, const uint8_t *from, size_t count) {
    if (count > 32) {
        memcpy(to, from, count);
    } else if (count >= 16) {
        // The second half begins where it ends.
        uint64_t words[4];
        memcpy(words, from, 16);
        memcpy(words + 2, from + count - 16, 16);
        memcpy(to, words, 16);
        memcpy(to + count - 16, words + 2, 16);
    } else if (count >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + count - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + count - 8, &last, 8);
    } else if (count >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + count - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + count - 4, &last, 4);
    } else if (count > 0) {
        to[0] = from[0];
        to[count / 2] = from[count / 2];
        to[count - 1] = from[count - 1];
    }
}

// --- Bytes that grow -----------------------------------------------------------------------------------------

// `at` bytes are written of the `capacity` at `bytes`, which are on the heap unless they are `fixed`.
typedef struct {
    uint8_t *bytes;
    uint8_t *fixed;
    uint32_t at;
    uint32_t capacity;
} polyspan_buffer;

// Makes room for so many bytes more; false where memory or the 32 bits of a length do not hold them.
bool polyspan_buffer_grow(polyspan_buffer *buffer, uint64_t more);
// Gives back what is on the heap.
void polyspan_buffer_free(polyspan_buffer *buffer);

// Adds what another one holds, for which there is room.
static inline void polyspan_buffer_add(polyspan_buffer *buffer, const polyspan_buffer *more) {
    memcpy(buffer->bytes + buffer->at, more->bytes, more->at);
    buffer->at += more->at;
}

// --- The body of an open span --------------------------------------------------------------------------------

// Holds a call of a model with inputs and outputs of a page each.
#define POLYSPAN_BLOCK 4096
// The state of a span that records.
#define POLYSPAN_OPEN 0

// A span as long as its Swift object lives. `lock` guards what follows it down to `dropped_links`; the links belong to the
// lock of the trace.
typedef struct polyspan_span {
    // Whoever sets a field accesses the whole for the thread sanitizer, which knows it by its first bytes: these are neither the
    // lock's nor the state's, which other threads read meanwhile.
    uint64_t first;
    polyspan_owned_lock lock;
    uint32_t state;
    // The body of the event (docs/frame.md), which begins with the head of 64 bytes.
    polyspan_buffer body;
    // Where the field of the input and of the output stand, and how long they are; 0 for none.
    uint32_t input_at, input_length, output_at, output_length;
    uint32_t has_status_message;
    // How long it was when fields that were replaced were last taken out.
    uint32_t compacted_at;
    uint32_t dropped_attributes, dropped_events, dropped_links;
    // What a text, and the whole of the body, may hold at most.
    uint32_t value_bytes, span_bytes;
    // The nearest above in the same trace that was open when this one started or ended; the Swift object holds its own.
    struct polyspan_span *parent;
    struct polyspan_span *previous, *next;
    bool is_listed;
    // The Swift object that stands for children of a span that is not sampled; owned.
    void *follower;
} polyspan_span;

// The open spans of a trace in this process, the latest first.
typedef struct {
    polyspan_span *last;
    polyspan_owned_lock lock;
} polyspan_open_spans;

// Their locks, by the pointer to the whole: Swift would access all that a pointer to the lock is taken out of.
static inline bool polyspan_span_lock(polyspan_span *span) { return polyspan_owned_take(&span->lock); }
static inline void polyspan_span_unlock(polyspan_span *span, bool is_owner) { polyspan_owned_give(&span->lock, is_owner); }
static inline bool polyspan_open_lock(polyspan_open_spans *open) { return polyspan_owned_take(&open->lock); }
static inline void polyspan_open_unlock(polyspan_open_spans *open, bool is_owner) { polyspan_owned_give(&open->lock, is_owner); }

// A block for a span with these limits, all zeros but for them and its buffer, which is the rest of the block; null where
// memory is out.
polyspan_span *polyspan_span_take(uint32_t value_bytes, uint32_t span_bytes);
void polyspan_span_give(polyspan_span *span);

// Writes the head of docs/frame.md, of an internal span that is not typed so far. The body has nothing yet.
static inline void polyspan_begin(
    polyspan_span *span, uint64_t high, uint64_t low, uint64_t id, uint64_t parent, uint64_t start, uint8_t flags,
    uint16_t record_flags
) {
    uint64_t head[8] = {
        __builtin_bswap64(high), __builtin_bswap64(low), __builtin_bswap64(id), __builtin_bswap64(parent), start, 0,
        flags | 1 << 8 | (uint64_t)record_flags << 48, 0,
    };
    memcpy(span->body.bytes, head, sizeof head);
    span->body.at = sizeof head;
}

// What stands for its children, or null so far.
static inline void *polyspan_follower(polyspan_span *span) {
    return __atomic_load_n(&span->follower, __ATOMIC_ACQUIRE);
}

// Makes `follower` what stands for its children unless another thread was quicker; what does now.
static inline void *polyspan_follow(polyspan_span *span, void *follower) {
    void *known = NULL;
    const bool is_first = __atomic_compare_exchange_n(&span->follower, &known, follower, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return is_first ? follower : known;
}

static inline bool polyspan_is_open(const polyspan_span *span) {
    return __atomic_load_n(&span->state, __ATOMIC_RELAXED) == POLYSPAN_OPEN;
}

// By whoever has its lock: others look without it.
static inline void polyspan_set_state(polyspan_span *span, uint32_t state) {
    __atomic_store_n(&span->state, state, __ATOMIC_RELAXED);
}

// Puts a span among the open ones of its trace.
static inline void polyspan_list(polyspan_open_spans *open, polyspan_span *span, polyspan_span *parent) {
    const bool is_owner = polyspan_owned_take(&open->lock);
    span->parent = parent;
    span->previous = open->last;
    if (open->last != NULL) open->last->next = span;
    open->last = span;
    span->is_listed = true;
    polyspan_owned_give(&open->lock, is_owner);
}

// Takes it out again. Whether the one above has ended: it is to be let go of.
static inline bool polyspan_unlist(polyspan_open_spans *open, polyspan_span *span) {
    const bool is_owner = polyspan_owned_take(&open->lock);
    if (span->is_listed) {
        span->is_listed = false;
        if (span->previous != NULL) span->previous->next = span->next;
        if (span->next != NULL) span->next->previous = span->previous;
        else open->last = span->previous;
    }
    const bool holds_ended = span->parent != NULL && !polyspan_is_open(span->parent);
    polyspan_owned_give(&open->lock, is_owner);
    return holds_ended;
}

// --- What each thread keeps for itself -----------------------------------------------------------------------

// xoshiro256++; all zeros before the first use.
typedef struct {
    uint64_t state[4];
} polyspan_random;

polyspan_random *polyspan_thread_random(void);
// A small number that is different for threads that live at the same time, as far as it goes.
uint32_t polyspan_thread_number(void);

static inline uint64_t polyspan_rotl(uint64_t word, int by) {
    return (word << by) | (word >> (64 - by));
}

static inline uint64_t polyspan_random_next(polyspan_random *random) {
    uint64_t *s = random->state;
    const uint64_t result = polyspan_rotl(s[0] + s[3], 23) + s[0];
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = polyspan_rotl(s[3], 45);
    return result;
}

// --- What is current on a thread ----------------------------------------------------------------------------------

// The span in which code runs that does not wait, and what surrounds it, as the task local of that code says too; the frame
// that wrote it keeps both. It holds for the task that ran then (null outside of tasks), and says nothing to another one
// that this thread runs meanwhile.
typedef struct {
    void *span;
    void *around;
    void *task;
} polyspan_here;

// That of this thread.
polyspan_here *polyspan_here_get(void);

// Whether a span that was just started is what is current already: then it stands for those inside it, and code that does not
// wait started it, in whichever task.
bool polyspan_here_is(const void *span);

// Part of the runtime that compiled `async` functions call: which task this thread runs, if any.
__attribute__((swiftcall)) void *swift_task_getCurrent(void);

static inline void *polyspan_task(void) { return swift_task_getCurrent(); }

// --- Time ------------------------------------------------------------------------------------------------------

static inline uint64_t polyspan_nanos(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

// Nanoseconds of the wall clock, and of one that is never set and goes on while the machine sleeps where there is such.
static inline uint64_t polyspan_wall_nanos(void) { return polyspan_nanos(CLOCK_REALTIME); }
static inline uint64_t polyspan_steady_nanos(void) { return polyspan_nanos(CLOCK_MONOTONIC); }

// What the steady clock is behind the wall clock, in nanoseconds.
extern int64_t polyspan_clock_offset;

static inline int64_t polyspan_clock_offset_get(void) { return polyspan_load(&polyspan_clock_offset); }
static inline void polyspan_clock_offset_set(int64_t offset) { polyspan_swap(&polyspan_clock_offset, offset); }

// Nanoseconds since the Unix epoch.
static inline uint64_t polyspan_now(void) { return polyspan_steady_nanos() + (uint64_t)polyspan_load(&polyspan_clock_offset); }

#if __has_attribute(swift_attr)
#pragma clang attribute pop
#endif

#endif
