// A program that stands in for an app: somebody asks a question, rates the answer, loses the network on the way and comes
// back. Everything is one trace, with the spans of the servers that it calls.
//
//     ParcelApp DESK_URL
//
// `run.py` starts the servers, and takes the network away when this asks for it.

import Foundation
import Polyspan

@main
struct App {
    static func main() async throws {
        let options = Options(
            propagateContext: ["session_id"], batching: Batching(interval: 0.2), sessions: Sessions(inactivity: 1800))
        try Polyspan.start(service: "parcel-app", options)  // OTEL_* honoured; with no endpoint, a tree in the console
        let desk = Desk(address: URL(string: CommandLine.arguments[1])!)
        await withSpan("visit", attributes: ["app.screen": "orders"]) { visit in
            await online(desk)
            visit.event("network lost")
            set(network: "down")
            await offline(desk)
            set(network: "up")
            visit.event("network back")
            await withSpan("refresh") { span in span.update(output: try? await desk.status()) }
        }
        try await Polyspan.flush(timeout: 60)
        let stats = Polyspan.stats()
        let dropped = stats.dropped.values.reduce(0, +)
        print("parcel-app: \(stats.ended) ended / \(stats.exported) exported / \(dropped) dropped")
        try await Polyspan.shutdown()
    }

    private static func online(_ desk: Desk) async {
        let question = "Where is my order 1007, and could I still send it back?"
        await withSpan("tap ask", input: question) { span in
            do {
                span.update(output: try await desk.ask(question))
            } catch {
                span.error(error, end: false)
            }
        }
        // The desk takes no ratings: the call fails, and the app goes on.
        await withSpan("tap rate") { span in
            do {
                try await desk.rate(5)
            } catch {
                span.recordException(error)
            }
        }
    }

    private static func offline(_ desk: Desk) async {
        await withSpan("read saved answer") { $0.set("app.cached", true) }
        await withSpan("refresh") { span in
            do {
                _ = try await desk.status()
            } catch {
                span.error(error, end: false)
            }
        }
        // What an app has a few seconds for when it goes to the background. Without a network the spans stay.
        let isDelivered = Polyspan.didEnterBackground(granted: 1)
        print("offline: \(isDelivered ? "delivered" : "kept") \(Polyspan.stats().pending > 0 ? "some" : "none")")
    }

    /// Asks whoever runs this to take the network away, or to give it back.
    private static func set(network: String) {
        print("network: \(network)")
        fflush(nil)
        _ = readLine()
    }
}
