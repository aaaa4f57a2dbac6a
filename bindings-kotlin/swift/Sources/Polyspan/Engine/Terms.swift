// What an engine has said once about all spans of a recorder, and what the recorder counts.

import Foundation

/// What holds for all spans of an engine.
struct Terms: Sendable {
    enum LocalParent: String, Sendable {
        case inherit, sample, drop, ask
    }

    let slot: UInt16
    let bounds: Bounds
    let spanBytes: Int
    /// `bounds.valueBytes` and `spanBytes` as each span keeps them.
    let textLimit: UInt32
    let spanLimit: UInt32
    let io: Bool
    let drawsRoots: Bool
    let localParent: LocalParent
    /// Whether local children are as their parent, and none of them is hidden.
    let inheritsPlainly: Bool
    let readsContent: Bool
    let hidesNothing: Bool
    let openSpans: Int64
    let exitTimeout: Double
    /// Whether an exporter follows spans while they are open: from their start, and at every change.
    let showsStarts: Bool
    let showsUpdates: Bool
    /// Whether metrics count spans that are not sampled.
    let countsUnsampled: Bool

    init(_ told: Value) {
        func number(_ name: String) -> Int { Int(told[name]?.int ?? 0) }
        func truth(_ name: String) -> Bool { told[name]?.bool ?? false }
        slot = UInt16(truncatingIfNeeded: number("slot"))
        bounds = Bounds(
            valueBytes: number("valueBytes"), depth: number("depth"), arrayItems: number("arrayItems"),
            objectKeys: number("objectKeys"))
        spanBytes = number("spanBytes")
        textLimit = UInt32(clamping: bounds.valueBytes)
        spanLimit = UInt32(clamping: spanBytes)
        io = truth("io")
        drawsRoots = truth("drawsRoots")
        localParent = LocalParent(rawValue: told["localParent"]?.text ?? "") ?? .ask
        readsContent = truth("readsContent")
        hidesNothing = truth("hidesNothing")
        inheritsPlainly = hidesNothing && localParent == .inherit
        openSpans = Int64(number("openSpans"))
        exitTimeout = told["exitTimeout"]?.double ?? 1
        showsStarts = truth("showsStarts")
        showsUpdates = truth("showsUpdates")
        countsUnsampled = truth("countsUnsampled")
    }
}

/// Places of the counts that cross with a frame.
enum Count: Int {
    /// Spans that were started and do not record.
    case notRecording
    /// Those among them that ended.
    case unsampled
    /// Those among them whose recording was refused since too many are open.
    case openLimit
    case endedTwice
    /// Values that were recorded otherwise than they were given, or left out.
    case altered
    /// Values that limits cut at capture.
    case limited

    static let all = 6
}
