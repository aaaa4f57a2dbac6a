// Where spans go when they end, for one engine: frames that many threads fill, handed in when one is full, a moment after
// its first span, and whenever somebody flushes; and what the engine has decided ahead.
//
// Threads are spread over a few shards, so that they seldom meet. Nothing foreign is called while a shard is locked, and the
// application's logger only where nothing is locked at all: it may record spans itself.

import Dispatch
import Foundation
import PolyspanNative
import PolyspanShims

/// Threads are spread over so many frames.
private let shardCount = 8
/// Locks in a cache line.
private let lineOfLocks = 16
/// Roots drawn at once.
private let blockOfRoots: Int32 = 128
/// Spans of one frame at most.
private let frameSpans: UInt32 = 512
/// Bytes of one frame, after which it is handed in: with the last span and the engine's own header it should still fit into
/// a segment of 64 KiB, which are pooled.
private let frameBytes: UInt32 = 56 * 1024
/// A frame that one huge span has made larger is given back.
private let keptBytes: UInt32 = 512 * 1024
/// How long the first span of a frame waits for others.
private let delay = DispatchTimeInterval.milliseconds(50)

/// What `submit` answers: bits.
private enum Submitted {
    static let pressed: UInt32 = 2
    static let stopped: UInt32 = 4
    static let says: UInt32 = 8
}

/// What came of handing in.
private struct Handed: OptionSet {
    let rawValue: UInt8
    /// There were spans, or counts.
    static let something = Handed(rawValue: 1)
    /// The engine has something to say.
    static let says = Handed(rawValue: 2)
}

/// What spans inside a context begin with.
final class Beginning: Sendable {
    /// Fields of the frame.
    let fields: Data
    /// Tag fields, for the first span of a trace.
    let tags: Data
    /// Flag bits of the head.
    let flags: UInt16
    /// Whether the engine wants to be asked about such spans.
    let asks: Bool

    init(_ told: Inherited) {
        fields = told.fields
        tags = told.tags
        flags = UInt16(truncatingIfNeeded: told.flags)
        asks = told.asks
    }
}

private struct Shard {
    var frame = Buffer.empty()
    var spans: UInt32 = 0
    /// The frame to go on with while another one is handed in.
    var spare = Buffer.empty()
    /// What is left of the roots decided ahead.
    var roots = Buffer.empty()
    var nextRoot: UInt32 = 0
    /// Shards in cache lines of their own.
    private var padding: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
}

/// A new trace, and whether its spans record.
struct Root {
    let trace: Trace
    let records: Bool
}

final class Recorder: @unchecked Sendable {
    let engine: NativeEngine
    let terms: Terms
    let name: String
    private let none: Beginning
    private let sessionsGiven = Locked<Sessions?>(nil)
    /// Whether the app has said that its exporters wait for another network.
    let isHeld = Locked(false)
    private let shards: UnsafeMutablePointer<Shard>
    /// Their locks, in cache lines of their own: one in a shard would be accessed with it by whoever holds it, at the moment
    /// that another thread tries to take it, and the thread sanitizer of an app would say so.
    private let locks: UnsafeMutablePointer<polyspan_lock>
    /// One frame of a shard after the other: whoever flushes waits for one that is being handed in.
    private let handing = (0..<shardCount).map { _ in NSLock() }
    private let counts: UnsafeMutablePointer<Int64>
    /// Spans that record and have not ended, or have and stand in a frame; whether the engine was shut down, is short of
    /// memory, and whether the timer runs.
    private let open: UnsafeMutablePointer<Int64>
    private var stoppedFlag: UnsafeMutablePointer<Int64> { open + 1 }
    private var pressedFlag: UnsafeMutablePointer<Int64> { open + 2 }
    private var armedFlag: UnsafeMutablePointer<Int64> { open + 3 }
    /// Spans for which another one stands that is not sampled: started, and as good as ended.
    private var followers: UnsafeMutablePointer<Int64> { open + 5 }

    init(_ engine: NativeEngine) {
        self.engine = engine
        name = engine.name()
        StaticKeys.made
        terms = Terms((try? engine.terms()).flatMap(ValueReader.read) ?? .null)
        none = Beginning(engine.inherited(around: nil))
        beginsPlainly = none.flags == 0 && none.fields.isEmpty && none.tags.isEmpty && !none.asks
        shards = .allocate(capacity: shardCount)
        shards.initialize(repeating: Shard(), count: shardCount)
        locks = .allocate(capacity: shardCount * lineOfLocks)
        locks.initialize(repeating: polyspan_lock(), count: shardCount * lineOfLocks)
        counts = .allocate(capacity: Count.all)
        counts.initialize(repeating: 0, count: Count.all)
        open = .allocate(capacity: 6)
        open.initialize(repeating: 0, count: 6)
        Clock.reAnchor()
        // It waits for the system.
        DispatchQueue.global(qos: .utility).async { polyspan_owners_begin() }
    }

    deinit {
        submit()
        for at in 0..<shardCount {
            polyspan_buffer_free(&shards[at].frame)
            polyspan_buffer_free(&shards[at].spare)
            polyspan_buffer_free(&shards[at].roots)
        }
        shards.deallocate()
        locks.deallocate()
        counts.deallocate()
        open.deallocate()
    }

    var isStopped: Bool { polyspan_load(stoppedFlag) != 0 }
    var isPressed: Bool { polyspan_load(pressedFlag) != 0 }
    /// Whether the timer runs.
    var handsInByItself: Bool { polyspan_load(armedFlag) != 0 }
    /// Spans that record and have not ended. With all the locks: one is not to leave a frame while they are added up.
    var openCount: Int64 {
        for at in 0..<shardCount { polyspan_lock_take(lock(of: shards + at)) }
        defer { for at in 0..<shardCount { polyspan_lock_give(lock(of: shards + at)) } }
        return (0..<shardCount).reduce(polyspan_load(open)) { $0 - Int64(shards[$1].spans) }
    }

    /// Gives traces the id of their session, where the application wants that.
    var sessions: Sessions? { polyspan_load(open + 4) == 0 ? nil : sessionsGiven.with { $0 } }

    /// Sessions from now on. Those that it has go on where these say the same: starting an engine again ends no session.
    func take(_ sessions: Sessions) throws {
        let known = sessionsGiven.with { given -> Sessions in
            if let known = given { return known }
            given = sessions
            return sessions
        }
        _ = polyspan_swap(open + 4, 1)
        if known.inactivity == sessions.inactivity, known.maxAge == sessions.maxAge { return }
        throw PolyspanError(
            code: "already_initialized",
            message: "sessions: the engine \"\(name)\" runs with those of \(known.inactivity) and \(known.maxAge) seconds; "
                + "start it with the same, or with `replace`")
    }

    func stop() { _ = polyspan_swap(stoppedFlag, 1) }

    @inline(__always)
    private func shard() -> UnsafeMutablePointer<Shard> {
        shards + Int(polyspan_thread_number()) % shardCount
    }

    @inline(__always)
    private func lock(of shard: UnsafeMutablePointer<Shard>) -> UnsafeMutablePointer<polyspan_lock> {
        locks + (shard - shards) * lineOfLocks
    }

    // --- Counts -----------------------------------------------------------------------------------------------

    @inline(__always)
    func count(_ place: Count, _ by: Int64 = 1) {
        _ = polyspan_add(counts + place.rawValue, by)
        arm()
    }

    @inline(__always)
    func countFollower() {
        _ = polyspan_add(followers, 1)
        arm()
    }

    func add(_ cuts: Cuts) {
        if cuts.altered > 0 { count(.altered, cuts.altered) }
        if cuts.limited > 0 { count(.limited, cuts.limited) }
    }

    /// Counts one more open span; false where too many are.
    @inline(__always)
    func opens() -> Bool { polyspan_add(open, 1) < terms.openSpans || stillOpens() }

    /// Whether those that stand in a frame make the difference. They are counted off when the frame is handed in: an atomic
    /// operation for each would wait until what was copied into the frame is written.
    @inline(never)
    private func stillOpens() -> Bool {
        if openCount <= terms.openSpans { return true }
        closed()
        return false
    }

    /// The same for one that records whatever there is.
    func opened() { _ = polyspan_add(open, 1) }

    /// Counts one less that has not ended.
    @inline(__always)
    func closed() { _ = polyspan_add(open, -1) }

    // --- Roots and what is inherited ----------------------------------------------------------------------------

    /// The trace of a new root as the engine decided ahead; nil where it has to be asked.
    func nextRoot() -> Root? {
        guard terms.drawsRoots, !isPressed else { return nil }
        let shard = shard()
        polyspan_lock_take(lock(of: shard))
        if shard.pointee.nextRoot >= shard.pointee.roots.at {
            polyspan_lock_give(lock(of: shard))
            let drawn = engine.drawRoots(n: blockOfRoots)
            guard !drawn.isEmpty else { return nil }
            polyspan_lock_take(lock(of: shard))
            // Another thread may have been here: what it has left is as good as what came.
            if shard.pointee.nextRoot >= shard.pointee.roots.at {
                shard.pointee.roots.at = 0
                shard.pointee.nextRoot = 0
                shard.pointee.roots.raw(drawn)
            }
        }
        let roots = shard.pointee.roots
        let at = Int(shard.pointee.nextRoot)
        guard Int(roots.at) >= at + 18 else {
            polyspan_lock_give(lock(of: shard))
            return nil
        }
        let high = UInt64(bigEndian: UnsafeRawPointer(roots.bytes + at).loadUnaligned(as: UInt64.self))
        let low = UInt64(bigEndian: UnsafeRawPointer(roots.bytes + at + 8).loadUnaligned(as: UInt64.self))
        let decision = roots.bytes[at + 16]
        let length = Int(roots.bytes[at + 17])
        let state =
            length == 0
            ? "" : String(decoding: UnsafeRawBufferPointer(start: roots.bytes + at + 18, count: length), as: UTF8.self)
        shard.pointee.nextRoot = UInt32(at + 18 + length)
        polyspan_lock_give(lock(of: shard))
        let records = decision != 0
        // Sampled, and random as our ids are.
        let flags: UInt8 = decision == 2 ? 3 : 2
        return Root(trace: Trace(high: high, low: low, flags: flags, state: state, records: records), records: records)
    }

    /// Whether spans outside of any context begin with nothing, and may.
    let beginsPlainly: Bool

    /// What spans inside begin with.
    @inline(__always)
    func inherited(_ around: Surroundings?) -> Beginning {
        guard let around else { return none }
        return around.beginning(for: self)
    }

    // --- Frames -------------------------------------------------------------------------------------------------

    /// Takes in the body of a span, which is locked, as an event of that kind. Returns what `append` does.
    @inline(__always)
    func take(_ span: UnsafeMutablePointer<polyspan_span>, kind: UInt8) -> Int? {
        let isEnded = kind == EventKind.ended
        let hasDropped =
            span.pointee.dropped_attributes | span.pointee.dropped_events | span.pointee.dropped_links != 0
        let length = Int(span.pointee.body.at) + (hasDropped ? 13 : 0)
        return append(kind: kind, length: length, spans: isEnded ? 1 : 0) { frame in
            // There is room.
            polyspan_buffer_add(&frame, &span.pointee.body)
            if hasDropped {
                frame.put(Field.dropped)
                frame.put(span.pointee.dropped_attributes)
                frame.put(span.pointee.dropped_events)
                frame.put(span.pointee.dropped_links)
            }
        }
    }

    /// Appends an event whose body has `length` bytes, which `write` writes. Returns the frame that is full by that: it is to
    /// be handed in (`submit(full:)`) once the caller holds no lock any more.
    @inline(__always)
    func append(kind: UInt8, length: Int, spans: UInt32, _ write: (inout Buffer) -> Void) -> Int? {
        let shard = shard()
        polyspan_lock_take(lock(of: shard))
        let start = shard.pointee.frame.at
        if shard.pointee.frame.reserve(length + 8) {
            let head = UInt64(UInt32(length)) | UInt64(kind) << 32 | 1 << 40 | UInt64(terms.slot) << 48
            shard.pointee.frame.end.storeBytes(of: head.littleEndian, as: UInt64.self)
            shard.pointee.frame.at += 8
            write(&shard.pointee.frame)
            if Int(shard.pointee.frame.at) != Int(start) + 8 + length { shard.pointee.frame.at = start }
        }
        // One that memory had no room for is announced all the same: the engine then counts it as lost.
        shard.pointee.spans += spans
        let isFull = shard.pointee.frame.at >= frameBytes || shard.pointee.spans >= frameSpans
        polyspan_lock_give(lock(of: shard))
        if isFull { return shard - shards }
        arm()
        return nil
    }

    @inline(__always)
    private func arm() {
        if polyspan_load(armedFlag) == 0, polyspan_swap(armedFlag, 1) == 0 { armed() }
    }

    /// Seldom, and a lot of code: not in the middle of what runs for every span.
    @inline(never)
    private func armed() {
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + delay) { [weak self] in
            guard let self else { return }
            _ = polyspan_swap(armedFlag, 0)
            Clock.reAnchor()
            // While spans come it goes on by itself: to arm it is to wake another thread, for which the one that records would
            // pay every time.
            if submit(), polyspan_swap(armedFlag, 1) == 0 { armed() }
        }
    }

    /// Hands in what all frames hold, and the counts, and says the lines that wait. Called without any lock. Whether there
    /// was anything.
    @discardableResult
    func submit() -> Bool {
        var found = Handed()
        for at in 0..<shardCount { found.formUnion(handOver(at, evenEmpty: at == 0)) }
        if found.contains(.says) { Log.sayWaiting() }
        return found.contains(.something)
    }

    /// The same for the one frame that `append` found full.
    @inline(never)
    func submit(full at: Int) {
        if handOver(at).contains(.says) { Log.sayWaiting() }
    }

    private func handOver(_ at: Int, evenEmpty: Bool = false) -> Handed {
        let shard = shards + at
        handing[at].lock()
        defer { handing[at].unlock() }
        polyspan_lock_take(lock(of: shard))
        var frame = shard.pointee.frame
        let spans = shard.pointee.spans
        shard.pointee.frame = shard.pointee.spare
        shard.pointee.frame.at = 0
        shard.pointee.spare = .empty()
        shard.pointee.spans = 0
        _ = polyspan_add(open, -Int64(spans))
        polyspan_lock_give(lock(of: shard))
        let handed = frame.at > 0 || spans > 0 || evenEmpty ? handIn(frame, spans) : []
        frame.at = 0
        polyspan_lock_take(lock(of: shard))
        if frame.capacity <= keptBytes, shard.pointee.spare.bytes == nil {
            shard.pointee.spare = frame
            frame = .empty()
        }
        polyspan_lock_give(lock(of: shard))
        polyspan_buffer_free(&frame)
        return handed
    }

    private func handIn(_ frame: Buffer, _ spans: UInt32) -> Handed {
        var handed: Handed = frame.at > 0 || spans > 0 ? .something : []
        let following = polyspan_swap(followers, 0)
        var taken = Data(capacity: Count.all * 8)
        for place in 0..<Count.all {
            let isOfFollowers = place == Count.notRecording.rawValue || place == Count.unsampled.rawValue
            let count = polyspan_swap(counts + place, 0) + (isOfFollowers ? following : 0)
            if count != 0 { handed.insert(.something) }
            withUnsafeBytes(of: count.littleEndian) { taken.append(contentsOf: $0) }
        }
        let bytes =
            frame.at == 0 ? Data() : Data(bytesNoCopy: frame.bytes, count: Int(frame.at), deallocator: .none)
        let answer = UInt32(bitPattern: engine.submit(frame: bytes, spans: Int32(clamping: spans), counts: taken))
        _ = polyspan_swap(pressedFlag, answer & Submitted.pressed == 0 ? 0 : 1)
        if answer & Submitted.stopped != 0 { stop() }
        if answer & Submitted.says != 0 { handed.insert(.says) }
        return handed
    }
}

/// Kinds of events.
enum EventKind {
    static let updated: UInt8 = 2
    static let ended: UInt8 = 3
    static let unsampled: UInt8 = 5
}
