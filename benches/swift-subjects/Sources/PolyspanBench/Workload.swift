// The data of the workload (benches/workload.json): the same texts as benches/python/workload.py makes.

import Foundation

struct Facts: Sendable {
    let request, component, region: String
    let attempt: Int
    let score: Double
    let cached: Bool
}

struct Model: Sendable {
    let input, output: String
    let position: Int
    let finish: String
    let tokens: Int
    let unit: String
}

/// What the spans of one trace carry. An object, so that code inside a span refers to it: each of the subjects' closures
/// would else hold thirty texts of its own.
final class Turn: Sendable {
    let agent, plan, lookup, query, answer, recall, notify, calendar: Facts
    let planModel, answerModel: Model

    init(_ facts: [Facts], planModel: Model, answerModel: Model) {
        (agent, plan, lookup, query) = (facts[0], facts[1], facts[2], facts[3])
        (answer, recall, notify, calendar) = (facts[4], facts[5], facts[6], facts[7])
        self.planModel = planModel
        self.answerModel = answerModel
    }
}

let spansPerTrace = 8

/// A linear congruential generator (Knuth's MMIX constants).
private struct Words {
    var state: UInt64
    let words: [String]

    mutating func next() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33)
    }

    mutating func text(_ length: Int) -> String {
        var text = ""
        while text.utf8.count < length { text += words[next() % words.count] + " " }
        return String(text.prefix(length))
    }

    mutating func facts() -> Facts {
        let (request, component, region) = (text(20), text(20), text(20))
        let (attempt, score) = (next() % 100, Double(next() % 10_000) / 10_000)
        return Facts(
            request: request, component: component, region: region, attempt: attempt, score: score, cached: next() & 1 == 0)
    }

    mutating func model() -> Model {
        let (input, output, position) = (text(1000), text(1000), next() % 1000)
        let (finish, tokens) = (text(20), next() % 5000)
        return Model(input: input, output: output, position: position, finish: finish, tokens: tokens, unit: text(20))
    }
}

/// The turns of the page that BENCH_PAGE names; runs go round them.
func turns() throws -> [Turn] {
    struct Page: Decodable {
        struct Text: Decodable {
            let seed: UInt64
            let turns: Int
            let words: [String]
        }
        let text: Text
    }
    let path = ProcessInfo.processInfo.environment["BENCH_PAGE"] ?? "benches/workload.json"
    let text = try JSONDecoder().decode(Page.self, from: Data(contentsOf: URL(fileURLWithPath: path))).text
    var words = Words(state: text.seed, words: text.words)
    return (0..<text.turns).map { _ in
        let facts = (0..<8).map { _ in words.facts() }
        return Turn(facts, planModel: words.model(), answerModel: words.model())
    }
}
