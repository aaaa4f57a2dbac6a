// Records the workload with one subject, in a process of its own, and prints what it cost as a line of JSON.
//
// `benches/run.py` calls it, with the peers in turn:
//
//     PolyspanBench polyspan|json|nothing bursts [--sink URL] [--export null|otlp] [--unsampled] [--traces N] [--burst N]
//         [--pause-us N] [--flush]

import Foundation

/// Traces before anything is measured, as apps run for long.
private let warmUp = 256
private let warmUps = 16

struct Setup {
    var sink = ""
    var export = "null"
    var isSampled = true
    var traces = 4000
    var burst = 16
    var pause: UInt32 = 5000
    /// Flushing after each burst instead of resting: nothing is dropped all the same, and the caches stay warm.
    var flushes = false

    init(_ words: [String]) {
        var at = 0
        func next() -> String {
            at += 1
            return at < words.count ? words[at] : ""
        }
        while at < words.count {
            switch words[at] {
            case "--sink": sink = next()
            case "--export": export = next()
            case "--unsampled": isSampled = false
            case "--traces": traces = Int(next()) ?? traces
            case "--burst": burst = Int(next()) ?? burst
            case "--flush": flushes = true
            case "--pause-us": pause = UInt32(next()) ?? pause
            default: fatalError("unknown word \(words[at])")
            }
            at += 1
        }
    }
}

/// What a library says of itself.
struct Account: Encodable {
    let ended, exported, left_out, dropped: Int64
}

protocol Subject {
    func trace(_ turn: Turn)
    func flush() throws
    func stop() throws -> Account
}

private struct Result: Encodable {
    let spans, spans_with_warm_up, warm_up_traces: Int
    let call_cpu_ns, call_wall_ns, process_cpu_ns: Double
    let account: Account
}

func clock_gettime_nanos(_ clock: clockid_t) -> UInt64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

/// Ends the process where another native library is loaded than the one at BENCH_LIBRARY: a debug build, say.
private func requireLibrary() {
    guard let wanted = ProcessInfo.processInfo.environment["BENCH_LIBRARY"],
        let maps = try? FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps")).readToEnd()
    else { return }
    let paths = String(decoding: maps, as: UTF8.self).split(separator: "\n").compactMap { $0.split(separator: " ").last }
    let loaded = Set(paths.filter { $0.contains("polyspan_uniffi") })
    guard loaded == [wanted[...]] else { fatalError("the library to be measured is \(wanted), loaded is \(loaded)") }
}

@main
struct Bench {
    static func main() throws {
        let words = Array(CommandLine.arguments.dropFirst())
        let setup = Setup(Array(words.dropFirst(2)))
        requireLibrary()
        let subject: any Subject =
            switch words.first {
            case "json": JsonSubject(setup)
            case "nothing": NothingSubject(setup)
            default: try PolyspanSubject(setup)
            }
        let result = try bursts(subject, setup, try turns())
        FileHandle.standardOutput.write(try JSONEncoder().encode(result) + Data("\n".utf8))
    }

    /// Bursts with a pause or a flush after each, so that nothing is dropped; the caller's time is read around each.
    private static func bursts(_ subject: any Subject, _ setup: Setup, _ turns: [Turn]) throws -> Result {
        var next = 0
        func record() {
            subject.trace(turns[next % turns.count])
            next += 1
        }
        for _ in 0..<warmUps {
            for _ in 0..<warmUp { record() }
            try subject.flush()
        }
        let before = clock_gettime_nanos(CLOCK_PROCESS_CPUTIME_ID)
        var (cpu, wall, done): (UInt64, UInt64, Int) = (0, 0, 0)
        while done < setup.traces {
            let (cpuStarted, wallStarted) = (clock_gettime_nanos(CLOCK_THREAD_CPUTIME_ID), clock_gettime_nanos(CLOCK_MONOTONIC))
            for _ in 0..<setup.burst { record() }
            cpu += clock_gettime_nanos(CLOCK_THREAD_CPUTIME_ID) - cpuStarted
            wall += clock_gettime_nanos(CLOCK_MONOTONIC) - wallStarted
            done += setup.burst
            if setup.flushes { try subject.flush() } else { usleep(setup.pause) }
        }
        try subject.flush()
        let whole = clock_gettime_nanos(CLOCK_PROCESS_CPUTIME_ID) - before
        let account = try subject.stop()
        let spans = done * spansPerTrace
        return Result(
            spans: spans, spans_with_warm_up: spans + warmUps * warmUp * spansPerTrace, warm_up_traces: warmUps * warmUp,
            call_cpu_ns: Double(cpu) / Double(spans), call_wall_ns: Double(wall) / Double(spans),
            process_cpu_ns: Double(whole) / Double(spans), account: account)
    }
}
