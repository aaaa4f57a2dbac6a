// Ids: random, kept as 64-bit words, and shown as hex.

import Foundation
import PolyspanShims

/// Random bits from the generator of this thread, which is seeded from the system once.
@inline(__always)
func randomWord() -> UInt64 {
    let random = polyspan_thread_random()!
    if random.pointee.state.0 | random.pointee.state.1 | random.pointee.state.2 | random.pointee.state.3 == 0 { seed(random) }
    return polyspan_random_next(random)
}

private func seed(_ random: UnsafeMutablePointer<polyspan_random>) {
    var system = SystemRandomNumberGenerator()
    // The all-zero state is the one fixed point of the generator.
    random.pointee.state = (system.next(), system.next(), system.next(), system.next() | 1)
}

/// A span id, which is not zero.
@inline(__always)
func randomSpanId() -> UInt64 {
    let word = randomWord()
    return word == 0 ? 1 : word
}

/// 16 lower-case hex digits.
func hexDigits(_ word: UInt64) -> String {
    let text = String(word, radix: 16)
    return String(repeating: "0", count: 16 - text.utf8.count) + text
}

/// The words of an id given as 1 to `digits` hex digits, left-padded; nil if it is none.
func idWords(_ text: String, digits: Int) -> (UInt64, UInt64)? {
    let given = Array(text.utf8)
    guard !given.isEmpty, given.count <= digits else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for digit in given {
        let value: UInt8
        switch digit {
        case 0x30...0x39: value = digit - 0x30
        case 0x61...0x66: value = digit - 0x57
        case 0x41...0x46: value = digit - 0x37
        default: return nil
        }
        high = high << 4 | low >> 60
        low = low << 4 | UInt64(value)
    }
    return high | low == 0 ? nil : (high, low)
}

/// A trace as all its spans in this process share it: id, flags and vendor list.
final class Trace: @unchecked Sendable {
    let high: UInt64
    let low: UInt64
    /// The flag byte; higher bits are this process's own.
    let flags: UInt8
    let state: String
    /// Its open spans, for `endTree`; nil where none of them records.
    let open: UnsafeMutablePointer<polyspan_open_spans>?

    init(high: UInt64, low: UInt64, flags: UInt8, state: String, records: Bool = true) {
        self.high = high
        self.low = low
        self.flags = flags
        self.state = state
        isPlain = flags <= 3 && state.isEmpty && high | low != 0
        open = records ? .allocate(capacity: 1) : nil
        open?.initialize(to: polyspan_open_spans())
    }

    deinit { open?.deallocate() }

    var isSampled: Bool { flags & 1 != 0 }
    var isValid: Bool { high | low != 0 }
    /// Nothing is known of it that samplers would look at.
    let isPlain: Bool
    var id: String { hexDigits(high) + hexDigits(low) }

    /// The same for a span that does not record.
    var unsampled: Trace { Trace(high: high, low: low, flags: flags & ~1, state: state) }

    /// No trace.
    static let none = Trace(high: 0, low: 0, flags: 0, state: "")
}
