// The application's logger: what comes there, and what it may do. The engine says most lines once in the life of a
// process, so each program is a process of its own.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

class LoggerTest {
    @TempDir
    lateinit var folder: Path

    /** Runs `LoggerProgram`; what it has written. */
    private fun run(what: String): List<String> {
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val library = System.getProperty("polyspan.library")?.let { listOf("-Dpolyspan.library=$it") } ?: emptyList()
        val path = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val command = listOf(java, "-XX:+UseSerialGC", "-Xmx128m") + library + listOf("-cp", path, "dev.polyspan.LoggerProgram", what)
        val output = folder.resolve("$what.log")
        val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start()
        try {
            assertTrue(process.waitFor(90, TimeUnit.SECONDS), "$what does not end: ${Files.readString(output)}")
        } finally {
            process.destroyForcibly()
        }
        assertEquals(0, process.exitValue(), Files.readString(output))
        return Files.readAllLines(output)
    }

    @Test
    fun `a line about an option goes to the logger`() {
        val lines = run("option")
        assertEquals(1, lines.count { it.startsWith("logged: ") && "`logger` is deprecated" in it }, "$lines")
        assertTrue(lines.all { it.startsWith("logged: ") }, "$lines")
    }

    @Test
    fun `a logger may record spans, flush, and touch the span that ends`() {
        val lines = run("records")
        assertEquals("all arrived", lines.last(), "$lines")
    }
}

/** The programs. */
internal object LoggerProgram {
    @JvmStatic
    fun main(arguments: Array<String>) {
        when (arguments[0]) {
            "option" -> {
                Polyspan.setLogger { println("logged: $it") }
                Polyspan.init {
                    service = "logger"
                    exporter = "none"
                    set("logger", true)
                }
            }

            "records" -> {
                records()
            }
        }
    }

    private fun records() {
        val depth = ThreadLocal.withInitial { 0 }
        val refused = CountDownLatch(1)
        Polyspan.setLogger { line ->
            depth.set(depth.get() + 1)
            // One that is told of its own doing would go on for ever.
            check(depth.get() < 8) { line }
            Polyspan.currentSpan().set("line", line).event("logged")
            span("logged") { it.set("line", line).set("", "a key that cannot be used").event("e") }
            if ("127.0.0.1" in line) refused.countDown()
            depth.set(depth.get() - 1)
        }
        val memory = MemoryExporter()
        val nobody = mapOf("type" to "otlp", "endpoint" to "http://127.0.0.1:1")
        Polyspan.init {
            service = "logger"
            exporters = listOf(memory, nobody)
            // A line while no engine runs yet.
            set("logger", true)
            set("exitTimeout", 0.1)
        }
        // Lines of a span that is open, of this thread.
        span("work") { it.set("", 1) }
        // One of the export thread, shown by whoever hands in next: an end, a flush, or the timer.
        while (!refused.await(10, TimeUnit.MILLISECONDS)) {
            span("again") { }
            // What nobody takes is kept for the next try.
            runCatching { Polyspan.flush(0.05) }
        }
        val names = HashSet<String?>()
        while (!names.containsAll(listOf("work", "again", "logged"))) {
            runCatching { Polyspan.flush(0.05) }
            memory.take().mapTo(names) { it.name }
        }
        println("all arrived")
    }
}
