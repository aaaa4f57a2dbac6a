// Requests that are spans: each carries the context to the server that it calls.

import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension URLSession {
    /// Sends a request inside a span of kind `client`, with the context in its headers, and returns what came back. An
    /// answer of 400 and above makes the span an error, and so does none at all.
    ///
    /// - Parameter name: of the span; the method by default.
    public func tracedData(for request: URLRequest, name: String? = nil) async throws -> (Data, URLResponse) {
        let method = request.httpMethod ?? "GET"
        return try await withSpan(name ?? method, kind: .client) { span in
            var request = request
            if span.isRecording { describe(request, method, span) }
            Polyspan.inject(&request)
            let (data, response) = try await answer(to: request)
            if let status = (response as? HTTPURLResponse)?.statusCode {
                span.set("http.response.status_code", status)
                if status >= 400 {
                    span.set("error.type", "\(status)")
                    span.status(.error)
                }
            }
            return (data, response)
        }
    }

    private func describe(_ request: URLRequest, _ method: String, _ span: Span) {
        span.set("http.request.method", method)
        guard let url = request.url else { return }
        span.set("url.full", url.absoluteString)
        if let host = url.host { span.set("server.address", host) }
        if let port = url.port ?? (url.scheme == "https" ? 443 : url.scheme == "http" ? 80 : nil) {
            span.set("server.port", port)
        }
    }

    /// Cancelling the task cancels the request, as with `data(for:)`.
    private func answer(to request: URLRequest) async throws -> (Data, URLResponse) {
        let sending = Sending()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { done in
                sending.begin(
                    dataTask(with: request) { data, response, error in
                        if let response, error == nil {
                            done.resume(returning: (data ?? Data(), response))
                        } else {
                            done.resume(throwing: error ?? URLError(.badServerResponse))
                        }
                    })
            }
        } onCancel: {
            sending.cancel()
        }
    }
}

/// A request that may be cancelled before it has begun.
private final class Sending: @unchecked Sendable {
    private let lock = NSLock()
    private var task: URLSessionDataTask?
    private var isCancelled = false

    func begin(_ task: URLSessionDataTask) {
        let isLate = lock.withLock {
            self.task = task
            return isCancelled
        }
        // One that is cancelled before it was resumed still answers, with the error that says so.
        if isLate { task.cancel() }
        task.resume()
    }

    func cancel() {
        let task = lock.withLock {
            isCancelled = true
            return self.task
        }
        task?.cancel()
    }
}
