// The data of the workload (benches/workload.json): the same texts as benches/python/workload.py makes.

import Foundation

struct Facts {
    let request, component, region: String
    let attempt: Int
    let score: Double
    let cached: Bool
}

struct Model {
    let input, output: String
    let position: Int
    let finish: String
    let tokens: Int
    let unit: String
}

/// What the spans of one trace carry.
struct Turn {
    let agent, plan, lookup, query, answer, recall, notify, calendar: Facts
    let planModel, answerModel: Model
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
        return Turn(
            agent: facts[0], plan: facts[1], lookup: facts[2], query: facts[3], answer: facts[4], recall: facts[5],
            notify: facts[6], calendar: facts[7], planModel: words.model(), answerModel: words.model())
    }
}
