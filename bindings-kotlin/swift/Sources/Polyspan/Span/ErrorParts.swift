// Errors as text: their type and message, and where they came from.

import Foundation

/// What an `exception` event holds (OpenTelemetry semantic conventions, "Exceptions on spans").
struct ErrorParts {
    let type: String
    let message: String
    /// The call stack of whoever recorded it, since errors of Swift carry none; empty where it is not asked for.
    var stack = ""

    init(_ error: any Error) {
        let kind = typeName(of: error)
        if kind == "__C.NSError" || kind == "Foundation.NSError" {
            let found = error as NSError
            type = found.domain
            message = found.localizedDescription
        } else {
            type = kind
            message = (error as? any LocalizedError)?.errorDescription ?? String(describing: error)
        }
    }
}

/// The name of a type with its module, the same in every run: that of a private one says where in memory its context is.
func typeName(of value: Any) -> String {
    var name = String(reflecting: Swift.type(of: value))
    while let place = name.range(of: "(unknown context at "), let end = name[place.upperBound...].range(of: ").") {
        name.removeSubrange(place.lowerBound..<end.upperBound)
    }
    return name
}
