// What several threads share, where nothing is in a hurry; the span path has locks of its own (PolyspanShims).

import Foundation

/// A value that several threads read and change, one at a time.
final class Locked<Content>: @unchecked Sendable {
    private let lock = NSLock()
    private var content: Content

    init(_ content: Content) {
        self.content = content
    }

    func with<R>(_ body: (inout Content) throws -> R) rethrows -> R {
        lock.lock()
        defer { lock.unlock() }
        return try body(&content)
    }
}
