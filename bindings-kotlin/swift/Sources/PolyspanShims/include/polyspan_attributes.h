// Attributes of open spans as fields of docs/frame.md, written where they stay: the way of nearly all of them. What needs
// more care (an odd key, a text or span beyond its limit, a body that has to grow) is left to Span/SpanBody.swift.
// Called by Span/Span.swift and Frame/StaticKeys.swift.

#ifndef POLYSPAN_ATTRIBUTES_H
#define POLYSPAN_ATTRIBUTES_H

#include "polyspan_shims.h"

// As in polyspan_shims.h.
#if __has_attribute(swift_attr)
#pragma clang attribute push(__attribute__((swift_attr("@_effects(releasenone)"))), apply_to = function)
#endif

// --- Static keys ---------------------------------------------------------------------------------------------

typedef struct {
    const uint8_t *text;
    uint32_t length;
    uint16_t code;
} polyspan_static_key;

// The size of the table, a power of two.
#define POLYSPAN_STATIC_KEYS 512

extern const polyspan_static_key *polyspan_static_key_table;

// Of the keys that begin with a letter, by its last five bits: which lengths there are, by their last six. Most keys of
// applications are none of these, and known to be no static key without a look at the table.
extern uint64_t polyspan_static_key_lengths[32];

// Takes the table, which stays for good.
void polyspan_static_keys_use(const polyspan_static_key *table);

// Where a key of at least one byte stands, or the first of the places after which it may.
static inline size_t polyspan_static_key_place(const uint8_t *text, size_t length) {
    const size_t last = length - 1;
    return (text[last] * 31u + text[last / 2] * 7u + text[last * 3 / 4] * 131u + length * 17u) & (POLYSPAN_STATIC_KEYS - 1);
}

// Looks for a key in the table. Apart, since few keys get so far, and what calls something saves more registers.
__attribute__((noinline)) static uint16_t polyspan_static_key_find(const uint8_t *text, size_t length) {
    const polyspan_static_key *table = __atomic_load_n(&polyspan_static_key_table, __ATOMIC_ACQUIRE);
    if (table == NULL) return 0;
    for (size_t at = polyspan_static_key_place(text, length); table[at].text != NULL; at = (at + 1) & (POLYSPAN_STATIC_KEYS - 1)) {
        if (table[at].length == length && memcmp(table[at].text, text, length) == 0) return table[at].code;
    }
    return 0;
}

// What stands for a static key in a frame; 0 for any other text.
static inline uint16_t polyspan_static_key_code(const uint8_t *text, size_t length) {
    if (length == 0) return 0;
    const uint64_t lengths = __atomic_load_n(&polyspan_static_key_lengths[text[0] & 31], __ATOMIC_RELAXED);
    if ((lengths >> (length & 63) & 1) == 0) return 0;
    return polyspan_static_key_find(text, length);
}

// --- Keys ----------------------------------------------------------------------------------------------------

// The longest key inline.
#define POLYSPAN_LONGEST_KEY 0x7fff

// Writes a static key, or one inline; false where nothing was written, since it is too long or has no room.
static inline bool polyspan_put_key(polyspan_buffer *buffer, const uint8_t *key, size_t length) {
    const uint16_t code = polyspan_static_key_code(key, length);
    const size_t written = code != 0 ? 0 : length;
    if (written > POLYSPAN_LONGEST_KEY || (uint64_t)buffer->at + 2 + written > buffer->capacity) return false;
    // Frames are little-endian, and so is all that Swift runs on.
    const uint16_t word = code != 0 ? code : (uint16_t)length;
    uint8_t *at = buffer->bytes + buffer->at;
    memcpy(at, &word, 2);
    polyspan_copy(at + 2, key, written);
    buffer->at += 2 + (uint32_t)written;
    return true;
}

// --- Attributes ----------------------------------------------------------------------------------------------

enum { POLYSPAN_FIELD_ATTRIBUTE = 4, POLYSPAN_KIND_NO = 1, POLYSPAN_KIND_TEXT = 5 };

// Writes the field up to its value; where that goes, or null where nothing was written.
static inline uint8_t *polyspan_attribute(polyspan_span *span, const uint8_t *key, size_t key_length, uint64_t value_length) {
    const uint16_t code = polyspan_static_key_code(key, key_length);
    const size_t written = code != 0 ? 0 : key_length;
    if (key_length == 0 || written > POLYSPAN_LONGEST_KEY) return NULL;
    const uint64_t end = span->body.at + 3 + written + value_length;
    if (end > span->body.capacity || end > span->span_bytes) return NULL;
    uint8_t *at = span->body.bytes + span->body.at;
    const uint16_t word = code != 0 ? code : (uint16_t)key_length;
    *at = POLYSPAN_FIELD_ATTRIBUTE;
    memcpy(at + 1, &word, 2);
    polyspan_copy(at + 3, key, written);
    span->body.at = (uint32_t)end;
    return at + 3 + written;
}

// Setters become part of the one function of Swift's that calls them.

// A text comes in two steps, since Swift lends the bytes of one text at a time without counting who holds it: where its
// bytes go, the span being locked; or null where nothing was done, and the span is not locked.
typedef struct {
    uint8_t *bytes;
    bool is_owner;
} polyspan_place;

__attribute__((always_inline)) static inline polyspan_place polyspan_open_text(polyspan_span *span, const uint8_t *key, size_t key_length, size_t length) {
    if (length > span->value_bytes) return (polyspan_place){NULL, false};
    const bool is_owner = polyspan_owned_take(&span->lock);
    if (span->state == POLYSPAN_OPEN) {
        uint8_t *value = polyspan_attribute(span, key, key_length, 5 + (uint64_t)length);
        if (value != NULL) {
            const uint32_t size = (uint32_t)length;
            *value = POLYSPAN_KIND_TEXT;
            memcpy(value + 1, &size, 4);
            return (polyspan_place){value + 5, is_owner};
        }
    }
    polyspan_owned_give(&span->lock, is_owner);
    return (polyspan_place){NULL, false};
}

// The bytes are there.
static inline void polyspan_close_text(polyspan_span *span, polyspan_place place) {
    polyspan_owned_give(&span->lock, place.is_owner);
}

// Each is true where the span has it, or wants nothing any more; false where nothing was done.

// An integer or a double, by the kind of the value.
__attribute__((always_inline)) static inline bool polyspan_set_number(polyspan_span *span, const uint8_t *key, size_t key_length, uint8_t kind, uint64_t bits) {
    const bool is_owner = polyspan_owned_take(&span->lock);
    bool is_done = span->state != POLYSPAN_OPEN;
    if (!is_done) {
        uint8_t *value = polyspan_attribute(span, key, key_length, 9);
        if (value != NULL) {
            *value = kind;
            memcpy(value + 1, &bits, 8);
            is_done = true;
        }
    }
    polyspan_owned_give(&span->lock, is_owner);
    return is_done;
}

__attribute__((always_inline)) static inline bool polyspan_set_bool(polyspan_span *span, const uint8_t *key, size_t key_length, bool truth) {
    const bool is_owner = polyspan_owned_take(&span->lock);
    bool is_done = span->state != POLYSPAN_OPEN;
    if (!is_done) {
        uint8_t *value = polyspan_attribute(span, key, key_length, 1);
        if (value != NULL) {
            *value = (uint8_t)(POLYSPAN_KIND_NO + truth);
            is_done = true;
        }
    }
    polyspan_owned_give(&span->lock, is_owner);
    return is_done;
}

// --- Name, input and output ----------------------------------------------------------------------------------

enum { POLYSPAN_FIELD_NAME = 1, POLYSPAN_FIELD_INPUT = 7 };

// Writes the name of a span that was just started; false where nothing was written.
static inline bool polyspan_name(polyspan_span *span, const uint8_t *name, size_t length) {
    polyspan_buffer *body = &span->body;
    if (body->at >= body->capacity) return false;
    body->bytes[body->at++] = POLYSPAN_FIELD_NAME;
    if (polyspan_put_key(body, name, length)) return true;
    body->at--;
    return false;
}

// A text as the input or the output, by the tag, where there was none.
static inline bool polyspan_set_slot(polyspan_span *span, uint8_t tag, const uint8_t *text, size_t length) {
    if (length > span->value_bytes) return false;
    const bool is_input = tag == POLYSPAN_FIELD_INPUT;
    const bool is_owner = polyspan_owned_take(&span->lock);
    bool is_done = span->state != POLYSPAN_OPEN;
    if (!is_done && (is_input ? span->input_at : span->output_at) == 0) {
        const uint32_t before = span->body.at;
        const uint64_t end = (uint64_t)before + 6 + length;
        if (end <= span->body.capacity && end <= span->span_bytes) {
            uint8_t *at = span->body.bytes + before;
            const uint32_t size = (uint32_t)length;
            at[0] = tag;
            at[1] = POLYSPAN_KIND_TEXT;
            memcpy(at + 2, &size, 4);
            polyspan_copy(at + 6, text, length);
            span->body.at = (uint32_t)end;
            if (is_input) {
                span->input_at = before;
                span->input_length = 6 + size;
            } else {
                span->output_at = before;
                span->output_length = 6 + size;
            }
            is_done = true;
        }
    }
    polyspan_owned_give(&span->lock, is_owner);
    return is_done;
}

#if __has_attribute(swift_attr)
#pragma clang attribute pop
#endif

#endif
