// Ends of processes: what had ended arrives, and exit codes stay what they were. Each program is a process of its own.

package dev.polyspan

import com.google.gson.JsonParser
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

class ExitTest {
    @TempDir
    lateinit var folder: Path

    private class Ended(
        val status: Int,
        val names: List<String>,
        val output: String,
    )

    /** Runs `ExitProgram`, and reads what arrived in its file. */
    private fun run(what: String): Ended {
        val file = folder.resolve("$what.jsonl")
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val library = System.getProperty("polyspan.library")?.let { listOf("-Dpolyspan.library=$it") } ?: emptyList()
        val path = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val command =
            listOf(java, "-XX:+UseSerialGC", "-Xmx128m") + library + listOf("-cp", path, "dev.polyspan.ExitProgram", what, file.toString())
        val output = folder.resolve("$what.log")
        val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start()
        try {
            val ended = process.waitFor(90, TimeUnit.SECONDS)
            assertTrue(ended, "$what does not end: ${Files.readString(output)}")
        } finally {
            process.destroyForcibly()
        }
        val lines = if (Files.exists(file)) Files.readAllLines(file).filter { it.isNotBlank() } else emptyList()
        val names =
            lines.flatMap { line ->
                JsonParser.parseString(line).asJsonObject["resourceSpans"].asJsonArray.flatMap { resource ->
                    resource.asJsonObject["scopeSpans"].asJsonArray.flatMap { scope ->
                        scope.asJsonObject["spans"].asJsonArray.map { it.asJsonObject["name"].asString }
                    }
                }
            }
        return Ended(process.exitValue(), names, Files.readString(output))
    }

    @Test
    fun `a program that just ends, with spans that are open`() {
        val ended = run("ends")
        assertEquals(0 to listOf("one"), ended.status to ended.names, ended.output)
    }

    @Test
    fun `a program that exits inside a span`() {
        val ended = run("exits")
        assertEquals(3 to listOf("one"), ended.status to ended.names, ended.output)
    }

    @Test
    fun `an exception that nobody catches`() {
        val ended = run("fails")
        assertEquals(1 to listOf("one"), ended.status to ended.names, ended.output)
        assertTrue(ended.output.contains("uncaught here"))
    }

    @Test
    fun `code of the application gets what is left`() {
        val ended = run("exporter")
        assertEquals(0, ended.status, ended.output)
        assertTrue(ended.output.contains("exported one"), ended.output)
    }

    @Test
    fun `nothing happens before the first use`() {
        val ended = run("nothing")
        assertEquals(0, ended.status, ended.output)
        assertTrue(ended.output.contains("threads []"), ended.output)
    }
}

/** The programs. */
internal object ExitProgram {
    private fun toFile(file: String) =
        Polyspan.init {
            service = "exit"
            exporter = mapOf("type" to "file", "path" to file)
        }

    @JvmStatic
    fun main(arguments: Array<String>) {
        val (what, file) = arguments
        when (what) {
            "ends" -> {
                toFile(file)
                Polyspan.start("open")
                span("one") { }
            }

            "exits" -> {
                toFile(file)
                span("one") { }
                span("open") { Runtime.getRuntime().exit(3) }
            }

            "fails" -> {
                toFile(file)
                span("one") { throw IllegalStateException("uncaught here") }
            }

            "exporter" -> {
                Polyspan.init {
                    service = "exit"
                    exporter =
                        object : SpanExporter {
                            override fun export(spans: List<FinishedSpan>): Boolean {
                                for (span in spans) println("exported ${span.name}")
                                return true
                            }
                        }
                }
                span("one") { }
            }

            "nothing" -> {
                span("early") { it.set("k", 1) }
                inject(HashMap<String, String>())
                val ours =
                    Thread
                        .getAllStackTraces()
                        .keys
                        .map { it.name }
                        .filter { it.startsWith("polyspan") }
                println("threads $ours")
            }
        }
    }
}
