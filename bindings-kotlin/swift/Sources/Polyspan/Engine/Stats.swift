// What an engine has counted.

import Foundation

/// Of one exporter: `accepted = pending + exported + onDisk + dropped`.
public struct ExporterStats: Sendable, Equatable {
    public let accepted: Int64
    public let pending: Int64
    public let exported: Int64
    public let onDisk: Int64
    public let dropped: [String: Int64]
}

/// `ended = pending + unsampled + internal + excluded + filtered + dropped before export + accepted`, and for each exporter
/// `accepted = pending + exported + onDisk + dropped`, at every moment.
public struct Stats: Sendable {
    /// Everything, under the names of every language.
    public let all: Attributes
    private let refusals: Int64
    private let open: Int64

    init() {
        all = Attributes()
        refusals = Log.refusals
        open = 0
    }

    init(_ recorder: Recorder) {
        recorder.submit()
        all = ValueReader.read(recorder.engine.stats())?.map ?? Attributes()
        refusals = Log.refusals
        open = recorder.openCount
    }

    private func number(_ name: String) -> Int64 { all[name]?.int ?? 0 }

    /// Spans that were started, recording or not.
    public var started: Int64 { number("started") + open }
    /// Spans whose end was called, recording or not.
    public var ended: Int64 { number("ended") }
    /// Spans that have ended and are neither delivered nor lost.
    public var pending: Int64 { number("pending") }
    public var unsampled: Int64 { number("unsampled") }
    public var `internal`: Int64 { number("internal") }
    public var excluded: Int64 { number("excluded") }
    /// Those among `unsampled` whose root was left unsampled under memory pressure.
    public var shed: Int64 { number("shed") }
    /// Those among `unsampled` that did not record because too many spans were open.
    public var openLimit: Int64 { number("openLimit") }
    /// Spans that processors or the span filter left out.
    public var filtered: Int64 { number("filtered") }
    /// Calls of the application's code in the host stage that threw.
    public var hostErrors: Int64 { number("hostErrors") }
    public var accepted: Int64 { number("accepted") }
    /// Spans delivered by every exporter.
    public var exported: Int64 { number("exported") }
    public var onDisk: Int64 { number("onDisk") }
    /// Spans lost, by reason, in the engine and in every exporter.
    public var dropped: [String: Int64] { counts(all["dropped"]) }
    public var endedTwice: Int64 { number("endedTwice") }
    /// Values that were recorded otherwise than they were given, or left out.
    public var altered: Int64 { number("altered") + refusals }
    public var limited: Int64 { number("limited") }
    public var redacted: Int64 { number("redacted") }
    public var panics: Int64 { number("panics") }
    /// Whether both equations hold.
    public var addsUp: Bool { all["addsUp"]?.bool ?? true }

    public var exporters: [String: ExporterStats] {
        var found: [String: ExporterStats] = [:]
        for entry in all["exporters"]?.map ?? [:] {
            func number(_ name: String) -> Int64 { entry.value[name]?.int ?? 0 }
            found[entry.key] = ExporterStats(
                accepted: number("accepted"), pending: number("pending"), exported: number("exported"),
                onDisk: number("onDisk"), dropped: counts(entry.value["dropped"]))
        }
        return found
    }

    private func counts(_ told: Value?) -> [String: Int64] {
        (told?.map?.dictionary ?? [:]).compactMapValues(\.int)
    }
}

extension Stats: CustomStringConvertible {
    public var description: String {
        "Stats(ended: \(ended), exported: \(exported), onDisk: \(onDisk), dropped: \(dropped))"
    }
}
