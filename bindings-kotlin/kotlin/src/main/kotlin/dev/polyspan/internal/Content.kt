// What a span keeps until it ends: attributes, input and output, metadata, tags, events. `Span` fills it, `FrameWriter`
// writes it.
//
// Nearly every span is filled by the thread that started it, its owner, and a lock for each attribute would cost as much
// as all the rest. So the owner keeps attributes without one. What other threads set goes into a list of its own, under
// the lock, with how many attributes the owner had by then: that puts both in order when the span ends. Whatever is
// rarer than attributes is kept under the lock, whoever sets it.

package dev.polyspan.internal

import dev.polyspan.EventAttributes

public abstract class Content internal constructor(
    internal var state: Int,
    internal val recorder: Recorder?,
    /** Of the thread that has started it, its owner. */
    internal val home: Here?,
) : Slot() {
    internal var flags: Int = 0

    /** Keys and values in turn, the rest `null`; of the owner alone, until the span has ended. There is room for those of
     * most spans from the start: making it with the first one is more code in each place that sets an attribute. */
    private var fields: Array<Any?> = if (state == OPEN) arrayOfNulls(FIRST) else NOTHING
    private var fieldCount: Int = 0

    /** Bytes of what the owner has set. */
    private var size: Int = 0

    /** What `size` may come to: what a span may keep, less what is kept beside the owner's attributes; under the lock, as
     * all that follows. */
    private var room: Int = recorder?.terms?.spanBytes ?: Int.MAX_VALUE
    internal var more: More? = null
    internal val isLocalRoot: Boolean get() = flags and Flags.LOCAL_ROOT != 0

    internal fun extra(): More = more ?: More().also { more = it }

    internal inline fun locked(body: () -> Unit) {
        enter()
        try {
            if (state == OPEN || state == QUIET) body()
        } finally {
            leave()
        }
    }

    /** What is kept of a value. */
    internal fun kept(value: Any?): Any {
        val recorder = recorder
        return when (value) {
            is String, is Long, is Boolean, is Double -> value
            is Int, is Short, is Byte -> (value as Number).toLong()
            is Float -> value.toDouble()
            null -> NULL_VALUE
            else -> if (recorder == null) NULL_VALUE else Capture.of(value, recorder.terms, recorder)
        }
    }

    /** Keeps an attribute, a kept value of so many bytes. */
    internal fun attribute(
        key: String?,
        value: Any,
        bytes: Int = sizeOf(value),
    ) {
        if (state != OPEN) return
        if (key == null || key.length == 0) return keyless()
        if (home == null || !home.isHere) return foreign(key, value, bytes + FIELD)
        var into = fields
        var at = fieldCount
        // Both may be gone: another thread may have ended the span just now.
        if (at + 2 > into.size) {
            into = larger()
            at = fieldCount
        }
        into[at] = key
        into[at + 1] = value
        fieldCount = at + 2
        size += bytes + FIELD
        if (size > room) tooLarge()
    }

    private fun keyless() {
        recorder?.altered()
        Log.sayOnce("empty key", "an attribute or metadata whose key is empty is left out")
    }

    private fun larger(): Array<Any?> {
        if (fieldCount >= MANY) locked { compact() }
        if (fieldCount + 2 > fields.size) fields = fields.copyOf(maxOf(FIRST, fieldCount * 2))
        return fields
    }

    private fun foreign(
        key: String,
        value: Any,
        bytes: Int,
    ) = locked {
        if (state == OPEN) {
            if (fits(bytes)) {
                val more = extra()
                val list = more.others ?: ArrayList<Any>(12).also { more.others = it }
                list.add(fieldCount)
                list.add(key)
                list.add(value)
                more.othersSize += bytes
            } else {
                extra().droppedAttributes++
            }
        }
    }

    /** All attributes in order: keys and values in turn up to the first `null`. While the lock is held, or once the span
     * has ended. */
    internal fun settled(): Array<Any?> {
        val given = more?.others ?: return fields
        val count = minOf(fieldCount, fields.size)
        val own = fields
        val all = arrayOfNulls<Any?>(count + given.size / 3 * 2)
        var from = 0
        var at = 0
        for (i in given.indices step 3) {
            val until = minOf(given[i] as Int, count)
            if (until > from) {
                System.arraycopy(own, from, all, at, until - from)
                at += until - from
                from = until
            }
            all[at++] = given[i + 1]
            all[at++] = given[i + 2]
        }
        System.arraycopy(own, from, all, at, count - from)
        return all
    }

    /** Takes out attributes that a later one replaces. By the owner, while the lock is held. */
    private fun compact() {
        val all = settled()
        more?.let {
            it.others = null
            room += it.othersSize
            it.othersSize = 0
        }
        val last = LinkedHashMap<String, Any?>()
        for (i in all.indices step 2) {
            val key = all[i] as String? ?: break
            last.remove(key)
            last[key] = all[i + 1]
        }
        all.fill(null)
        var at = 0
        size = 0
        for ((key, value) in last) {
            all[at++] = key
            all[at++] = value
            size += sizeOf(value) + FIELD
        }
        fields = all
        fieldCount = at
    }

    /** The last attribute makes the span too large, unless it replaces others. */
    private fun tooLarge() =
        locked {
            val before = fieldCount
            compact()
            if (size > room && fieldCount >= before) {
                fieldCount -= 2
                size -= sizeOf(fields[fieldCount + 1]) + FIELD
                fields[fieldCount] = null
                fields[fieldCount + 1] = null
                extra().droppedAttributes++
                recorder?.altered()
            }
        }

    internal fun startAttributes(attributes: Map<String, *>) =
        Given.each(attributes, "attributes", recorder) { key, value -> attribute(key, kept(value)) }

    internal fun keepInput(value: Any?) {
        if (recorder?.terms?.io != true) return
        val kept = kept(value)
        locked {
            val more = extra()
            more.input = kept
            more.hasInput = true
        }
    }

    internal fun keepOutput(value: Any?) {
        if (recorder?.terms?.io != true) return
        val kept = kept(value)
        locked {
            val more = extra()
            more.output = kept
            more.hasOutput = true
        }
    }

    internal fun keepMetadata(metadata: Map<String, *>) {
        val recorder = recorder ?: return
        Given.each(metadata, "metadata", recorder) { name, value ->
            if (name.isEmpty()) {
                recorder.altered()
            } else {
                val bytes = Capture.of(value, recorder.terms, recorder)
                locked {
                    if (fits(name.length + bytes.size)) {
                        val more = extra()
                        val list = more.metadata ?: ArrayList<Any>(4).also { more.metadata = it }
                        list.add(name)
                        list.add(bytes)
                    }
                }
            }
        }
    }

    internal fun keepTags(tags: Iterable<String?>) {
        val list = Given.texts(tags, "tags", recorder)
        if (!isLocalRoot) {
            if (list.isEmpty()) return
            recorder?.altered(list.size)
            Log.sayOnce("tags", "tags are of a trace: give them to its root, or to the context around it")
            return
        }
        locked {
            val more = extra()
            (more.tags ?: ArrayList<String>(list.size).also { more.tags = it }).addAll(list)
        }
    }

    internal fun keepLink(field: ByteArray) =
        locked {
            val more = extra()
            if (fits(field.size)) {
                (more.links ?: ArrayList<ByteArray>(1).also { more.links = it }).add(field)
            } else {
                more.droppedLinks++
            }
        }

    internal fun keepEvent(event: EventAttributes) =
        locked {
            val more = extra()
            if (fits(EVENT + event.name.length + event.size)) {
                val last = more.lastEvent
                if (last == null) more.firstEvent = event else last.next = event
                more.lastEvent = event
            } else {
                more.droppedEvents++
            }
        }

    /** Whether the span may grow by so much. While the lock is held. */
    private fun fits(bytes: Int): Boolean {
        room -= bytes
        if (size <= room) return true
        room += bytes
        recorder?.altered()
        return false
    }

    /** Bytes of the application's that it keeps, about. */
    internal val weight: Int get() = size + (recorder?.terms?.spanBytes ?: room) - room

    /** What was kept is in the frame. */
    internal fun forget() {
        fields = NOTHING
        fieldCount = 0
        more = null
    }

    /** Whether it was the caller who has ended it, which was in that state. */
    internal fun claim(before: Int): Boolean {
        enter()
        val mine = state == before
        if (mine) state = ENDED
        leave()
        return mine
    }

    internal companion object {
        /** How a span is open, has ended, or does not record. */
        const val OPEN = 0
        const val ENDED = 1
        const val QUIET = 2

        /** Ends without being counted: of another process, without an engine, or standing for several. */
        const val STANDS = 3

        /** Room for the first attributes. */
        private const val FIRST = 12

        /** Keys and values of one span that are kept before those that were replaced are taken out. */
        private const val MANY = 2048

        /** What an attribute costs beside its value. */
        const val FIELD = 16

        /** What an event costs beside its name and attributes. */
        private const val EVENT = 32
        val NOTHING = arrayOfNulls<Any?>(0)

        val NO_BYTES = ByteArray(0)

        /** `null` as a frame has it. */
        val NULL_VALUE = ByteArray(1)

        fun sizeOf(value: Any?): Int =
            when (value) {
                is String -> value.length
                is ByteArray -> value.size
                else -> 0
            }
    }
}
