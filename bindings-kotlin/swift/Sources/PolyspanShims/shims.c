#include "polyspan_attributes.h"
#include "polyspan_shims.h"

#include <pthread.h>

#ifdef POLYSPAN_HAS_OWNERS
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// --- Locks with an owner -------------------------------------------------------------------------------------

#ifdef POLYSPAN_HAS_OWNERS

// Nobody owns a lock.
#define NONE_OWNED UINT32_MAX
// So many locks get no owner after one that had an owner was shared, so that barriers are seldom.
#define AFTER_SHARING 256

uint32_t polyspan_ownerless = NONE_OWNED;

static pthread_once_t owners_once = PTHREAD_ONCE_INIT;

static void prepare_owners(void) {
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0) {
        __atomic_store_n(&polyspan_ownerless, 0, __ATOMIC_RELEASE);
    }
}

void polyspan_owners_begin(void) { pthread_once(&owners_once, prepare_owners); }

uintptr_t polyspan_no_owner(void) {
    uint32_t left = __atomic_load_n(&polyspan_ownerless, __ATOMIC_RELAXED);
    // Where another thread counts at the same moment, that will do.
    if (left != NONE_OWNED && left != 0) {
        __atomic_compare_exchange_n(&polyspan_ownerless, &left, left - 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
    return 0;
}

// Says that a lock that is held is shared, and waits until its owner is not inside.
static void share(polyspan_owned_lock *lock) {
    __atomic_store_n(&lock->shared, 1, __ATOMIC_RELAXED);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) {
        __atomic_store_n(&polyspan_ownerless, AFTER_SHARING, __ATOMIC_RELAXED);
    } else {
        // Forbidden meanwhile, by a filter of system calls. What a processor holds back is written long before this is over.
        __atomic_store_n(&polyspan_ownerless, NONE_OWNED, __ATOMIC_RELAXED);
        usleep(1000);
    }
    while (__atomic_load_n(&lock->inside, __ATOMIC_ACQUIRE) != 0) sched_yield();
}

#else

void polyspan_owners_begin(void) {}

#endif

void polyspan_owned_wait(polyspan_owned_lock *lock) {
    polyspan_lock_take(&lock->lock);
#ifdef POLYSPAN_HAS_OWNERS
    if (lock->owner != 0 && lock->shared == 0) share(lock);
#endif
}

// --- Bytes that grow -----------------------------------------------------------------------------------------

bool polyspan_buffer_grow(polyspan_buffer *buffer, uint64_t more) {
    const uint64_t needed = (uint64_t)buffer->at + more;
    if (needed <= buffer->capacity) return true;
    if (needed > UINT32_MAX) return false;
    uint64_t capacity = (uint64_t)buffer->capacity * 2;
    if (capacity < needed) capacity = needed;
    if (capacity > UINT32_MAX) capacity = UINT32_MAX;
    const bool is_fixed = buffer->bytes == buffer->fixed;
    uint8_t *larger = is_fixed ? malloc(capacity) : realloc(buffer->bytes, capacity);
    if (larger == NULL) return false;
    if (is_fixed && buffer->at > 0) memcpy(larger, buffer->bytes, buffer->at);
    buffer->bytes = larger;
    buffer->capacity = (uint32_t)capacity;
    return true;
}

void polyspan_buffer_free(polyspan_buffer *buffer) {
    if (buffer->bytes != buffer->fixed) free(buffer->bytes);
    buffer->bytes = buffer->fixed;
    buffer->at = 0;
    buffer->capacity = 0;
}

// Blocks that a thread keeps for its next spans.
#define KEPT 16

typedef struct {
    polyspan_random random;
    uint32_t number;
    uint32_t kept;
    bool is_known;
    bool has_left;
    polyspan_span *blocks[KEPT];
} thread_state;

static _Thread_local thread_state mine;
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t threads = 0;

static void leave(void *state) {
    thread_state *left = state;
    while (left->kept > 0) free(left->blocks[--left->kept]);
    // What is given back later on this thread is freed at once.
    left->has_left = true;
}

static void make_key(void) { pthread_key_create(&at_exit, leave); }

static void know(void) {
    mine.is_known = true;
    mine.number = __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED);
    pthread_once(&once, make_key);
    pthread_setspecific(at_exit, &mine);
}

static _Thread_local polyspan_here here;

polyspan_here *polyspan_here_get(void) { return &here; }

bool polyspan_here_is(const void *span) { return here.span == span; }

polyspan_random *polyspan_thread_random(void) { return &mine.random; }

uint32_t polyspan_thread_number(void) {
    if (!mine.is_known) know();
    return mine.number;
}

polyspan_span *polyspan_span_take(uint32_t value_bytes, uint32_t span_bytes) {
    if (!mine.is_known) know();
    polyspan_span *span;
    if (mine.kept > 0) {
        span = mine.blocks[--mine.kept];
    } else {
        span = malloc(POLYSPAN_BLOCK);
        if (span == NULL) return NULL;
    }
    memset(span, 0, sizeof *span);
    span->value_bytes = value_bytes;
    span->span_bytes = span_bytes;
    span->body.fixed = (uint8_t *)span + sizeof *span;
    span->body.bytes = span->body.fixed;
    span->body.capacity = POLYSPAN_BLOCK - (uint32_t)sizeof *span;
    return span;
}

void polyspan_span_give(polyspan_span *span) {
    if (span->body.bytes != span->body.fixed) free(span->body.bytes);
    if (!mine.is_known) know();
    if (mine.kept < KEPT && !mine.has_left) mine.blocks[mine.kept++] = span;
    else free(span);
}

int64_t polyspan_clock_offset = 0;

const polyspan_static_key *polyspan_static_key_table = NULL;
uint64_t polyspan_static_key_lengths[32];

void polyspan_static_keys_use(const polyspan_static_key *table) {
    for (const polyspan_static_key *key = table; key < table + POLYSPAN_STATIC_KEYS; key++) {
        if (key->text == NULL) continue;
        __atomic_fetch_or(&polyspan_static_key_lengths[key->text[0] & 31], 1ull << (key->length & 63), __ATOMIC_RELAXED);
    }
    __atomic_store_n(&polyspan_static_key_table, table, __ATOMIC_RELEASE);
}
