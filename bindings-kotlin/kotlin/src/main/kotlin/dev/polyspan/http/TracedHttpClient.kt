// `java.net.http`: a client whose calls are spans, and continue in the service that is called.

@file:JvmName("HttpClients")

package dev.polyspan.http

import dev.polyspan.Span
import dev.polyspan.inject
import dev.polyspan.internal.Exchange
import java.net.Authenticator
import java.net.CookieHandler
import java.net.ProxySelector
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.WebSocket
import java.time.Duration
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.Executor
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLParameters

/** A client that does what this one does, with a span for each call and the context in its headers. */
public fun HttpClient.traced(): HttpClient = this as? TracedHttpClient ?: TracedHttpClient(this)

/** Puts what is current into the headers of a request, for clients that are not [traced]. */
public fun HttpRequest.Builder.injected(): HttpRequest.Builder = inject(this, { builder, name, value -> builder.setHeader(name, value) })

private class TracedHttpClient(
    private val client: HttpClient,
) : ClosingHttpClient(client) {
    override fun cookieHandler(): Optional<CookieHandler> = client.cookieHandler()

    override fun connectTimeout(): Optional<Duration> = client.connectTimeout()

    override fun followRedirects(): Redirect = client.followRedirects()

    override fun proxy(): Optional<ProxySelector> = client.proxy()

    override fun sslContext(): SSLContext = client.sslContext()

    override fun sslParameters(): SSLParameters = client.sslParameters()

    override fun authenticator(): Optional<Authenticator> = client.authenticator()

    override fun version(): Version = client.version()

    override fun executor(): Optional<Executor> = client.executor()

    override fun newWebSocketBuilder(): WebSocket.Builder = client.newWebSocketBuilder()

    private fun started(request: HttpRequest): Span = Exchange.start(request.method(), request.uri())

    private fun carrying(
        request: HttpRequest,
        span: Span,
    ): HttpRequest =
        inject(HttpRequest.newBuilder(request) { _, _ -> true }, { builder, name, value -> builder.setHeader(name, value) }, span).build()

    override fun <T> send(
        request: HttpRequest,
        handler: HttpResponse.BodyHandler<T>,
    ): HttpResponse<T> {
        val span = started(request)
        try {
            val response = client.send(carrying(request, span), handler)
            Exchange.answered(span, response.statusCode())
            return response
        } catch (error: Throwable) {
            span.error(error)
            throw error
        }
    }

    override fun <T> sendAsync(
        request: HttpRequest,
        handler: HttpResponse.BodyHandler<T>,
    ): CompletableFuture<HttpResponse<T>> = observed(request) { client.sendAsync(it, handler) }

    override fun <T> sendAsync(
        request: HttpRequest,
        handler: HttpResponse.BodyHandler<T>,
        pushes: HttpResponse.PushPromiseHandler<T>?,
    ): CompletableFuture<HttpResponse<T>> = observed(request) { client.sendAsync(it, handler, pushes) }

    private fun <T> observed(
        request: HttpRequest,
        send: (HttpRequest) -> CompletableFuture<HttpResponse<T>>,
    ): CompletableFuture<HttpResponse<T>> {
        val span = started(request)
        try {
            val answer = send(carrying(request, span))
            answer.whenComplete { response, error ->
                if (error ==
                    null
                ) {
                    Exchange.answered(span, response.statusCode())
                } else {
                    span.error((error as? CompletionException)?.cause ?: error)
                }
            }
            // The client's own, which may be cancelled.
            return answer
        } catch (error: Throwable) {
            span.error(error)
            throw error
        }
    }
}
