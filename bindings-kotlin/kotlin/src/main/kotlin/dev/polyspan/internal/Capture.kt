// Values as they are when they are set, cut so that a huge one costs its caller what is kept of it and no more.
//
// What is cut where, and the markers it leaves, are the core's (`core/src/span/capture.rs`; `tests/vectors/limits.json`
// pins them). How an object of the JVM is taken apart stands in `Shape.kt`.

package dev.polyspan.internal

import java.math.BigInteger
import java.util.IdentityHashMap

/** How much of a value is captured. */
internal open class Bounds(
    @JvmField val valueBytes: Int,
    @JvmField val depth: Int,
    @JvmField val arrayItems: Int,
    @JvmField val objectKeys: Int,
) {
    /** With room for so many maps around the value. */
    fun deeper(by: Int): Bounds = Bounds(valueBytes, depth + by, arrayItems, objectKeys)

    companion object {
        /** For maps that are captured before any engine is known. */
        val WHOLE = Bounds(1 shl 24, 64, 1 shl 20, 1 shl 20)
    }
}

/** Counts what was not captured as it was given. */
internal interface Cuts {
    fun altered(by: Int = 1)

    fun limited(by: Int = 1)

    object Uncounted : Cuts {
        override fun altered(by: Int) = Unit

        override fun limited(by: Int) = Unit
    }
}

/** Writes values into a buffer. */
internal class Capture private constructor(
    private val out: Writer,
    private val bounds: Bounds,
    private val cuts: Cuts,
) {
    private var spent = 0L
    private var standIns = 0
    private val path = IdentityHashMap<Any, Unit>()

    private val room: Int get() = maxOf(0, bounds.valueBytes - spent).toInt()

    private fun value(
        value: Any?,
        depth: Int,
    ) {
        when (value) {
            null -> {
                spent += LEAST
                out.nothing()
            }

            is String -> {
                text(value)
            }

            is Boolean -> {
                spent += LEAST
                out.bool(value)
            }

            is Long, is Int, is Short, is Byte -> {
                spent += LEAST
                out.int((value as Number).toLong())
            }

            is Double, is Float -> {
                spent += LEAST
                out.double((value as Number).toDouble())
            }

            is Map<*, *>, is Collection<*> -> {
                shaped(value, depth)
            }

            is ULong -> {
                integer(BigInteger(value.toString()))
            }

            is UInt, is UShort, is UByte -> {
                integer(BigInteger(value.toString()))
            }

            is BigInteger -> {
                integer(value)
            }

            else -> {
                shaped(value, depth)
            }
        }
    }

    /** A whole number, as text where it has more than 64 bits. */
    private fun integer(value: BigInteger) {
        if (value.bitLength() > 63) {
            text(value.toString())
        } else {
            spent += LEAST
            out.int(value.toLong())
        }
    }

    private fun text(text: String) {
        val room = room
        if (text.length <= room && (text.length * 3L <= room || Utf8.of(text).size <= room)) {
            val start = out.at
            out.text(text)
            spent += LEAST + out.at - start - 5
            return
        }
        val shown = cutText(text, room)
        spent += LEAST + Utf8.of(shown).size
        cuts.altered()
        out.text(shown)
    }

    /** A text that says what stands here. */
    private fun marker(text: String) {
        spent += LEAST + text.length
        out.text(text)
    }

    private fun bytes(bytes: ByteArray) {
        if (bytes.size > room) {
            cuts.altered()
            marker("[bytes length=${bytes.size}]")
            return
        }
        spent += LEAST + bytes.size
        out.bytes(bytes)
    }

    private fun shaped(
        value: Any,
        depth: Int,
    ) {
        if (value in path) {
            marker(CIRCULAR)
            return
        }
        when (val shape = Shape.of(value)) {
            is Shape.Text -> {
                text(shape.text)
            }

            is Shape.Data -> {
                bytes(shape.bytes)
            }

            is Shape.Other -> {
                if (standIns >= STAND_INS) {
                    marker(CIRCULAR)
                    return
                }
                standIns++
                value(shape.value, depth)
                standIns--
            }

            is Shape.Items -> {
                inside(value) { list(shape, depth) }
            }

            is Shape.Entries -> {
                inside(value) { entries(shape, depth) }
            }

            is Shape.Fields -> {
                inside(value) { fields(value, shape.fields, depth) }
            }
        }
    }

    private inline fun inside(
        value: Any,
        body: () -> Unit,
    ) {
        path[value] = Unit
        try {
            body()
        } finally {
            path.remove(value)
        }
    }

    /** Whether a list or map that stands in `depth` others may be opened. */
    private fun opens(depth: Int): Boolean {
        spent += LEAST
        if (depth <= bounds.depth) return true
        cuts.limited()
        marker(MAX_DEPTH)
        return false
    }

    private fun list(
        shape: Shape.Items,
        depth: Int,
    ) {
        if (!opens(depth)) return
        val place = out.open(LIST)
        var written = 0
        var left = shape.size
        var end = out.at
        try {
            val items = shape.items
            while (left > 0 && written < bounds.arrayItems && room > 0 && items.hasNext()) {
                value(items.next(), depth + 1)
                written++
                left--
                end = out.at
            }
        } catch (error: Exception) {
            unreadable(end, error)
            written++
            left = 0
        }
        if (left > 0 && (written >= bounds.arrayItems || room == 0)) {
            if (written < bounds.arrayItems) cuts.altered()
            marker("[…$left more items]")
            written++
        }
        out.close(place, written)
    }

    /** What code of the application threw, in place of what it had not given by then. */
    private fun unreadable(
        end: Int,
        error: Exception,
    ) {
        out.at = end
        cuts.altered()
        marker("[unreadable: ${error.javaClass.simpleName}]")
    }

    private fun key(name: String) {
        val start = out.at
        if (name.length > MAX_INLINE) {
            cuts.altered()
            out.inlineKey(name.substring(0, MAX_INLINE))
        } else if (out.inlineKey(name)) {
            cuts.altered()
        }
        spent += out.at - start - 2
    }

    private fun endMap(
        place: Int,
        written: Int,
        left: Int,
    ) {
        var count = written
        if (left > 0) {
            if (written < bounds.objectKeys) cuts.altered()
            key(TRUNCATED_KEY)
            marker("$left more keys omitted")
            count++
        }
        out.close(place, count)
    }

    private fun entries(
        shape: Shape.Entries,
        depth: Int,
    ) {
        if (!opens(depth)) return
        val place = out.open(MAP)
        var written = 0
        var end = out.at
        try {
            val entries = shape.entries
            while (written < shape.size && written < bounds.objectKeys && room > 0 && entries.hasNext()) {
                val entry = entries.next()
                key(Shape.keyText(entry.key))
                value(entry.value, depth + 1)
                written++
                end = out.at
            }
        } catch (error: Exception) {
            out.at = end
            key(UNREADABLE_KEY)
            unreadable(out.at, error)
            written++
        }
        val full = written >= bounds.objectKeys || room == 0
        endMap(place, written, if (full) shape.size - written else 0)
    }

    private fun fields(
        value: Any,
        fields: List<Shape.Field>,
        depth: Int,
    ) {
        if (!opens(depth)) return
        val place = out.open(MAP)
        var written = 0
        for (field in fields) {
            if (written >= bounds.objectKeys || room == 0) break
            key(field.name)
            value(field.of(value), depth + 1)
            written++
        }
        endMap(place, written, fields.size - written)
    }

    companion object {
        const val TRUNCATED = "…[truncated]"
        private const val MAX_DEPTH = "[MaxDepth]"
        private const val CIRCULAR = "[Circular]"
        private const val UNREADABLE = "[unreadable]"
        private const val TRUNCATED_KEY = "__truncated"
        private const val UNREADABLE_KEY = "__unreadable"

        /** What each value counts at least. */
        private const val LEAST = 8

        /** Objects that stand for others, one behind the other, at most. */
        private const val STAND_INS = 8

        /** The bytes of a value, within bounds; never throws. */
        fun of(
            value: Any?,
            bounds: Bounds,
            cuts: Cuts,
        ): ByteArray {
            val out = Writer(256)
            write(out, value, bounds, cuts)
            return out.copied()
        }

        /** The same at the end of a buffer. */
        fun write(
            out: Writer,
            value: Any?,
            bounds: Bounds,
            cuts: Cuts,
        ) {
            val start = out.at
            try {
                Capture(out, bounds, cuts).value(value, 0)
            } catch (_: Exception) {
                unreadable(out, start, cuts)
            } catch (_: StackOverflowError) {
                unreadable(out, start, cuts)
            } catch (_: LinkageError) {
                unreadable(out, start, cuts)
            }
        }

        private fun unreadable(
            out: Writer,
            start: Int,
            cuts: Cuts,
        ) {
            Log.refuse("a value that fails when it is read")
            cuts.altered()
            out.at = start
            out.text(UNREADABLE)
        }

        /** The beginning of a text that has at most so many bytes, and the marker. */
        fun cutText(
            text: String,
            room: Int,
        ): String {
            val bytes = Utf8.of(if (text.length > room) text.substring(0, room + 1) else text)
            return String(bytes, 0, Utf8.cut(bytes, room), Charsets.UTF_8) + TRUNCATED
        }
    }
}
