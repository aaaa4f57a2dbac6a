// Static keys: the table of `core/src/frame/keys.rs`, as `tests/vectors/frame.json` pins it, and finding a key in it.

import Foundation

/// The position is the id.
let staticKeyTexts: [StaticString] = [
    "",
    "service.name",
    "error.type",
    "exception",
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "exception.escaped",
    "session.id",
    "user.id",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.max_tokens",
    "gen_ai.request.temperature",
    "gen_ai.request.top_p",
    "gen_ai.request.stream",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.conversation.id",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.description",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.tool.description",
    "gen_ai.tool.call.id",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "gen_ai.system_instructions",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.output.type",
    "gen_ai.workflow.name",
    "gen_ai.data_source.id",
    "mcp.method.name",
    "mcp.session.id",
    "mcp.protocol.version",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "url.full",
    "url.path",
    "url.query",
    "url.scheme",
    "server.address",
    "server.port",
    "client.address",
    "network.protocol.version",
    "network.peer.address",
    "network.peer.port",
    "user_agent.original",
    "db.system.name",
    "db.namespace",
    "db.collection.name",
    "db.operation.name",
    "db.query.text",
    "messaging.system",
    "messaging.destination.name",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.message.id",
    "rpc.system",
    "rpc.service",
    "rpc.method",
    "code.function.name",
    "code.file.path",
    "code.line.number",
    "thread.id",
    "thread.name",
]

let staticKeys = StaticKeys(staticKeyTexts)

/// Finds the number of a key by a few of its bytes, which costs less than hashing all of them. Made once; never freed.
struct StaticKeys: @unchecked Sendable {
    private static let slots = 512

    private struct Slot {
        var start: UnsafePointer<UInt8>?
        var length = 0
        var code: UInt16 = 0
    }

    private let table: UnsafeMutablePointer<Slot>

    init(_ texts: [StaticString]) {
        table = .allocate(capacity: Self.slots)
        table.initialize(repeating: Slot(), count: Self.slots)
        for (id, text) in texts.enumerated() where text.utf8CodeUnitCount > 0 {
            let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
            var place = Self.place(bytes)
            while table[place].start != nil { place = (place + 1) & (Self.slots - 1) }
            table[place] = Slot(start: text.utf8Start, length: bytes.count, code: 0x8000 + UInt16(id))
        }
    }

    @inline(__always)
    private static func place(_ text: UnsafeRawBufferPointer) -> Int {
        let last = text.count - 1
        let mixed = Int(text[last]) &* 31 &+ Int(text[last / 2]) &* 7 &+ Int(text[last &* 3 / 4]) &* 131
        return (mixed &+ text.count &* 17) & (slots - 1)
    }

    /// What stands for a static key in a frame; nil for any other text.
    @inline(__always)
    func code(of text: UnsafeRawBufferPointer) -> UInt16? {
        guard text.count > 0 else { return nil }
        var place = Self.place(text)
        while let start = table[place].start {
            if table[place].length == text.count, memcmp(start, text.baseAddress!, text.count) == 0 { return table[place].code }
            place = (place + 1) & (Self.slots - 1)
        }
        return nil
    }
}
