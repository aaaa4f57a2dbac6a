// The way from the app to the outside, which can be cut: what a phone's radio is to an app. It passes bytes on to one
// address while it is on, and cuts every connection while it is off.

import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap

class Network(
    private val to: InetSocketAddress,
) : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = ConcurrentHashMap.newKeySet<Socket>()

    @Volatile
    private var isOn = true

    /** Where it is reached. */
    val address: String = "http://127.0.0.1:${listener.localPort}"

    init {
        background { while (true) take(listener.accept()) }
    }

    /** Loses every connection, and refuses others. */
    fun off() {
        isOn = false
        sockets.forEach(Socket::close)
    }

    fun on() {
        isOn = true
    }

    private fun take(inner: Socket) {
        val outer = Socket()
        sockets += inner
        sockets += outer
        try {
            check(isOn) { "offline" }
            outer.connect(to, CONNECT_WITHIN)
            pass(inner, outer)
            pass(outer, inner)
        } catch (_: Exception) {
            end(inner, outer)
        }
    }

    private fun pass(
        from: Socket,
        into: Socket,
    ) = background {
        try {
            from.getInputStream().transferTo(into.getOutputStream())
        } finally {
            end(from, into)
        }
    }

    private fun end(vararg ended: Socket) {
        for (socket in ended) {
            socket.close()
            sockets -= socket
        }
    }

    private fun background(body: () -> Unit) {
        Thread {
            try {
                body()
            } catch (_: Exception) {
                // The other side is gone, or this one was closed.
            }
        }.apply { isDaemon = true }.start()
    }

    override fun close() {
        off()
        listener.close()
    }

    private companion object {
        const val CONNECT_WITHIN = 10_000
    }
}
