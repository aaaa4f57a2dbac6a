// What an engine has said once about all spans of a recorder, and what the recorder counts.

package dev.polyspan.internal

/** How the engine decides about spans whose parent is of this process. Numbers, as an enum would bring six classes into
 * the start of a program. */
internal object LocalParent {
    const val INHERIT = 0
    const val SAMPLE = 1
    const val DROP = 2
    const val ASK = 3
}

/** What holds for all spans of an engine. */
internal class Terms(
    told: Map<String, Any?>,
) : Bounds(
        valueBytes = Border.count(told, "valueBytes"),
        depth = Border.count(told, "depth"),
        arrayItems = Border.count(told, "arrayItems"),
        objectKeys = Border.count(told, "objectKeys"),
    ) {
    /** The engine's number, for the headers of its events. */
    @JvmField val slot: Int = Border.count(told, "slot")

    @JvmField val spanBytes: Int = Border.count(told, "spanBytes")

    /** Whether inputs and outputs are recorded. */
    @JvmField val io: Boolean = told["io"] == true

    /** Whether roots are decided about ahead. */
    @JvmField val drawsRoots: Boolean = told["drawsRoots"] == true

    @JvmField val localParent: Int =
        when (told["localParent"]) {
            "inherit" -> LocalParent.INHERIT
            "sample" -> LocalParent.SAMPLE
            "drop" -> LocalParent.DROP
            else -> LocalParent.ASK
        }

    /** Whether the sampler looks at attributes. */
    @JvmField val readsContent: Boolean = told["readsContent"] == true

    @JvmField val hidesNothing: Boolean = told["hidesNothing"] == true

    /** Whether an exporter follows spans while they are open: from their start, and at every change. */
    @JvmField val showsStarts: Boolean = told["showsStarts"] == true

    @JvmField val showsUpdates: Boolean = told["showsUpdates"] == true

    /** Whether metrics count spans that are not sampled. */
    @JvmField val countsUnsampled: Boolean = told["countsUnsampled"] == true

    /** Spans that may be open; more do not record. */
    @JvmField val openSpans: Int = Border.count(told, "openSpans")

    /** Seconds that the end of the process may wait for delivery. */
    @JvmField val exitTimeout: Double = (told["exitTimeout"] as? Number)?.toDouble() ?: 2.0
}

/** What spans inside a context begin with. */
internal class Beginning(
    /** Fields of the frame. */
    @JvmField val fields: ByteArray,
    /** Tag fields, for the first span of a trace. */
    @JvmField val tags: ByteArray,
    /** Flag bits of the head. */
    @JvmField val flags: Int,
    /** Whether the engine wants to be asked about such spans. */
    @JvmField val asks: Boolean,
)

/** Places of the counts that go with every frame. */
internal object Counts {
    const val NOT_RECORDING = 0
    const val UNSAMPLED = 1
    const val OPEN_LIMIT = 2
    const val ENDED_TWICE = 3
    const val ALTERED = 4
    const val LIMITED = 5

    /** Spans that do not record and count as ended from their start: of the first two one each. For this process alone. */
    const val FOLLOWERS = 6

    /** How many there are. */
    const val ALL = 7
}

/** Flags of a span's record (docs/frame.md). */
internal object Flags {
    const val ROOT = 1
    const val LOCAL_ROOT = 2
    const val EVENT = 8
    const val INTERNAL = 16
    const val KIND_GIVEN = 256
}
