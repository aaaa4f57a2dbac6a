// A span as the application's code in the host stage sees it: typed, and changeable.
//
// It is read when it is first looked at, and what was set or may have been changed is sent back: only a span that was
// changed is written anew.

package dev.polyspan

import dev.polyspan.internal.Values
import dev.polyspan.internal.wholeValue

/** Something that happened during a span. */
public class SpanEvent
    @JvmOverloads
    constructor(
        public var name: String,
        /** Nanoseconds since the Unix epoch. */
        public var time: Long,
        public var attributes: Map<String, Any?> = emptyMap(),
    ) {
        internal var dropped: Long = 0
    }

/** A link of a span to another one. */
public class SpanLink
    @JvmOverloads
    constructor(
        public var context: SpanContext,
        public var attributes: Map<String, Any?> = emptyMap(),
    ) {
        internal var dropped: Long = 0
    }

/** Why a span failed. */
public class SpanError internal constructor(
    /** What kind of error it was: `error.type`, or the class of the exception. */
    public val type: String,
    public val message: String,
    /** Empty where none was recorded. */
    public val stack: String,
)

/**
 * A span on its way out. Processors and formatters may change everything but its identity; exporters and filters have a
 * copy of their own, so that what they change changes nothing.
 */
public class FinishedSpan internal constructor(
    private val bytes: ByteArray,
) {
    private val told: MutableMap<String, Any?> by lazy(LazyThreadSafetyMode.NONE) { LinkedHashMap(Values.readMap(bytes)) }

    /** Fields that were set, or handed out and may have been changed. */
    private val touched = LinkedHashSet<String>()

    private fun text(name: String): String = told[name] as? String ?: ""

    private fun number(name: String): Long = told[name] as? Long ?: 0

    private fun put(
        name: String,
        value: Any?,
    ) {
        told[name] = value
        touched.add(name)
    }

    /** The span id as 16 lower-case hex digits. */
    public val id: String get() = text("spanId")

    /** The trace id as 32 lower-case hex digits. */
    public val traceId: String get() = text("traceId")

    /** The parent's span id; `null` for a root. */
    public val parentId: String? get() = told["parentSpanId"] as? String

    /** Its identity. */
    public val context: SpanContext
        get() = SpanContext.of(traceId, id, number("traceFlags").toInt(), text("traceState"), isRemote = false)

    public var name: String
        get() = text("name")
        set(value) = put("name", value)

    /** The span type. */
    public var type: SpanType
        get() = SpanType.of(text("type")) ?: SpanType.Generic
        set(value) = put("type", value.wireName)

    public var kind: SpanKind
        get() = SpanKind.entries.find { it.wireName == text("kind") } ?: SpanKind.Internal
        set(value) = put("kind", value.wireName)

    /** Start in nanoseconds since the Unix epoch. */
    public var startTime: Long
        get() = number("startTime")
        set(value) = put("startTime", value)

    /** End in nanoseconds since the Unix epoch; 0 while the span is open. */
    public var endTime: Long
        get() = number("endTime")
        set(value) = put("endTime", value)

    /** Nanoseconds from start to end; 0 while the span is open. */
    public val duration: Long get() = if (endTime == 0L) 0 else maxOf(0, endTime - startTime)

    public var status: SpanStatus
        get() = SpanStatus.entries.find { it.name.equals(text("status"), ignoreCase = true) } ?: SpanStatus.UNSET
        set(value) = put("status", value.name.lowercase())

    /** The description of an error status. */
    public var statusMessage: String
        get() = text("statusMessage")
        set(value) = put("statusMessage", value)

    /** Why it failed; `null` unless the status is an error. Read from status, `error.type` and the last exception. */
    public val error: SpanError?
        get() {
            if (status != SpanStatus.ERROR) return null
            val exception = readEvents().lastOrNull { it.name == "exception" }?.attributes ?: emptyMap()
            val type = read("attributes")["error.type"] as? String ?: exception["exception.type"] as? String ?: ""
            val message = statusMessage.ifEmpty { exception["exception.message"] as? String ?: "" }
            return SpanError(type, message, exception["exception.stacktrace"] as? String ?: "")
        }

    @Suppress("UNCHECKED_CAST")
    private fun read(name: String): Map<String, Any?> = told[name] as? Map<String, Any?> ?: emptyMap()

    /** A map that may be changed where it stands. */
    @Suppress("UNCHECKED_CAST")
    private fun handed(name: String): MutableMap<String, Any?> {
        touched.add(name)
        val found = told[name] as? MutableMap<String, Any?>
        return found ?: LinkedHashMap<String, Any?>().also { told[name] = it }
    }

    /** Changeable where it stands. */
    public var attributes: MutableMap<String, Any?>
        get() = handed("attributes")
        set(value) = put("attributes", LinkedHashMap(value))

    /** Changeable where it stands. */
    public var metadata: MutableMap<String, Any?>
        get() = handed("metadata")
        set(value) = put("metadata", LinkedHashMap(value))

    /** Tags of the trace, on its root. */
    public var tags: List<String>
        get() = (told["tags"] as? List<*>)?.filterIsInstance<String>() ?: emptyList()
        set(value) = put("tags", value.toList())

    /** What happened during it; set the list to change it. */
    public var events: List<SpanEvent>
        get() = readEvents()
        set(value) = put("events", value.toList())

    /** What it links to; set the list to change it. */
    public var links: List<SpanLink>
        get() = readLinks()
        set(value) = put("links", value.toList())

    private fun readEvents(): List<SpanEvent> =
        (told["events"] as? List<*> ?: emptyList<Any>()).mapNotNull {
            it as? SpanEvent ?: (it as? Map<*, *>)?.let { map ->
                SpanEvent(map["name"] as? String ?: "", map["time"] as? Long ?: 0, inner(map)).apply { dropped = droppedOf(map) }
            }
        }

    private fun readLinks(): List<SpanLink> =
        (told["links"] as? List<*> ?: emptyList<Any>()).mapNotNull {
            it as? SpanLink ?: (it as? Map<*, *>)?.let { map ->
                val flags = (map["traceFlags"] as? Long ?: 0).toInt()
                val state = map["traceState"] as? String
                val to = SpanContext.of(map["traceId"] as? String, map["spanId"] as? String, flags, state, map["isRemote"] == true)
                SpanLink(to, inner(map)).apply { dropped = droppedOf(map) }
            }
        }

    @Suppress("UNCHECKED_CAST")
    private fun inner(map: Map<*, *>): Map<String, Any?> = map["attributes"] as? Map<String, Any?> ?: emptyMap()

    private fun droppedOf(map: Map<*, *>): Long = map["droppedAttributes"] as? Long ?: 0

    /** Whether an input was recorded. */
    public val hasInput: Boolean get() = told["hasInput"] == true

    /** What went into the operation; `null` when nothing was recorded. */
    public var input: Any?
        get() = if (hasInput) told["input"] else null
        set(value) {
            told["hasInput"] = true
            put("input", value)
        }

    /** Whether an output was recorded. */
    public val hasOutput: Boolean get() = told["hasOutput"] == true

    /** What came out of the operation; `null` when nothing was recorded. */
    public var output: Any?
        get() = if (hasOutput) told["output"] else null
        set(value) {
            told["hasOutput"] = true
            put("output", value)
        }

    /** The attributes of the process that recorded it. */
    public val resource: Map<String, Any?> get() = read("resource")

    /** The name of the instrumentation scope. */
    public val scope: String get() = text("scope")
    public val scopeVersion: String get() = text("scopeVersion")

    /** Whether it has no parent at all. */
    public val isRoot: Boolean get() = number("flags") and 1L != 0L

    /** Whether it has no parent in this process. */
    public val isLocalRoot: Boolean get() = number("flags") and 2L != 0L

    /** Whether it stands for an instant. */
    public val isEvent: Boolean get() = number("flags") and 8L != 0L

    /** Whether it is internal to a framework. */
    public val isInternal: Boolean get() = number("flags") and 16L != 0L

    /** The fields that may have been changed, for the engine; `null` where there are none. */
    internal fun changes(): ByteArray? {
        if (touched.isEmpty()) return null
        val changes = LinkedHashMap<String, Any?>()
        for (name in touched) {
            changes[name] =
                when (name) {
                    "input", "output" -> {
                        listOf(told[name])
                    }

                    "events" -> {
                        readEvents().map {
                            mapOf(
                                "name" to it.name,
                                "time" to it.time,
                                "attributes" to it.attributes,
                                "dropped" to it.dropped,
                            )
                        }
                    }

                    "links" -> {
                        readLinks().map {
                            mapOf(
                                "context" to it.context.bytes(),
                                "attributes" to it.attributes,
                                "dropped" to it.dropped,
                            )
                        }
                    }

                    else -> {
                        told[name]
                    }
                }
        }
        return wholeValue(changes)
    }

    override fun toString(): String = "FinishedSpan($name)"
}
