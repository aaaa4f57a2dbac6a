// Spans of Polyspan's own. Here the tracing API is not imported, which has the same names.

import Polyspan

func inOurs<R>(_ name: String, _ body: () throws -> R) rethrows -> R {
    try withSpan(name) { _ in try body() }
}
