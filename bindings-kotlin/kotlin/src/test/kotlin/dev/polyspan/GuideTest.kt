// The examples of docs/kotlin.md compile, run, and print what they say. `cargo xtask test kotlin` makes sources of them.

package dev.polyspan

import dev.polyspan.internal.Log
import io.opentelemetry.api.GlobalOpenTelemetry
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.lang.reflect.InvocationTargetException
import java.nio.file.Files
import java.util.function.Consumer

class GuideTest {
    private val examples =
        Regex("^```kotlin\n(.*?)^```", setOf(RegexOption.MULTILINE, RegexOption.DOT_MATCHES_ALL))
            .findAll(Files.readString(Vectors.root.resolve("docs/kotlin.md")))
            .map { it.groupValues[1] }
            .toList()

    /** What stands behind a line that prints is what it prints. */
    private val says = Regex("^ *println\\(.*\\) // (.*)$", RegexOption.MULTILINE)

    @TestFactory
    fun `examples do what the guide says`(): List<DynamicTest> {
        assertTrue(examples.size >= 8, "${examples.size} examples")
        return examples.mapIndexed { at, example ->
            dynamicTest("example ${at + 1}") {
                val printed = printed(at + 1)
                for (said in says.findAll(example)) assertTrue(said.groupValues[1] in printed, "$said in $printed")
            }
        }
    }

    private fun printed(number: Int): List<String> {
        val program = Class.forName("dev.polyspan.guide.example$number.Example${number}Kt").getMethod("example")
        val (before, written) = System.out to ByteArrayOutputStream()
        Log.write = Consumer { }
        System.setOut(PrintStream(written, true, Charsets.UTF_8))
        try {
            program.invoke(null)
        } catch (error: InvocationTargetException) {
            throw error.targetException
        } finally {
            System.setOut(before)
            Polyspan.setSelector(null)
            Polyspan.shutdown()
            Mobile.onNetwork(isMetered = true)
            GlobalOpenTelemetry.resetForTest()
        }
        return written.toString(Charsets.UTF_8).lines()
    }
}
