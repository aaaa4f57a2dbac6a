package dev.polyspan.internal;

import dev.polyspan.Span;

/**
 * The tags of a span, any number of them. In Java: what Kotlin compiles throws where a program in Java gives {@code null}
 * in place of all.
 */
public interface Tagging {
    /** Adds tags of the trace; only its first span in this process carries them. */
    default Span tags(String... tags) {
        return Lists.tag((Span) this, tags);
    }
}
