// What an application of the OpenTelemetry API brings along: headers to read a context from, and an exporter of its own.

package dev.polyspan

import io.opentelemetry.context.propagation.TextMapGetter
import io.opentelemetry.sdk.common.CompletableResultCode
import io.opentelemetry.sdk.trace.data.SpanData
import io.opentelemetry.sdk.trace.export.SpanExporter
import java.util.concurrent.ConcurrentLinkedQueue

internal object PlainHeaders : TextMapGetter<Map<String, String>> {
    @Suppress("OVERRIDE_DEPRECATION")
    override fun keys(carrier: Map<String, String>): Iterable<String> = carrier.keys

    override fun get(
        carrier: Map<String, String>?,
        key: String,
    ): String? = carrier?.get(key)
}

internal class KeepingExporter : SpanExporter {
    val spans = ConcurrentLinkedQueue<SpanData>()

    override fun export(batch: Collection<SpanData>): CompletableResultCode {
        spans.addAll(batch)
        return CompletableResultCode.ofSuccess()
    }

    override fun flush(): CompletableResultCode = CompletableResultCode.ofSuccess()

    override fun shutdown(): CompletableResultCode = CompletableResultCode.ofSuccess()
}
