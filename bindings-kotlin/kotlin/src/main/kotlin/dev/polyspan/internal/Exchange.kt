// What a span says of an HTTP call that this process makes (OpenTelemetry semantic conventions, "HTTP client"). The
// helpers for the clients use it (`TracedHttpClient`, `dev.polyspan.okhttp`). Not in `dev.polyspan.http`, which Android does
// without.

package dev.polyspan.internal

import dev.polyspan.Parent
import dev.polyspan.Span
import dev.polyspan.SpanKind
import dev.polyspan.SpanOptions
import dev.polyspan.SpanStatus
import java.net.URI

internal object Exchange {
    private const val HTTP = 80
    private const val HTTPS = 443
    private const val FAILURES = 400

    /** Starts the span of a call. */
    fun start(
        method: String,
        url: URI,
    ): Span {
        val usual = if (url.scheme == "http") HTTP else HTTPS
        return start(method, url.toString(), url.host, if (url.port >= 0) url.port else usual, null)
    }

    /** The same for a client whose addresses are no URIs: these have neither host nor port where the host is no name of the
     * DNS, as with underscores. */
    fun start(
        method: String,
        url: String,
        host: String?,
        port: Int,
        parent: Parent?,
    ): Span {
        val options = SpanOptions().kind(SpanKind.Client).parent(parent)
        val span = Starting.start(method, null, options)
        if (!span.isRecording) return span
        span.set("http.request.method", method)
        span.set("url.full", url)
        host?.let { span.set("server.address", it) }
        span.set("server.port", port)
        return span
    }

    /** Says what came of it, and ends it. */
    fun answered(
        span: Span,
        status: Int,
    ) {
        span.set("http.response.status_code", status)
        if (status >= FAILURES) {
            span.set("error.type", status.toString())
            span.status(SpanStatus.ERROR)
        }
        span.end()
    }
}
