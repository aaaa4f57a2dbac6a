// Options as Kotlin spells them, and as the engine does: `maxQueueSpans` and `max_queue_spans`.

package dev.polyspan.internal

internal object Names {
    /** Maps whose keys belong to the application. */
    private val ownKeys =
        java.util.Set.of(
            "resource",
            "headers",
            "attributes",
            "metadata",
            "patterns",
            "prices",
            "request_context",
            "model_prices",
            "labels",
        )

    fun snake(name: String): String =
        buildString {
            for (char in name) if (char in 'A'..'Z') append('_').append(char.lowercaseChar()) else append(char)
        }

    fun camel(name: String): String =
        buildString {
            var upper = false
            for (char in name) {
                if (char == '_') upper = true else append(if (upper) char.uppercaseChar() else char).also { upper = false }
            }
        }

    /** The value of an option that stands under the engine's name. */
    fun option(
        name: String,
        value: Any?,
    ): Any? = if (name in ownKeys) value else described(value)

    /** A description of an engine, exporter or sampler with the engine's names. */
    fun described(given: Any?): Any? =
        when (given) {
            is String, is Boolean, is Number -> {
                given
            }

            is Map<*, *> -> {
                LinkedHashMap<String, Any?>().apply {
                    for ((key, value) in given) {
                        val name = snake(key.toString())
                        this[name] = option(name, value)
                    }
                }
            }

            is List<*> -> {
                val items = ArrayList<Any?>(given.size)
                for (one in given) items.add(described(one))
                items
            }

            is java.time.Duration -> {
                given.toNanos() / 1e9
            }

            is kotlin.time.Duration -> {
                given.inWholeNanoseconds / 1e9
            }

            else -> {
                given
            }
        }

    /** Options of `init` of which the engine is not told. */
    private const val OURS = ", processors, spanFilter, mobile"

    /** A message about an option as Kotlin spells it: the path that it begins with, and the names where it lists them. */
    fun camelNames(message: String): String {
        val end = message.indexOf(':')
        if (end < 0) return message
        val path = camel(message.substring(0, end))
        val rest = message.substring(end)
        if ("; expected only " !in rest) return path + rest
        return path + camel(rest) + if (path == "options") OURS else ""
    }
}
