// An HTTP server that takes what exporters send, on loopback. PresetTests, ConfigTests and TaskTests use it.

import Foundation

@testable import Polyspan

#if canImport(Glibc)
import Glibc

private let stream = Int32(SOCK_STREAM.rawValue)
#else
import Darwin

private let stream = SOCK_STREAM
#endif

/// Answers every request with 200, but those for `/silent`, and keeps its path and headers.
final class Receiver: Sendable {
    struct Request: Sendable {
        let path: String
        /// By name, in lower case.
        let headers: [String: String]
    }

    private let listener: Int32
    private let received = Locked<[Request]>([])
    private let isClosed = Locked(false)
    let port: UInt16

    init() throws {
        let listener = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        guard listener >= 0, isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        Thread { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                if isClosed.with({ $0 }) { _ = Self.close(connection) } else { Thread { [self] in serve(connection) }.start() }
            }
            _ = Self.close(listener)
        }.start()
    }

    var endpoint: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { received.with { $0 } }

    /// Lets the thread that waits for connections go.
    func stop() {
        isClosed.with { $0 = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func close(_ file: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.close(file)
        #else
        Darwin.close(file)
        #endif
    }

    private func serve(_ connection: Int32) {
        defer { _ = Self.close(connection) }
        var bound = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        var bytes = Data()
        var part = [UInt8](repeating: 0, count: 65536)
        func readsOn() -> Bool {
            let count = recv(connection, &part, part.count, 0)
            if count > 0 { bytes.append(contentsOf: part[0..<count]) }
            return count > 0
        }
        let end = Data("\r\n\r\n".utf8)
        while bytes.range(of: end) == nil { guard readsOn() else { return } }
        guard let head = bytes.range(of: end) else { return }
        let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let length = Int(headers["content-length"] ?? "") ?? 0
        while bytes.count < head.upperBound + length { guard readsOn() else { return } }
        let words = lines[0].split(separator: " ")
        let path = words.count > 1 ? String(words[1]) : ""
        received.with { $0.append(Request(path: path, headers: headers)) }
        if path == "/silent" {
            while readsOn() {}
            return
        }
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        _ = send(connection, answer, answer.count, 0)
        shutdown(connection, Int32(SHUT_WR))
        // Until the other side has read it and goes.
        while readsOn() {}
    }
}
