// Functions and objects whose every call is a span.

@file:JvmName("Tracing")

package dev.polyspan

import java.lang.reflect.InvocationHandler
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.Method
import java.lang.reflect.Proxy

/** What a call records besides its time. */
public class TracedOptions {
    public var type: SpanType? = null

    /** Further options of each span. */
    public var span: SpanOptions? = null

    /** Records the arguments as the span's input: the argument itself where there is one, else a list. */
    public var captureInput: Boolean = true

    /** Records what the function returns as its output. */
    public var captureOutput: Boolean = true

    internal fun called(
        span: Span,
        arguments: List<Any?>,
    ) {
        if (captureInput && arguments.isNotEmpty()) span.input(if (arguments.size == 1) arguments[0] else arguments)
    }

    internal fun returned(
        span: Span,
        result: Any?,
    ) {
        if (captureOutput && result != null && result != Unit) span.output(result)
    }
}

/** A function whose every call is recorded as a span. */
@JvmSynthetic
public fun <R> traced(
    name: String,
    given: TracedOptions.() -> Unit = {},
    body: () -> R,
): () -> R {
    val options = TracedOptions().apply(given)
    return { recorded(name, options, emptyList()) { body() } }
}

/** A function whose every call is recorded as a span. */
@JvmSynthetic
public fun <A, R> traced(
    name: String,
    given: TracedOptions.() -> Unit = {},
    body: (A) -> R,
): (A) -> R {
    val options = TracedOptions().apply(given)
    return { a -> recorded(name, options, listOf(a)) { body(a) } }
}

/** A function whose every call is recorded as a span. */
@JvmSynthetic
public fun <A, B, R> traced(
    name: String,
    given: TracedOptions.() -> Unit = {},
    body: (A, B) -> R,
): (A, B) -> R {
    val options = TracedOptions().apply(given)
    return { a, b -> recorded(name, options, listOf(a, b)) { body(a, b) } }
}

/**
 * An object that stands for `service` behind its interface: every call of a method is a span called `Name.method`.
 *
 * @param type the interface; calls of others and of `Any`'s methods are not recorded
 */
@JvmOverloads
public fun <T : Any> instrument(
    type: Class<T>,
    service: T,
    name: String = type.simpleName,
    options: TracedOptions = TracedOptions(),
): T {
    val handler =
        InvocationHandler { _, method, given ->
            val arguments: Array<out Any?> = given ?: emptyArray()
            if (method.declaringClass == Any::class.java) {
                invoke(service, method, arguments)
            } else {
                recorded("$name.${method.name}", options, arguments.asList()) { invoke(service, method, arguments) }
            }
        }
    return type.cast(Proxy.newProxyInstance(type.classLoader, arrayOf(type), handler))
}

private fun invoke(
    service: Any,
    method: Method,
    arguments: Array<out Any?>,
): Any? =
    try {
        method.invoke(service, *arguments)
    } catch (error: InvocationTargetException) {
        throw error.targetException
    }

private inline fun <R> recorded(
    name: String,
    options: TracedOptions,
    arguments: List<Any?>,
    body: () -> R,
): R =
    running(startSpan(name, options.type, Unset, null, options.span, null)) { span ->
        options.called(span, arguments)
        body().also { options.returned(span, it) }
    }
