// Code of the application inside the pipeline: what it may be. `host/` runs it, on one thread of its own.

package dev.polyspan

/** Changes spans, or leaves them out; runs before redaction. */
public fun interface Processor {
    /** The span it was given, changed or not, or `null` to leave it out. One that throws leaves the span as it is. */
    public fun process(span: FinishedSpan): FinishedSpan?

    /** At the end of a flush. */
    public fun flush() {}

    /** When nothing comes any more. */
    public fun shutdown() {}
}

/** Keeps a span, or leaves it out; runs after redaction and limits. */
public fun interface SpanFilter {
    public fun keeps(span: FinishedSpan): Boolean
}

/** Changes a copy of each span before one exporter gets it. */
public fun interface Formatter {
    /** The span it was given. */
    public fun format(span: FinishedSpan): FinishedSpan
}

/**
 * An exporter of your own. What it overrides is what it is told of: batches of finished spans by [export], and single
 * events by the others.
 */
public interface SpanExporter {
    /** What it is called in `stats()`. */
    public val name: String get() = javaClass.simpleName.ifEmpty { "exporter" }

    /** Functions that change its copy of each span before it gets it. */
    public val formatters: List<Formatter> get() = emptyList()

    /** A batch; `false` says that it was refused. */
    public fun export(spans: List<FinishedSpan>): Boolean = true

    public fun onSpanStarted(span: FinishedSpan) {}

    public fun onSpanUpdated(span: FinishedSpan) {}

    public fun onSpanEnded(span: FinishedSpan) {}

    public fun onSpanDropped(span: DroppedSpan) {}

    public fun onTraceStarted(trace: TraceInfo) {}

    public fun onTraceEnded(trace: TraceInfo) {}

    public fun onLog(record: LogRecord) {}

    /** At the end of a flush, after everything before it was exported. */
    public fun flush() {}

    /** Once, when nothing comes any more. */
    public fun shutdown() {}
}

/** A span that was told to have started and will never be told to have ended. */
public class DroppedSpan internal constructor(
    told: Map<String, Any?>,
) {
    public val id: String = told["spanId"] as? String ?: ""
    public val traceId: String = told["traceId"] as? String ?: ""

    /** `null` for a root. */
    public val parentId: String? = told["parentSpanId"] as? String
    public val type: String = told["type"] as? String ?: ""

    /** Nanoseconds since the Unix epoch. */
    public val startTime: Long = told["startTime"] as? Long ?: 0

    /** `filtered`, or a reason of `stats().dropped` such as `queue_full` or `shutdown`. */
    public val reason: String = told["statusMessage"] as? String ?: ""
}

/** What this process has of a trace, as its exporters are told of its start and end. */
public class TraceInfo internal constructor(
    told: Map<String, Any?>,
) {
    public val id: String = told["traceId"] as? String ?: ""

    /** The span id of its root in this process; at the start that of the first span there is. */
    public val rootId: String = told["spanId"] as? String ?: ""

    /** The name of that span, its type and status. */
    public val name: String = told["name"] as? String ?: ""
    public val type: String = told["type"] as? String ?: ""
    public val status: String = told["status"] as? String ?: ""

    /** Nanoseconds since the Unix epoch. */
    public val startTime: Long = told["startTime"] as? Long ?: 0

    /** 0 at the start of the trace. */
    public val endTime: Long = told["endTime"] as? Long ?: 0
    private val counts = told["attributes"] as? Map<*, *> ?: emptyMap<String, Any>()

    /** How many of its spans have ended, once it is over. */
    public val spanCount: Long = counts["spans"] as? Long ?: 0

    /** How many that were told to have started were dropped. */
    public val droppedCount: Long = counts["dropped"] as? Long ?: 0
}
