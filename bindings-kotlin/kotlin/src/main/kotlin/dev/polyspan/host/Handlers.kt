// What runs the jobs of the engine: it reads the records, calls the application's code, says once what that threw, and
// answers.

package dev.polyspan.host

import dev.polyspan.DroppedSpan
import dev.polyspan.FinishedSpan
import dev.polyspan.Formatter
import dev.polyspan.LogRecord
import dev.polyspan.Processor
import dev.polyspan.SpanExporter
import dev.polyspan.SpanFilter
import dev.polyspan.TraceInfo
import dev.polyspan.internal.Log
import dev.polyspan.internal.Values
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A job of the engine; answered once. */
internal interface Job {
    /** `process`, `filter`, `format`, `export`, `flush` or `shutdown`. */
    val task: String
    val target: Int
    val spans: Int

    fun records(): ByteArray

    fun done()

    fun judge(
        verdicts: ByteArray,
        changes: List<ByteArray>,
        failures: Int,
    ): String?

    fun delivered(
        rejected: Int,
        failed: Int,
        unknown: Int,
        failures: Int,
    )
}

/** The events that exporters are told of, by the numbers that the engine has for them. */
internal enum class Kind(
    val wireName: String,
    val method: String,
) {
    ENDED("span_ended", "onSpanEnded"),
    STARTED("span_started", "onSpanStarted"),
    UPDATED("span_updated", "onSpanUpdated"),
    DROPPED("span_dropped", "onSpanDropped"),
    TRACE_STARTED("trace_started", "onTraceStarted"),
    TRACE_ENDED("trace_ended", "onTraceEnded"),
    LOG("log", "onLog"),
    ;

    val isOfSpans: Boolean get() = this == ENDED || this == STARTED || this == UPDATED
}

/** One thing that an exporter is told. */
internal class Telling(
    val kind: Kind,
    private val bytes: ByteArray,
) {
    var span = FinishedSpan(bytes)

    /** As it was told, whatever was changed. */
    fun renew() {
        span = FinishedSpan(bytes)
    }

    val map: Map<String, Any?> get() = Values.readMap(bytes)
}

/** What becomes of a span that the application's code has seen. */
private const val DROP: Byte = 0
private const val KEEP: Byte = 1
private const val CHANGE: Byte = 2

internal abstract class Handler(
    /** What it is called in messages. */
    val name: String,
    /** What the option was given: the same objects are the same option. */
    val objects: List<Any>,
) {
    /** Does a job, and answers it. Throws nothing but what is no `Exception`. */
    abstract fun run(job: Job)

    protected fun tellings(job: Job): List<Telling> {
        val bytes = job.records()
        val view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
        val found = ArrayList<Telling>()
        while (view.remaining() >= 5) {
            val kind = Kind.entries.getOrElse(view.get().toInt()) { Kind.ENDED }
            val record = ByteArray(view.getInt())
            view.get(record)
            found.add(Telling(kind, record))
        }
        return found
    }

    /** Calls code of the application. Whether it did not throw. */
    protected inline fun calls(
        what: String,
        run: () -> Unit,
    ): Boolean =
        try {
            run()
            true
        } catch (error: Throwable) {
            warn(what, error)
            false
        }

    protected fun warn(
        what: String,
        error: Throwable,
    ) = Log.sayOnce("host $name $what ${error.javaClass.name}", "$name: $what threw $error")

    /** Has formatters change a span. False if one threw. */
    protected fun formatted(
        formatters: List<Formatter>,
        span: FinishedSpan,
    ): Boolean =
        formatters.all { formatter ->
            calls("formatter") { check(formatter.format(span) === span) { "the span it was given is expected" } }
        }

    /** Answers a job about spans that may have been changed, or left out. */
    protected fun judge(
        job: Job,
        spans: List<FinishedSpan?>,
        failures: Int,
    ) {
        val verdicts = ByteArray(spans.size)
        val changes = ArrayList<ByteArray>()
        spans.forEachIndexed { at, span ->
            val change = span?.changes()
            verdicts[at] =
                if (span == null) {
                    DROP
                } else if (change == null) {
                    KEEP
                } else {
                    CHANGE
                }
            if (change != null) changes.add(change)
        }
        val refused = job.judge(verdicts, changes, failures) ?: return
        Log.sayOnce("host $name result", "$name: a span goes on as it was: $refused")
    }
}

/** A chain that changes spans, or leaves them out. */
internal class Processors(
    private val chain: List<Processor>,
) : Handler("processors", chain) {
    override fun run(job: Job) {
        if (job.task != "process") {
            for (one in chain) calls(job.task) { if (job.task == "shutdown") one.shutdown() else one.flush() }
            job.done()
            return
        }
        var failures = 0
        val results =
            tellings(job).map { telling ->
                var span: FinishedSpan? = telling.span
                for (processor in chain) {
                    val fine =
                        calls("processor") {
                            val result = processor.process(telling.span)
                            check(result == null || result === telling.span) { "the span it was given or null is expected" }
                            span = result
                        }
                    if (!fine) failures++
                    if (span == null) break
                }
                span
            }
        judge(job, results, failures)
    }
}

/** Formatters before one of the engine's own exporters. */
internal class Formatters(
    private val chain: List<Formatter>,
) : Handler("formatters", chain) {
    override fun run(job: Job) {
        if (job.task != "format") {
            job.done()
            return
        }
        var failures = 0
        val spans =
            tellings(job).map { telling ->
                if (!formatted(chain, telling.span)) {
                    failures++
                    // Whatever was changed until then.
                    telling.renew()
                }
                telling.span
            }
        judge(job, spans, failures)
    }
}

/** Decides which spans are kept. */
internal class Filter(
    private val filter: SpanFilter,
) : Handler("spanFilter", listOf(filter)) {
    override fun run(job: Job) {
        if (job.task != "filter") {
            job.done()
            return
        }
        var failures = 0
        val kept =
            tellings(job).map { telling ->
                var keeps = true
                if (!calls("filter") { keeps = filter.keeps(telling.span) }) failures++
                if (keeps) KEEP else DROP
            }
        job.judge(kept.toByteArray(), emptyList(), failures)
    }
}

/** Hands spans and events to an exporter of the application. */
internal class Exporter(
    private val exporter: SpanExporter,
) : Handler(exporter.name, listOf(exporter)) {
    /** The kinds of events that it is told of. */
    val events: List<Kind> = Kind.entries.filter { overrides(it.method) }

    /** Batches may wait for more spans, events may not. */
    val atOnce: Boolean = events.isNotEmpty()
    private val wantsBatches = overrides("export")
    private val formatters = exporter.formatters

    /** An interface's own method is nobody's. */
    private fun overrides(method: String): Boolean =
        exporter.javaClass.methods.any { it.name == method && !it.isBridge && it.declaringClass != SpanExporter::class.java }

    override fun run(job: Job) {
        when (job.task) {
            "export" -> {
                deliver(job)
            }

            "flush" -> {
                calls("flush") { exporter.flush() }
                job.done()
            }

            "shutdown" -> {
                calls("shutdown") { exporter.shutdown() }
                job.done()
            }

            else -> {
                job.done()
            }
        }
    }

    private fun deliver(job: Job) {
        var failures = 0
        val spans = ArrayList<FinishedSpan>()
        var failedSpans = 0
        var failedLogs = 0
        for (telling in tellings(job)) {
            if (telling.kind == Kind.ENDED && !wantsBatches && Kind.ENDED !in events) continue
            if (telling.kind.isOfSpans && !formatted(formatters, telling.span)) {
                failures++
                telling.renew()
            }
            val fine = telling.kind !in events || calls(telling.kind.method) { tell(telling) }
            if (telling.kind == Kind.ENDED) spans.add(telling.span)
            if (fine) continue
            when (telling.kind) {
                Kind.ENDED -> failedSpans++
                Kind.LOG -> failedLogs++
                else -> failures++
            }
        }
        var rejected = 0
        if (spans.isNotEmpty() && wantsBatches) {
            val fine = calls("export") { if (!exporter.export(spans)) rejected = spans.size - failedSpans }
            if (!fine) failedSpans = spans.size
        }
        job.delivered(rejected, failedSpans + failedLogs, 0, failures)
    }

    private fun tell(telling: Telling) {
        when (telling.kind) {
            Kind.ENDED -> exporter.onSpanEnded(telling.span)
            Kind.STARTED -> exporter.onSpanStarted(telling.span)
            Kind.UPDATED -> exporter.onSpanUpdated(telling.span)
            Kind.DROPPED -> exporter.onSpanDropped(DroppedSpan(telling.map))
            Kind.TRACE_STARTED -> exporter.onTraceStarted(TraceInfo(telling.map))
            Kind.TRACE_ENDED -> exporter.onTraceEnded(TraceInfo(telling.map))
            Kind.LOG -> exporter.onLog(LogRecord(telling.map))
        }
    }
}
