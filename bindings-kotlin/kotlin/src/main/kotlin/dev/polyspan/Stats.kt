// What an engine has counted.

package dev.polyspan

import dev.polyspan.internal.Log
import dev.polyspan.internal.Recorder

/**
 * What an engine has counted. At every moment `ended = pending + unsampled + internal + excluded + filtered + dropped
 * before export + accepted`, and for each exporter `accepted = pending + exported + onDisk + dropped`.
 */
public class Stats internal constructor(
    /** Everything under the names that every language has, as the engine tells it. */
    public val all: Map<String, Any?>,
) {
    /** Spans that were started, recording or not. */
    public val started: Long get() = count("started")

    /** Spans whose end was called, recording or not. */
    public val ended: Long get() = count("ended")

    /** Spans that have ended and are neither delivered nor lost. */
    public val pending: Long get() = count("pending")
    public val unsampled: Long get() = count("unsampled")
    public val internal: Long get() = count("internal")
    public val excluded: Long get() = count("excluded")

    /** Those among [unsampled] whose root was left unsampled under memory pressure. */
    public val shed: Long get() = count("shed")

    /** Those among [unsampled] that did not record because too many spans were open. */
    public val openLimit: Long get() = count("openLimit")

    /** Spans that processors or the span filter left out. */
    public val filtered: Long get() = count("filtered")

    /** Calls of the application's code in the host stage that threw. */
    public val hostErrors: Long get() = count("hostErrors")

    /** Starts and updates of open spans that exporters were not told of. */
    public val eventsDropped: Long get() = count("eventsDropped")
    public val accepted: Long get() = count("accepted")

    /** Spans delivered by every exporter. */
    public val exported: Long get() = count("exported")
    public val onDisk: Long get() = count("onDisk")

    /** Spans lost, by reason, in the engine and in every exporter. */
    public val dropped: Map<String, Long> get() = counts("dropped")
    public val endedTwice: Long get() = count("endedTwice")

    /** Values that were recorded otherwise than they were given, or left out. */
    public val altered: Long get() = count("altered")
    public val limited: Long get() = count("limited")
    public val redacted: Long get() = count("redacted")
    public val redactionFailures: Long get() = count("redactionFailures")
    public val panics: Long get() = count("panics")

    /** Whether both equations hold. */
    public val addsUp: Boolean get() = all["addsUp"] != false

    /** Each exporter's counts by its name. */
    public val exporters: Map<String, Map<String, Any?>> get() = nested("exporters")

    /** The same of log records. */
    public val logs: Map<String, Any?> get() = nested("logs")

    /** What metrics have counted. */
    public val metrics: Map<String, Any?> get() = nested("metrics")

    private fun count(name: String): Long = (all[name] as? Number)?.toLong() ?: 0

    @Suppress("UNCHECKED_CAST")
    private fun <V> nested(name: String): Map<String, V> = all[name] as? Map<String, V> ?: emptyMap()

    private fun counts(name: String): Map<String, Long> = nested<Number>(name).mapValues { it.value.toLong() }

    override fun toString(): String = "Stats(ended=$ended, exported=$exported, onDisk=$onDisk, dropped=$dropped)"

    internal companion object {
        /** What the engine has counted, the buffers of all threads included. */
        fun of(recorder: Recorder): Stats {
            recorder.handIn()
            val told = LinkedHashMap(recorder.stats())
            told["altered"] = (told["altered"] as? Long ?: 0) + Log.refusals
            told["started"] = (told["started"] as? Long ?: 0) + recorder.permits.open
            return Stats(told)
        }

        /** Before `init`. */
        fun none(): Stats = Stats(mapOf("altered" to Log.refusals, "addsUp" to true))
    }
}
