// The encoder: `tests/vectors/frame.json` byte for byte. `DifferentialTest` compares random values with the core's own.

package dev.polyspan

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Beginning
import dev.polyspan.internal.Bounds
import dev.polyspan.internal.Capture
import dev.polyspan.internal.Content
import dev.polyspan.internal.Cuts
import dev.polyspan.internal.FrameWriter
import dev.polyspan.internal.Governed
import dev.polyspan.internal.Here
import dev.polyspan.internal.Ids
import dev.polyspan.internal.Links
import dev.polyspan.internal.STATIC_KEYS
import dev.polyspan.internal.Terms
import dev.polyspan.internal.Trace
import dev.polyspan.internal.Writer
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.nio.ByteBuffer
import java.nio.ByteOrder

class FrameTest {
    private val file = Vectors.file("frame.json")

    /** What an engine without anything set says. */
    private object Plain : Governed, Cuts by Cuts.Uncounted {
        override val terms =
            Terms(
                mapOf(
                    "slot" to 0L,
                    "valueBytes" to (1L shl 24),
                    "spanBytes" to (1L shl 24),
                    "depth" to 64L,
                    "arrayItems" to (1L shl 20),
                    "objectKeys" to (1L shl 20),
                    "io" to true,
                ),
            )

        override fun inherited(around: Ambient?) = Beginning(ByteArray(0), ByteArray(0), 0, false)
    }

    @Test
    fun `static keys are those of the core`() {
        assertEquals(file["static_keys"].asJsonArray.map { it.asString }, STATIC_KEYS.toList())
    }

    @Test
    fun `span types are those of the core`() {
        val types = Vectors.cases("semantics.json", "types")
        assertEquals(
            types.map { it["type"].asString to it["number"].asInt },
            SpanType.entries.filter { it != SpanType.Generic }.map { it.wireName to it.number },
        )
        for (type in types) {
            for (alias in type["aliases"].asJsonArray) assertEquals(type["type"].asString, SpanType.of(alias.asString)?.wireName)
        }
    }

    /** The bytes of a span's fields as the vectors describe them, from the parts that spans are written with. */
    private fun fields(event: JsonObject): ByteArray? {
        val out = Writer(256)
        for (field in event["fields"]?.asJsonArray ?: return ByteArray(0)) {
            val (kind, given) = field.asJsonObject.entrySet().single()
            // References by hand are not what an application can give.
            if (Regex("\"(static|entry)\"").containsMatchIn(given.toString())) return null
            when (kind) {
                "name", "tag" -> {
                    out.u8(if (kind == "name") 1 else 10)
                    out.inlineKey(Vectors.text(given))
                }

                "status_message", "tracestate" -> {
                    out.u8(if (kind == "tracestate") 3 else 2)
                    out.sized(Vectors.text(given))
                }

                "attribute", "metadata" -> {
                    out.u8(if (kind == "attribute") 4 else 9)
                    out.inlineKey(Vectors.text(given.asJsonArray[0]))
                    captured(out, given.asJsonArray[1])
                }

                "input", "output" -> {
                    out.u8(if (kind == "input") 7 else 8)
                    captured(out, given)
                }

                "link" -> {
                    out.raw(link(given.asJsonObject) ?: return null)
                }

                else -> {
                    return null
                }
            }
        }
        return out.copied()
    }

    private fun captured(
        out: Writer,
        form: JsonElement,
    ) = Capture.write(out, Vectors.value(form), Bounds.WHOLE, Cuts.Uncounted)

    private fun link(given: JsonObject): ByteArray? {
        if ((given["dropped_attributes"]?.asInt ?: 0) != 0) return null
        val to =
            SpanContext.of(
                given["trace_id"].asString,
                given["span_id"].asString,
                given["flags"]?.asInt ?: 0,
                given["tracestate"]?.asString ?: "",
                given["remote"]?.asBoolean ?: false,
            )
        return Links.field(to, given["attributes"]?.let { Vectors.map(it.asJsonArray) }, Bounds.WHOLE, Cuts.Uncounted)
    }

    @TestFactory
    fun `fields of events`(): List<DynamicTest> {
        val tests =
            file["events"].asJsonArray.map { it.asJsonObject }.mapNotNull { entry ->
                val made = fields(entry["event"].asJsonObject) ?: return@mapNotNull null
                dynamicTest(entry["name"].asString) {
                    val expected = Vectors.hex(Vectors.text(entry["hex"]))
                    assertEquals(Vectors.hex(expected.copyOfRange(72, expected.size)), Vectors.hex(made))
                }
            }
        assertTrue(tests.size >= 12, "${tests.size} events")
        return tests
    }

    private fun span(event: JsonObject): Span {
        val words = checkNotNull(Ids.wordsOf(event["trace_id"].asString, 32))
        val trace = Trace(words[0], words[1], event["flags"].asInt, "")
        val span = Span(Content.OPEN, null, trace, checkNotNull(Ids.wordsOf(event["span_id"].asString, 16))[0], null, false, Here.get())
        event["parent_span_id"]?.let { span.parentId = checkNotNull(Ids.wordsOf(it.asString, 16))[0] }
        span.start = event["start"].asString.toULong().toLong()
        span.end = event["end"].asString.toULong().toLong()
        event["kind"]?.let { kind -> span.kind = SpanKind.entries.first { it.wireName == kind.asString }.number }
        event["status"]?.let { status -> span.status = SpanStatus.valueOf(status.asString.uppercase()).ordinal }
        event["type"]?.let { span.type = checkNotNull(SpanType.of(it.asString)).number }
        span.flags = event["record_flags"]?.asInt ?: 0
        span.scope = event["scope"]?.asInt ?: 0
        return span
    }

    @TestFactory
    fun `heads of events`(): List<DynamicTest> =
        file["events"]
            .asJsonArray
            .map { it.asJsonObject }
            .filter { (it["event"].asJsonObject["event"]?.asString ?: "span_ended") == "span_ended" }
            .map { entry ->
                dynamicTest(entry["name"].asString) {
                    val event = entry["event"].asJsonObject
                    val frame = FrameWriter(Plain, event["engine"]?.asInt ?: 0)
                    frame.span(span(event))
                    val expected = Vectors.hex(Vectors.text(entry["hex"]))
                    assertArrayEquals(expected.copyOfRange(4, 72), frame.buf.copyOfRange(4, 72))
                }
            }

    @TestFactory
    fun `spans that were not sampled`(): List<DynamicTest> =
        file["unsampled"].asJsonArray.map { it.asJsonObject }.map { entry ->
            dynamicTest(entry["name"].asString) {
                val given = entry["span"].asJsonObject
                val span = Span(Content.QUIET, null, Trace.NONE, 1, null, false, null)
                span.name = Vectors.text(given["name"])
                span.start = 1
                // Longer than there is time here.
                val nanos = given["nanos"].asString.toULong()
                span.end = if (nanos <= Long.MAX_VALUE.toULong()) 1 + nanos.toLong() else 1
                given["kind"]?.let { kind -> span.kind = SpanKind.entries.first { it.wireName == kind.asString }.number }
                given["status"]?.let { status -> span.status = SpanStatus.valueOf(status.asString.uppercase()).ordinal }
                given["type"]?.let { span.type = checkNotNull(SpanType.of(it.asString)).number }
                if (given["kind_given"]?.asBoolean == true) span.flags = 256
                val frame = FrameWriter(Plain, entry["engine"]?.asInt ?: 0)
                frame.unsampled(span)
                val expected = Vectors.hex(Vectors.text(entry["hex"]))
                if (span.end == 1L) expected.fill(0, 8, 16)
                assertArrayEquals(expected, frame.buf.copyOf(frame.at))
            }
        }

    @Test
    fun `events follow each other, and what was handed in is not handed in again`() {
        val event = file["events"].asJsonArray[0].asJsonObject["event"].asJsonObject
        val alone = FrameWriter(Plain, 7).also { it.span(span(event)) }.copied()
        val frame = FrameWriter(Plain, 7)
        for (round in 1..5) {
            repeat(round) { frame.span(span(event)) }
            assertTrue(
                frame.handIn { bytes, length, spans ->
                    assertEquals(round, spans)
                    assertArrayEquals(List(round) { alone }.reduce(ByteArray::plus), bytes.copyOf(length))
                },
            )
            assertFalse(frame.handIn { _, _, _ -> error("nothing waits") })
        }
    }

    @Test
    fun `a span that memory has no room for is announced with the next`() {
        var fails = true
        val governed =
            object : Governed by Plain {
                override fun inherited(around: Ambient?) = if (fails) throw OutOfMemoryError("for a test") else Plain.inherited(around)
            }
        val frame = FrameWriter(governed, 7)
        val event = file["events"].asJsonArray[0].asJsonObject["event"].asJsonObject
        frame.span(span(event))
        assertFalse(frame.handIn { _, _, _ -> error("nothing was written") })
        fails = false
        frame.span(span(event))
        var announced = 0
        frame.handIn { _, _, spans -> announced += spans }
        assertEquals(2, announced)
    }

    @Test
    fun `a large span makes the frame larger, and what was there stays`() {
        val frame = FrameWriter(Plain, 0)
        val event = file["events"].asJsonArray[0].asJsonObject["event"].asJsonObject
        frame.span(span(event))
        val large = span(event)
        large.attribute("k", "x".repeat(300_000))
        frame.span(large)
        assertTrue(frame.isFull)
        val bytes = ByteBuffer.wrap(frame.buf).order(ByteOrder.LITTLE_ENDIAN)
        val first = 8 + bytes.getInt(0)
        assertEquals(frame.at, first + 8 + bytes.getInt(first))
    }
}
