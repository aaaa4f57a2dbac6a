// Errors as text: their type, message and stack with the causes, never throwing while doing so.

package dev.polyspan.internal

import dev.polyspan.EventAttributes

/** What an `exception` event holds (OpenTelemetry semantic conventions, "Exceptions on spans"). */
internal class ErrorParts private constructor(
    val type: String,
    val message: String,
    val stack: String,
) {
    /** Keys and values in turn. */
    val fields: Array<Any?> =
        arrayOf(
            "exception.type",
            type,
            "exception.message",
            message,
            "exception.stacktrace",
            stack,
        )

    /** The event, as it happens now. */
    fun event(span: Content): EventAttributes {
        val event = EventAttributes(span)
        event.name = "exception"
        event.time = Clock.now()
        for (i in fields.indices step 2) event.set(fields[i] as String, fields[i + 1] as String)
        return event
    }

    companion object {
        /** Frames of one error that are shown. */
        private const val FRAMES = 200

        /** Causes behind causes that are followed. */
        private const val CAUSES = 8
        private const val UNREADABLE = "[unreadable]"

        fun of(error: Any?): ErrorParts =
            if (error is Throwable) {
                val type = error.javaClass
                ErrorParts(type.name, messageOf(error), stackOf(error, causes = true))
            } else {
                val said = if (error == null) "null" else attempt { error.toString() }
                ErrorParts(if (error == null) "error" else error.javaClass.name, said, "")
            }

        private fun messageOf(error: Throwable): String = attempt { error.message ?: "" }

        /** The stack as the JVM prints it, with what caused it. */
        fun stackOf(
            error: Throwable,
            causes: Boolean,
        ): String =
            attempt {
                val text = StringBuilder()
                var at: Throwable? = error
                var depth = 0
                while (at != null && depth < CAUSES) {
                    if (depth > 0) text.append("Caused by: ")
                    text.append(at.javaClass.name)
                    val message = messageOf(at)
                    if (message.isNotEmpty()) text.append(": ").append(message)
                    text.append('\n')
                    val frames = at.stackTrace
                    frames.take(FRAMES).forEach { text.append("\tat ").append(it).append('\n') }
                    if (frames.size > FRAMES) text.append("\t... ").append(frames.size - FRAMES).append(" more\n")
                    val next = if (causes) at.cause else null
                    at = if (next === at) null else next
                    depth++
                }
                text.toString()
            }

        private inline fun attempt(read: () -> String): String =
            try {
                read()
            } catch (_: Throwable) {
                UNREADABLE
            }
    }
}
