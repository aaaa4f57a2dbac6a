// The server that the app calls: the agent of examples/python-agent behind HTTP. Each call is a span and carries the context.

import Foundation
import Polyspan

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

struct Refused: Error {
    let status: Int
}

struct Desk: Sendable {
    let address: URL

    /// Asks a question and waits for the answer.
    func ask(_ question: String) async throws -> String {
        struct Answer: Decodable {
            let answer: String
        }
        let data = try await call("POST", "questions", body: ["question": question])
        return try JSONDecoder().decode(Answer.self, from: data).answer
    }

    func rate(_ stars: Int) async throws {
        _ = try await call("PUT", "questions", body: ["stars": "\(stars)"])
    }

    /// Whether the desk is there.
    func status() async throws -> String {
        _ = try await call("GET", "openapi.json", body: nil)
        return "open"
    }

    private func call(_ method: String, _ path: String, body: [String: String]?) async throws -> Data {
        var request = URLRequest(url: address.appendingPathComponent(path), timeoutInterval: 60)
        request.httpMethod = method
        if let body {
            request.httpBody = try JSONEncoder().encode(body)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let (data, response) = try await URLSession.shared.tracedData(for: request, name: "\(method) /\(path)")
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard status < 400 else { throw Refused(status: status) }
        return data
    }
}
