// A command line program that stands in for an app on a phone: somebody asks where a parcel is, the agent answers, a
// call fails, the network goes away and comes back. All of it is one trace with the spans of the services.
//
//     AppKt DESK_URL PARCELS_URL
//
// `run.py` starts the services and this program.

import dev.polyspan.MobileOptions
import dev.polyspan.Polyspan
import dev.polyspan.PolyspanError
import dev.polyspan.Span
import dev.polyspan.SpanType
import dev.polyspan.coroutines.polyspanContext
import dev.polyspan.coroutines.span
import dev.polyspan.http.traced
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.io.IOException
import java.net.InetSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration

private const val ANSWERED_WITHIN = 120L
private const val DELIVERED_WITHIN = 60.0

private class Parcels(
    private val desk: String,
    private val service: String,
) {
    private val client =
        HttpClient
            .newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .build()
            .traced()

    private suspend fun send(request: HttpRequest.Builder): String =
        withContext(Dispatchers.IO) {
            val response = client.send(request.timeout(Duration.ofSeconds(ANSWERED_WITHIN)).build(), BodyHandlers.ofString())
            if (response.statusCode() >= 400) throw IOException("HTTP ${response.statusCode()}")
            response.body()
        }

    suspend fun ask(question: String): String =
        span("ask the desk", type = SpanType.Agent, input = question) {
            val body = """{"question": "$question"}"""
            val request = HttpRequest.newBuilder(URI("$desk/questions")).header("content-type", "application/json")
            send(request.POST(HttpRequest.BodyPublishers.ofString(body))).also { answer -> it.output(answer) }
        }

    suspend fun order(
        id: String,
        through: String = service,
    ): String = span("look up order", type = SpanType.Tool, input = id) { send(HttpRequest.newBuilder(URI("$through/orders/$id"))) }
}

/** What the screen shows of a call. */
private suspend fun shown(call: suspend () -> String): String =
    try {
        call()
    } catch (error: IOException) {
        "failed: ${error.message ?: error.javaClass.simpleName}"
    }

fun main(arguments: Array<String>) {
    val (desk, service) = arguments
    // Spans go the app's way to the outside as well; without a collector they are printed.
    val collector = System.getenv("OTEL_EXPORTER_OTLP_ENDPOINT")?.let(::URI)
    val radio = collector?.let { Network(InetSocketAddress(it.host, it.port)) }
    val way = Network(URI(service).let { InetSocketAddress(it.host, it.port) })
    Polyspan.init {
        this.service = "parcel-app"
        if (radio != null) endpoint = radio.address
        mobile = MobileOptions().apply { batchInterval = 1.0 }
    }
    runBlocking(polyspanContext()) {
        span("where is my parcel", input = "A-1007") { action -> visit(action, Parcels(desk, service), way, radio) }
    }
    // The app leaves the foreground.
    Polyspan.flush(DELIVERED_WITHIN)
    val stats = Polyspan.stats()
    println("parcel-app: ${stats.ended} ended / ${stats.exported} exported / ${stats.dropped.values.sum()} dropped")
    way.close()
    radio?.close()
}

private suspend fun visit(
    action: Span,
    parcels: Parcels,
    way: Network,
    radio: Network?,
) {
    println("trace: ${action.traceId}")
    println("answer: ${shown { parcels.ask("Where is my order A-1007?") }}")
    println("no such order: ${shown { parcels.order("A-9999") }}")
    way.off()
    radio?.off()
    action.event("offline")
    println("offline: ${shown { parcels.order("A-1008", way.address) }}")
    // What ended waits; nothing of it is lost.
    val delivered =
        try {
            Polyspan.flush(timeout = 0.5)
            true
        } catch (_: PolyspanError) {
            false
        }
    val stats = Polyspan.stats()
    println("offline: delivered $delivered, ${stats.pending} spans wait, ${stats.dropped.values.sum()} dropped")
    way.on()
    radio?.on()
    action.event("online")
    val order = shown { parcels.order("A-1008", way.address) }
    println("back: $order")
    action.output(order)
}
