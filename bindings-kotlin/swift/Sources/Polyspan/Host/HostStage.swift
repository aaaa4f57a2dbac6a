// The host stage: the thread that runs the application's processors, filters and exporters. The engine calls for it when it
// has something for them; before that there is none.

import Foundation
import PolyspanNative

/// Puts exporters, processors, the filter and the sampler among the options.
func addHostStage(_ options: Options, to native: NativeOptions) throws {
    for exporter in options.exporters ?? [] {
        switch exporter {
        case .memory(let exporter): native.memory(memory: exporter.native, signal: "")
        case .custom(let exporter):
            let given = GivenExporter(
                handler: HostStage.register(.exporter(exporter)), name: exporter.name, atOnce: !exporter.events.isEmpty,
                events: exporter.events)
            try native.exporter(given: given, signal: "")
        case .named, .described: break
        }
    }
    if !options.processors.isEmpty { try native.processors(chain: HostStage.register(.processors(options.processors))) }
    if let filter = options.spanFilter { try native.filter(filter: HostStage.register(.filter(filter))) }
    if let decide = options.decide { native.sampler(sampler: Deciding(decide)) }
}

enum HostStage {
    private final class Caller: HostCaller {
        func call() { HostStage.begin() }
    }

    private struct Registered {
        let handler: Handler
        /// What the engine compares: the number of the first handler of the same objects.
        let identity: Int32
    }

    private static let handlers = Locked<[Int32: Registered]>([:])
    /// How long the thread waits for a job before it looks around, in seconds.
    private static let wait = 0.5

    /// Opens the stage once.
    private static let opened: Void = hostOpen(caller: Caller())

    /// Has the thread run the jobs of a handler. One of the same objects as another that an engine still has is the same
    /// option, so that starting again with it gives the same engine.
    static func register(_ handler: Handler) -> NativeHandler {
        _ = opened
        let target = hostNumber()
        let identity = handlers.with { all in
            let identity = all.values.first { $0.handler.isSame(as: handler) }?.identity ?? target
            all[target] = Registered(handler: handler, identity: identity)
            return identity
        }
        return NativeHandler(target: target, identity: [identity])
    }

    private static func begin() {
        let thread = Thread { pull() }
        thread.name = "polyspan-host"
        thread.start()
    }

    private static func pull() {
        guard let worker = hostEnter() else { return }
        while !worker.hasLeft() {
            if let job = worker.next(seconds: wait) { run(job) }
            let forgotten = hostForgotten()
            // They go after the table is unlocked: with them go objects of the application.
            if !forgotten.isEmpty { _ = handlers.with { all in forgotten.map { all.removeValue(forKey: $0) } } }
        }
    }

    private static func run(_ job: NativeJob) {
        guard let handler = handlers.with({ $0[job.target()]?.handler }) else { return job.done() }
        // What the application records here would be exported by what it records.
        Slot.with(Span.muted, nil) {
            switch job.task() {
            case "process", "filter":
                let answer = handler.judge(TelemetryEvent.all(in: job.records()))
                if let refused = job.judge(verdicts: answer.verdicts, changes: answer.changes, failures: answer.failures) {
                    Log.sayOnce("host result", "processors: a span goes on as it was: \(refused)")
                }
            case "export":
                let delivery = handler.deliver { TelemetryEvent.all(in: job.records()) }
                job.delivered(
                    rejected: delivery.rejected, failed: delivery.failed, unknown: 0, failures: delivery.failures)
            case let task:
                handler.settle(task)
                job.done()
            }
        }
    }
}
