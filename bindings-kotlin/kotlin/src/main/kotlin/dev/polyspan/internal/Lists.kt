// What Java gives as any number of arguments, which may be none at all: `null`.

package dev.polyspan.internal

import dev.polyspan.Span

/** For [Tagging] and [Listing]. */
internal object Lists {
    @JvmStatic
    fun tag(
        span: Span,
        tags: Array<String>?,
    ): Span = span.update(tags = of(tags))

    @JvmStatic
    fun <T> of(given: Array<T>?): List<T>? = given?.asList()
}
