// The engines that this process runs through Swift, each with its recorder.

import Foundation
import PolyspanNative
import PolyspanShims

enum Registry {
    /// The default one: read by every span that begins a trace. Each in a place of its own, since an access of several by one
    /// thread would be a race with that of another.
    private nonisolated(unsafe) static let chosen = place(Unmanaged<Recorder>?.none)
    private nonisolated(unsafe) static let lock = place(polyspan_lock())
    /// Whether the application is asked which engine a root belongs to.
    private nonisolated(unsafe) static let selecting = place(Int64(0))

    /// Memory that stays.
    private static func place<Content>(_ content: Content) -> UnsafeMutablePointer<Content> {
        let place = UnsafeMutablePointer<Content>.allocate(capacity: 1)
        place.initialize(to: content)
        return place
    }

    private static let byName = Locked<[(name: String, recorder: Recorder)]>([])

    /// The recorder of the default engine; nil where none runs.
    static var recorder: Recorder? {
        polyspan_lock_take(lock)
        defer { polyspan_lock_give(lock) }
        return chosen.pointee?.takeUnretainedValue()
    }

    static var selects: Bool { polyspan_load(selecting) != 0 }

    static func setSelects(_ selects: Bool) { _ = polyspan_swap(selecting, selects ? 1 : 0) }

    private static func choose(_ recorder: Recorder?) {
        let next = recorder.map { Unmanaged.passRetained($0) }
        polyspan_lock_take(lock)
        let before = chosen.pointee
        chosen.pointee = next
        polyspan_lock_give(lock)
        before?.release()
    }

    /// Takes in the recorder of an engine that was just started, and answers the one it has from now on: where the engine was
    /// found again, by starting with equal options, that is the first one, whoever else starts it at this moment.
    static func add(_ fresh: Recorder) -> Recorder {
        let (own, replaced) = byName.with { list -> (Recorder, Recorder?) in
            let place = list.firstIndex { $0.name == fresh.name }
            if let place, !list[place].recorder.isStopped, list[place].recorder.terms.slot == fresh.terms.slot {
                return (list[place].recorder, nil)
            }
            let before = place.map { list.remove(at: $0).recorder }
            list.append((fresh.name, fresh))
            return (fresh, before)
        }
        replaced?.stop()
        findDefault()
        return own
    }

    static func remove(_ recorder: Recorder) {
        recorder.stop()
        byName.with { list in list.removeAll { $0.recorder === recorder } }
        findDefault()
    }

    /// Looks for the default engine anew.
    static func findDefault() {
        let name = findEngine(name: nil)?.name()
        choose(name.flatMap(recorder(named:)))
    }

    static func recorder(named name: String) -> Recorder? {
        byName.with { list in list.first { $0.name == name }?.recorder }
    }

    static func recorder(slot number: UInt16) -> Recorder? {
        byName.with { list in list.first { $0.recorder.terms.slot == number }?.recorder }
    }

    static var recorders: [Recorder] { byName.with { $0.map(\.recorder) } }
}
