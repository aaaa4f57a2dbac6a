// Suspending functions whose every call is a span. Needs kotlinx.coroutines, which is an optional dependency.

package dev.polyspan.coroutines

import dev.polyspan.TracedOptions

/** A suspending function whose every call is recorded as a span, as [dev.polyspan.traced] does for others. */
public fun <R> traced(
    name: String,
    given: TracedOptions.() -> Unit = {},
    body: suspend () -> R,
): suspend () -> R {
    val options = TracedOptions().apply(given)
    return { recorded(name, options, emptyList()) { body() } }
}

/** A suspending function whose every call is recorded as a span. */
public fun <A, R> traced(
    name: String,
    given: TracedOptions.() -> Unit = {},
    body: suspend (A) -> R,
): suspend (A) -> R {
    val options = TracedOptions().apply(given)
    return { a -> recorded(name, options, listOf(a)) { body(a) } }
}

/** A suspending function whose every call is recorded as a span. */
public fun <A, B, R> traced(
    name: String,
    given: TracedOptions.() -> Unit = {},
    body: suspend (A, B) -> R,
): suspend (A, B) -> R {
    val options = TracedOptions().apply(given)
    return { a, b -> recorded(name, options, listOf(a, b)) { body(a, b) } }
}

private suspend fun <R> recorded(
    name: String,
    options: TracedOptions,
    arguments: List<Any?>,
    body: suspend () -> R,
): R =
    span(name, options.type, options = options.span) { span ->
        options.called(span, arguments)
        body().also { options.returned(span, it) }
    }
