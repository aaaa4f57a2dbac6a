// The memory exporter, for tests: finished spans as objects.

package dev.polyspan

import dev.polyspan.internal.Natives
import dev.polyspan.internal.Values
import dev.polyspan.internal.ffi.NativeMemory

/** Something that happened during a span. */
public class RecordedEvent internal constructor(
    told: Map<String, Any?>,
) {
    public val name: String = told["name"] as? String ?: ""

    /** Nanoseconds since the Unix epoch. */
    public val time: Long = told["time"] as? Long ?: 0

    @Suppress("UNCHECKED_CAST")
    public val attributes: Map<String, Any?> = told["attributes"] as? Map<String, Any?> ?: emptyMap()
    public val droppedAttributes: Long = told["droppedAttributes"] as? Long ?: 0
}

/** A finished span as it left the engine: redacted, limited, under the names that it was recorded with. */
public class SpanRecord internal constructor(
    /** Everything under the names that every language has. */
    public val all: Map<String, Any?>,
) {
    public val traceId: String get() = text("traceId")
    public val spanId: String get() = text("spanId")
    public val traceFlags: Long get() = all["traceFlags"] as? Long ?: 0
    public val traceState: String get() = text("traceState")

    /** `null` for a root. */
    public val parentSpanId: String? get() = all["parentSpanId"] as? String
    public val parentIsRemote: Boolean get() = all["parentIsRemote"] == true
    public val name: String get() = text("name")
    public val type: String get() = text("type")
    public val kind: String get() = text("kind")

    /** Flag bits (docs/frame.md). */
    public val flags: Long get() = all["flags"] as? Long ?: 0

    /** Nanoseconds since the Unix epoch. */
    public val startTime: Long get() = all["startTime"] as? Long ?: 0
    public val endTime: Long get() = all["endTime"] as? Long ?: 0

    /** `unset`, `ok` or `error`. */
    public val status: String get() = text("status")
    public val statusMessage: String get() = text("statusMessage")
    public val attributes: Map<String, Any?> get() = map("attributes")
    public val metadata: Map<String, Any?> get() = map("metadata")
    public val events: List<RecordedEvent> get() = maps("events").map(::RecordedEvent)

    /** Maps of `traceId`, `spanId`, `traceFlags`, `traceState`, `isRemote` and `attributes`. */
    public val links: List<Map<String, Any?>> get() = maps("links")

    /** Whether an input was recorded, and which. */
    public val hasInput: Boolean get() = all["hasInput"] == true
    public val input: Any? get() = if (hasInput) all["input"] else null
    public val hasOutput: Boolean get() = all["hasOutput"] == true
    public val output: Any? get() = if (hasOutput) all["output"] else null

    @Suppress("UNCHECKED_CAST")
    public val tags: List<String> get() = all["tags"] as? List<String> ?: emptyList()

    /** The name of the instrumentation scope. */
    public val scope: String get() = text("scope")
    public val scopeVersion: String get() = text("scopeVersion")
    public val resource: Map<String, Any?> get() = map("resource")
    public val droppedAttributes: Long get() = all["droppedAttributes"] as? Long ?: 0
    public val droppedEvents: Long get() = all["droppedEvents"] as? Long ?: 0
    public val droppedLinks: Long get() = all["droppedLinks"] as? Long ?: 0

    private fun text(name: String): String = all[name] as? String ?: ""

    @Suppress("UNCHECKED_CAST")
    private fun map(name: String): Map<String, Any?> = all[name] as? Map<String, Any?> ?: emptyMap()

    @Suppress("UNCHECKED_CAST")
    private fun maps(name: String): List<Map<String, Any?>> = all[name] as? List<Map<String, Any?>> ?: emptyList()

    override fun toString(): String = "SpanRecord($name)"
}

/** A log record as it was recorded. */
public class LogRecord internal constructor(
    public val all: Map<String, Any?>,
) {
    /** What it says; `null` if nothing. */
    public val body: Any? get() = all["body"]

    /** How serious it is, as OpenTelemetry numbers it: 9 for info, 13 for warn, 17 for error; 0 for unknown. */
    public val severity: Long get() = all["severity"] as? Long ?: 0
    public val severityText: String get() = all["severityText"] as? String ?: ""

    /** Nanoseconds since the Unix epoch. */
    public val time: Long get() = all["time"] as? Long ?: 0

    /** The trace and span it belongs to; `null` for none. */
    public val traceId: String? get() = all["traceId"] as? String
    public val spanId: String? get() = all["spanId"] as? String
    public val eventName: String get() = all["eventName"] as? String ?: ""

    @Suppress("UNCHECKED_CAST")
    public val attributes: Map<String, Any?> get() = all["attributes"] as? Map<String, Any?> ?: emptyMap()
    public val logger: String get() = all["logger"] as? String ?: ""
}

/**
 * Keeps finished spans in memory: `Polyspan.init { exporter = MemoryExporter() }`.
 *
 * @param capacity spans at most; later ones are dropped and counted as `queue_full`
 * @throws PolyspanError `resource` where the native library cannot be loaded
 */
public class MemoryExporter
    @JvmOverloads
    constructor(
        capacity: Int = 100_000,
    ) {
        internal val native: NativeMemory = Natives.memory(maxOf(1, capacity))

        /** The spans received so far, in the order of their ends. Flush before. */
        public val spans: List<SpanRecord> get() = ended(take = false)

        /** Takes the spans out. */
        public fun take(): List<SpanRecord> = ended(take = true)

        /** What several threads have handed in has no order of its own. */
        private fun ended(take: Boolean): List<SpanRecord> = read("spans", take).map(::SpanRecord).sortedBy { it.endTime }

        /** The log records received so far, in the order they were recorded. */
        public val logs: List<LogRecord> get() = read("logs", take = false).map(::LogRecord)

        /** The data points of metrics received so far, as maps, in the order they were collected. */
        public val metrics: List<Map<String, Any?>> get() = read("metrics", take = false)

        /** Forgets all of them. */
        public fun clear() {
            for (what in listOf("spans", "logs", "metrics")) read(what, take = true)
        }

        @Suppress("UNCHECKED_CAST")
        private fun read(
            what: String,
            take: Boolean,
        ): List<Map<String, Any?>> {
            val bytes =
                when (what) {
                    "spans" -> native.spans(take)
                    "logs" -> native.logs(take)
                    else -> native.metrics(take)
                }
            return Values.read(bytes) as List<Map<String, Any?>>
        }
    }
