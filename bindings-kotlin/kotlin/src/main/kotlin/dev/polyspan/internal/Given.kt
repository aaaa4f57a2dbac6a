// Reading what applications give: maps and lists that may hold what they should not, or fail when they are read. Java
// knows no types that are never null. Whatever cannot be used is counted, and nothing throws.

package dev.polyspan.internal

import java.time.Instant

internal object Given {
    /** Items of a list that are read. */
    const val MOST = 1000

    /** Calls `take` with every entry of a map; what is none is counted. */
    inline fun each(
        given: Map<*, *>?,
        place: String,
        cuts: Cuts?,
        take: (String, Any?) -> Unit,
    ) {
        if (given == null) return
        try {
            for ((key, value) in given) {
                if (key is String) take(key, value) else refused(place, cuts)
            }
        } catch (_: Exception) {
            refused(place, cuts)
        }
    }

    /** Calls `take` with every item of a list, of a thousand at most. */
    inline fun each(
        given: Iterable<*>,
        place: String,
        cuts: Cuts?,
        take: (Any?) -> Unit,
    ) {
        try {
            for ((at, item) in given.withIndex()) {
                if (at == MOST) break
                take(item)
            }
        } catch (_: Exception) {
            refused(place, cuts)
        }
    }

    /** The texts of a list; what is none is counted. */
    fun texts(
        given: Iterable<*>?,
        place: String,
        cuts: Cuts?,
    ): List<String> {
        val list = ArrayList<String>()
        try {
            given?.forEach { if (it is String) list.add(it) else refused(place, cuts) }
        } catch (_: Exception) {
            refused(place, cuts)
        }
        return list
    }

    /** What code of the application answers; nothing where Java gave none, which is counted. */
    inline fun <F : Any, R> answer(
        of: F?,
        place: String,
        ask: (F) -> R,
    ): R {
        if (of != null) return ask(of)
        Log.refuse(place)
        @Suppress("UNCHECKED_CAST")
        return null as R
    }

    fun refused(
        place: String,
        cuts: Cuts?,
    ) {
        cuts?.altered()
        Log.refuse(place)
    }

    /** Nanoseconds since the Unix epoch; `null` for what a span cannot hold. */
    fun nanos(time: Instant): Long? =
        try {
            Clock.nanos(time).takeIf { it >= 0 }
        } catch (_: ArithmeticException) {
            null
        }
}
