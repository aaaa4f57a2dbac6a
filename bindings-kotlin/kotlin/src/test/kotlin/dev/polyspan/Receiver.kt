// An HTTP server that takes what exporters send, and the variables that say where they send it. PresetsTest and ConfigTest
// use them.

package dev.polyspan

import com.sun.jna.NativeLibrary
import com.sun.net.httpserver.Headers
import com.sun.net.httpserver.HttpServer
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.ConcurrentLinkedQueue

/** Keeps the path and the headers of every request. */
internal class Receiver : AutoCloseable {
    val requests = ConcurrentLinkedQueue<Pair<String, Headers>>()
    private val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
    val endpoint get() = "http://127.0.0.1:${server.address.port}"

    init {
        server.createContext("/") { exchange ->
            exchange.use {
                it.requestBody.readAllBytes()
                requests.add(it.requestURI.path to it.requestHeaders)
                it.sendResponseHeaders(200, -1)
            }
        }
        server.start()
    }

    override fun close() = server.stop(0)
}

/** Runs `body` with these variables of the process, which the JVM can only read. */
internal fun <R> withEnvironment(
    given: Map<String, Any?>,
    body: () -> R,
): R {
    val process = NativeLibrary.getProcess()
    try {
        for ((name, value) in given) process.getFunction("setenv").invokeInt(arrayOf<Any>(name, value.toString(), 1))
        return body()
    } finally {
        for (name in given.keys) process.getFunction("unsetenv").invokeInt(arrayOf<Any>(name))
    }
}
