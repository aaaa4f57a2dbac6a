// Reading the vectors that every language replays (tests/vectors/README.md).

package dev.polyspan

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.math.BigInteger
import java.nio.file.Files
import java.nio.file.Path

internal object Vectors {
    /** The checkout: where the tests run, or above. */
    val root: Path =
        generateSequence(Path.of("").toAbsolutePath()) { it.parent }.first { Files.isDirectory(it.resolve("tests/vectors")) }

    /** A file of `tests/vectors`. */
    fun file(name: String): JsonObject = JsonParser.parseString(Files.readString(root.resolve("tests/vectors/$name"))).asJsonObject

    fun cases(
        name: String,
        part: String = "cases",
    ): List<JsonObject> = file(name)[part].asJsonArray.map { it.asJsonObject }

    /** Text, or pieces to be repeated. */
    fun text(form: JsonElement): String =
        if (form.isJsonObject) {
            form.asJsonObject["repeat"].asJsonArray.joinToString("") { it.asJsonArray[0].asString.repeat(it.asJsonArray[1].asInt) }
        } else {
            form.asString
        }

    /** Text, or bytes that may be none. */
    fun bytes(form: JsonElement): ByteArray =
        if (form.isJsonObject && form.asJsonObject.has("hex")) hex(form.asJsonObject["hex"].asString) else text(form).toByteArray()

    fun hex(digits: String): ByteArray = ByteArray(digits.length / 2) { digits.substring(it * 2, it * 2 + 2).toInt(16).toByte() }

    fun hex(bytes: ByteArray): String = bytes.joinToString("") { "%02x".format(it) }

    /** A value as `otlp.json` and `limits.json` write them. */
    fun value(form: JsonElement): Any? {
        if (!form.isJsonObject) return plain(form)
        val given = form.asJsonObject
        return when {
            given.has("int") -> {
                given["int"].asString.toLong()
            }

            given.has("double") -> {
                double(given["double"].asString)
            }

            given.has("bytes") -> {
                hex(given["bytes"].asString)
            }

            given.has("array") -> {
                given["array"].asJsonArray.map(::value)
            }

            given.has("map") -> {
                map(given["map"].asJsonArray)
            }

            given.has("repeat") -> {
                text(given)
            }

            given.has("array_of") -> {
                val (item, count) = given["array_of"].asJsonArray.toList()
                List(count.asInt) { value(item) } + then(given) { listOf(value(it)) }
            }

            given.has("map_of") -> {
                val (item, count) = given["map_of"].asJsonArray.toList()
                val entries = (0 until count.asInt).map { "k$it" to value(item) }
                entries.toMap() + then(given) { listOf(text(it.asJsonArray[0]) to value(it.asJsonArray[1])) }
            }

            given.has("nested") -> {
                (0 until given["nested"].asInt).fold<Int, Any>("x") { inner, _ -> listOf(inner) }
            }

            else -> {
                error("a value of no known form: $given")
            }
        }
    }

    private fun double(text: String): Double =
        when (text) {
            "Infinity" -> Double.POSITIVE_INFINITY
            "-Infinity" -> Double.NEGATIVE_INFINITY
            else -> text.toDouble()
        }

    private fun <T> then(
        given: JsonObject,
        read: (JsonElement) -> List<T>,
    ): List<T> = given["then"]?.let(read) ?: emptyList()

    fun map(entries: JsonArray): Map<String, Any?> = entries.associate { text(it.asJsonArray[0]) to value(it.asJsonArray[1]) }

    /** Plain JSON: whole numbers as `Long`. */
    fun plain(form: JsonElement?): Any? =
        when {
            form == null || form.isJsonNull -> null
            form.isJsonArray -> form.asJsonArray.map(::plain)
            form.isJsonObject -> form.asJsonObject.entrySet().associate { (key, item) -> key to plain(item) }
            form.asJsonPrimitive.isBoolean -> form.asBoolean
            form.asJsonPrimitive.isString -> form.asString
            else -> form.asString.toLongOrNull() ?: form.asDouble
        }

    @Suppress("UNCHECKED_CAST")
    fun plainMap(form: JsonElement?): Map<String, Any?> = plain(form) as Map<String, Any?>? ?: emptyMap()

    /** A value as tests compare it: bytes by their content. */
    fun told(value: Any?): Any? =
        when (value) {
            is ByteArray -> value.toList()
            is List<*> -> value.map(::told)
            is Map<*, *> -> value.mapValues { told(it.value) }
            is Int, is Short, is Byte -> (value as Number).toLong()
            is BigInteger -> value.toLong()
            else -> value
        }

    /** `max_queue_spans` as Kotlin spells it. */
    fun camel(name: String): String = Regex("_([a-z0-9])").replace(name) { it.groupValues[1].uppercase() }

    fun camelKeys(given: Any?): Any? =
        when (given) {
            is Map<*, *> -> given.entries.associate { (key, value) -> camel(key.toString()) to camelKeys(value) }
            is List<*> -> given.map(::camelKeys)
            else -> given
        }
}
