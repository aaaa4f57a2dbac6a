// `tests/vectors/sessions.json`: which session spans are of where the app has sessions.

import Foundation
import Testing

@testable import Polyspan

extension EngineTests {
    @Suite struct SessionTests {
        @Test(arguments: vectors("sessions.json")["cases"]!.list)
        func spansAreOfTheirSession(_ entry: Json) throws {
            let sessions = Sessions()
            try withEngine(options: Options(sessions: sessions)) { engine, memory in
                var known: [String: Span] = [:]
                run(engine, sessions, entry["steps"]!.list, &known)
                let spans = try engine.flushed(memory)
                let expected = entry["spans"]!.fields
                #expect(spans.count == expected.count)
                let ids = Dictionary(spans.map { ($0.name, $0.attributes["session.id"]?.text) }) { first, _ in first }
                // Those of the app are new ones each.
                var ours: [String] = []
                for (name, wanted) in expected {
                    let id = ids[name].flatMap { $0 } ?? "none"
                    if let number = wanted.int {
                        if number > ours.count { ours.append(id) }
                        #expect(ours.firstIndex(of: id) == number - 1, "\(name)")
                    } else {
                        #expect(id == wanted.string, "\(name)")
                    }
                }
                #expect(engine.stats().addsUp)
            }
        }

        private func run(_ engine: Engine, _ sessions: Sessions, _ steps: [Json], _ known: inout [String: Span]) {
            for step in steps {
                let inside = step["inside"]?.list ?? []
                if step["ends"] != nil {
                    sessions.renew()
                } else if let given = step["context"] {
                    let options = ContextOptions(sessionId: given["session_id"]?.string, userId: given["user_id"]?.string)
                    withTraceContext(options) { run(engine, sessions, inside, &known) }
                } else if let carried = step["extract"] {
                    let headers = Dictionary(uniqueKeysWithValues: carried.fields.map { ($0.0, $0.1.string!) })
                    withTraceContext(parent: Polyspan.extract(headers)) { run(engine, sessions, inside, &known) }
                } else {
                    let given = step["with"]
                    let options = given.map { given in
                        SpanOptions(
                            metadata: given["metadata"]?.plain.map, root: given["root"]?.bool ?? false,
                            context: ContextOptions(sessionId: given["session_id"]?.string))
                    }
                    let name = step["span"]!.string!
                    engine.withSpan(name, parent: given?["parent"]?.string.flatMap { known[$0] }, options: options) { span in
                        known[name] = span
                        run(engine, sessions, inside, &known)
                    }
                }
            }
        }
    }
}
