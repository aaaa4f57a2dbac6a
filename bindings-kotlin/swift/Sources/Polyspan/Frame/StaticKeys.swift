// Static keys: the table of `core/src/frame/keys.rs`, as `tests/vectors/frame.json` pins it, and finding a key in it.

import Foundation
import PolyspanShims

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

/// Finds the number of a key by a few of its bytes, which costs less than hashing all of them.
enum StaticKeys {
    /// Every recorder sees to it that the table is there: nobody looks for it again. Made once; never freed.
    static let made: Void = make(staticKeyTexts)

    private static func make(_ texts: [StaticString]) {
        let slots = Int(POLYSPAN_STATIC_KEYS)
        let table = UnsafeMutablePointer<polyspan_static_key>.allocate(capacity: slots)
        table.initialize(repeating: polyspan_static_key(), count: slots)
        for (id, text) in texts.enumerated() where text.utf8CodeUnitCount > 0 {
            let length = text.utf8CodeUnitCount
            var place = polyspan_static_key_place(text.utf8Start, length)
            while table[place].text != nil { place = (place + 1) & (slots - 1) }
            table[place] = polyspan_static_key(text: text.utf8Start, length: UInt32(length), code: 0x8000 + UInt16(id))
        }
        polyspan_static_keys_use(table)
    }

    /// What stands for a static key in a frame; nil for any other text.
    @inline(__always)
    static func code(of text: UnsafeRawBufferPointer) -> UInt16? {
        let code = polyspan_static_key_code(text.start, text.count)
        return code == 0 ? nil : code
    }
}
