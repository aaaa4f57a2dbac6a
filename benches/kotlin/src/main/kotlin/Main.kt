// Records the workload with one library, in a process of its own, and prints what it cost as a line of JSON.
//
// `benches/run.py` calls it, with the peers in turn:
//
//     MainKt SUBJECT bursts|process|first [--otlp URL] [--gzip] [--unsampled] [--traces N] [--warm N] [--burst N]
//            [--pause-us N] [--callers N]

import com.sun.management.OperatingSystemMXBean
import java.lang.management.ManagementFactory
import java.lang.management.ThreadMXBean
import java.util.concurrent.CyclicBarrier
import kotlin.concurrent.thread

/** How a subject is set up. */
class Setup(
    /** Where traces go; `null` for an exporter that drops them. */
    val otlp: String?,
    val gzip: Boolean,
    val sampled: Boolean,
)

/** What became of the spans by the library's own account. */
class Account(
    val ended: Long?,
    val exported: Long,
    val leftOut: Long,
    val dropped: Long,
)

/** One library. */
interface Subject {
    fun trace(turn: Turn)

    /** One span with six attributes. */
    fun one(facts: Facts)

    fun flush()

    fun stop(): Account
}

/** What the command line says. Plain loops: what Kotlin's library would load for this is no part of a first span. */
private class Drive(
    words: Array<String>,
) {
    private val options = HashMap<String, String>()

    init {
        var at = 2
        while (at < words.size) {
            val name = words[at++].substring(2)
            val isSwitch = name == "gzip" || name == "unsampled"
            options.put(name, if (isSwitch) "" else words[at++])
        }
    }

    val setup = Setup(options.get("otlp"), options.containsKey("gzip"), !options.containsKey("unsampled"))
    val traces = number("traces", 20_000)

    /** Traces before anything is measured: with fewer than 200,000 the compiler is still at work. */
    val warm = number("warm", 200_000)
    val burst = number("burst", 16)
    val pauseMillis = number("pause-us", 5_000) / 1_000L
    val callers = number("callers", 1)

    private fun number(
        name: String,
        default: Int,
    ): Int {
        val given = options.get(name) ?: return default
        return Integer.parseInt(given)
    }
}

/** Traces of the warm-up after which the libraries get a rest at the latest: what the reference's queue holds. */
private const val RESTS = 256

private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean
private val system = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean

private fun subject(
    name: String,
    setup: Setup,
): Subject =
    when (name) {
        "polyspan" -> PolyspanSubject(setup)
        "opentelemetry" -> OpenTelemetrySubject(setup)
        "none" -> NoneSubject()
        else -> error("there is no subject $name")
    }

/** What `work` costs this thread, without what asking costs. */
private inline fun cost(work: () -> Unit): Long {
    threads.currentThreadCpuTime
    val first = threads.currentThreadCpuTime
    val started = threads.currentThreadCpuTime
    work()
    return threads.currentThreadCpuTime - started - (started - first)
}

/** Some traces without rest. A function of its own, so that it is compiled after the warm-up as the library is: what is
 * interpreted here would be measured with it. */
private fun burst(
    subject: Subject,
    turns: Array<Turn>,
    from: Int,
    count: Int,
) {
    for (at in from until from + count) subject.trace(turns[at % turns.size])
}

/** Records traces in bursts with a pause after each, so that nothing is dropped, or with a flush that is not measured where
 * the pause is none: then the caches stay warm. The caller's time per span. */
private fun caller(
    subject: Subject,
    turns: Array<Turn>,
    traces: Int,
    drive: Drive,
): Double {
    var cpu = 0L
    var done = 0
    while (done < traces) {
        cpu += cost { burst(subject, turns, done, drive.burst) }
        done += drive.burst
        if (drive.pauseMillis > 0) Thread.sleep(drive.pauseMillis) else subject.flush()
    }
    return cpu.toDouble() / done / SPANS_PER_TRACE
}

/** Has this thread record until everything is compiled. */
private fun warmUp(
    subject: Subject,
    turns: Array<Turn>,
    drive: Drive,
) {
    var since = 0
    for (at in 0 until drive.warm step drive.burst) {
        burst(subject, turns, at, drive.burst)
        since += drive.burst
        // Without rest the engine would leave roots unsampled, the reference drop spans, and the path that is measured
        // would stay cold.
        if (since + drive.burst > RESTS) {
            subject.flush()
            since = 0
        }
    }
    subject.flush()
}

/** The calling thread's time, once everything is compiled. Each thread that is measured has warmed up itself, one after the
 * other: the compiler leaves out what it has not seen, such as a thread's first span, and where a new thread brings it, the
 * code around it is thrown away and interpreted until it is compiled again. */
private fun bursts(
    name: String,
    drive: Drive,
): String {
    val turns = turns()
    val subject = subject(name, drive.setup)
    val figures = DoubleArray(drive.callers)
    val warm = CyclicBarrier(drive.callers)
    val callers =
        List(drive.callers) { at ->
            thread {
                synchronized(subject) { warmUp(subject, turns, drive) }
                warm.await()
                figures[at] = caller(subject, turns, drive.traces, drive)
            }
        }
    callers.forEach(Thread::join)
    subject.flush()
    val account = subject.stop()
    val spans = drive.callers.toLong() * drive.traces * SPANS_PER_TRACE
    val before = (drive.warm + drive.burst - 1) / drive.burst * drive.burst
    val recorded = spans + drive.callers.toLong() * before * SPANS_PER_TRACE
    val lost = recorded - account.exported
    return """{"spans": $spans, "call_cpu_ns": ${figures.average()}, "lost": $lost, ${told(account)}}"""
}

/** All that the process costs from its start to the end of the export. */
private fun process(
    name: String,
    drive: Drive,
): String {
    val turns = turns()
    val subject = subject(name, drive.setup)
    caller(subject, turns, drive.traces, drive)
    subject.flush()
    val cpu = system.processCpuTime
    val account = subject.stop()
    val spans = drive.traces.toLong() * SPANS_PER_TRACE
    return """{"spans": $spans, "spans_with_warm_up": $spans, "process_cpu_ns": ${cpu.toDouble() / spans}, ${told(account)}}"""
}

/** From `main` to the end of the first span. */
private fun first(
    name: String,
    drive: Drive,
    started: Long,
): String {
    val subject = subject(name, drive.setup)
    subject.one(FIRST)
    return """{"spans": 1, "first_ms": ${(System.nanoTime() - started) / 1e6}}"""
}

private fun told(account: Account): String =
    """"account": {"ended": ${account.ended}, "exported": ${account.exported}, "left_out": ${account.leftOut}, """ +
        """"dropped": ${account.dropped}}"""

fun main(words: Array<String>) {
    val started = System.nanoTime()
    val drive = Drive(words)
    val result =
        when (words[1]) {
            "bursts" -> bursts(words[0], drive)
            "process" -> process(words[0], drive)
            "first" -> first(words[0], drive, started)
            else -> error("there is no drive ${words[1]}")
        }
    println(result)
    // Not through the hooks of the libraries: what they would still send is not measured.
    System.out.flush()
    Runtime.getRuntime().halt(0)
}
