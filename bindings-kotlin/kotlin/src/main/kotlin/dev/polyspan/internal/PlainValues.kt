// Values that are plain data, as options nearly always are: written at once. `Capture`, which takes any object apart,
// brings a dozen classes along, and the start of a program would wait for them.

package dev.polyspan.internal

internal object PlainValues {
    /** How deep maps and lists may stand in each other here. */
    private const val DEEP = 8

    /** Writes a value; false where that is not for here, with anything written. */
    fun write(
        out: Writer,
        value: Any?,
        depth: Int = 0,
    ): Boolean {
        when (value) {
            null -> out.nothing()

            is String -> out.text(value)

            is Boolean -> out.bool(value)

            is Long -> out.int(value)

            is Int -> out.int(value.toLong())

            is Double -> out.double(value)

            // Of the library: maps and lists of others may do anything when they are read.
            is LinkedHashMap<*, *> -> return depth < DEEP && map(out, value, depth)

            is ArrayList<*> -> return depth < DEEP && list(out, value, depth)

            else -> return false
        }
        return true
    }

    private fun map(
        out: Writer,
        map: LinkedHashMap<*, *>,
        depth: Int,
    ): Boolean {
        val place = out.open(MAP)
        for (entry in map.entries) {
            val key = entry.key
            if (key !is String || out.inlineKey(key) || !write(out, entry.value, depth + 1)) return false
        }
        out.close(place, map.size)
        return true
    }

    private fun list(
        out: Writer,
        list: ArrayList<*>,
        depth: Int,
    ): Boolean {
        val place = out.open(LIST)
        for (item in list) if (!write(out, item, depth + 1)) return false
        out.close(place, list.size)
        return true
    }
}
