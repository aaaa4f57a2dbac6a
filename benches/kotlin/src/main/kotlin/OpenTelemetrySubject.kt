// The reference: opentelemetry-java with its batch processor and the stock OTLP/HTTP exporter.

import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.Attributes
import io.opentelemetry.api.trace.Span
import io.opentelemetry.api.trace.SpanKind
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter
import io.opentelemetry.sdk.common.CompletableResultCode
import io.opentelemetry.sdk.trace.SdkTracerProvider
import io.opentelemetry.sdk.trace.data.SpanData
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor
import io.opentelemetry.sdk.trace.export.SpanExporter
import io.opentelemetry.sdk.trace.samplers.Sampler
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong

/** Counts what it is given, and hands it on where there is somebody. */
private class Counting(
    private val next: SpanExporter?,
) : SpanExporter {
    val spans = AtomicLong()

    override fun export(spans: Collection<SpanData>): CompletableResultCode {
        this.spans.addAndGet(spans.size.toLong())
        return next?.export(spans) ?: CompletableResultCode.ofSuccess()
    }

    override fun flush(): CompletableResultCode = next?.flush() ?: CompletableResultCode.ofSuccess()

    override fun shutdown(): CompletableResultCode = next?.shutdown() ?: CompletableResultCode.ofSuccess()
}

class OpenTelemetrySubject(
    setup: Setup,
) : Subject {
    private val exporter =
        Counting(
            setup.otlp?.let {
                val builder = OtlpHttpSpanExporter.builder().setEndpoint(it)
                if (setup.gzip) builder.setCompression("gzip")
                builder.build()
            },
        )
    private val provider =
        SdkTracerProvider
            .builder()
            .setSampler(Sampler.parentBased(if (setup.sampled) Sampler.alwaysOn() else Sampler.alwaysOff()))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
            .build()
    private val tracer = provider.get("bench")

    private inline fun span(
        name: String,
        kind: SpanKind,
        facts: Facts,
        body: (Span) -> Unit,
    ) {
        val span =
            tracer
                .spanBuilder(name)
                .setSpanKind(kind)
                .setAttribute(REQUEST, facts.request)
                .setAttribute(COMPONENT, facts.component)
                .setAttribute(REGION, facts.region)
                .setAttribute(ATTEMPT, facts.attempt)
                .setAttribute(SCORE, facts.score)
                .setAttribute(CACHED, facts.cached)
                .startSpan()
        try {
            span.makeCurrent().use { body(span) }
        } finally {
            span.end()
        }
    }

    private fun model(
        span: Span,
        said: Model,
    ) {
        span.setAttribute(INPUT, said.input)
        span.addEvent("first_token", Attributes.of(POSITION, said.position, FINISH, said.finish))
        span.addEvent("usage", Attributes.of(TOKENS, said.tokens, UNIT, said.unit))
        span.setAttribute(OUTPUT, said.output)
    }

    override fun trace(turn: Turn) =
        span("agent run", SpanKind.INTERNAL, turn.agent) {
            span("plan", SpanKind.CLIENT, turn.plan) { plan ->
                model(plan, turn.planModel)
                span("lookup", SpanKind.INTERNAL, turn.lookup) { span("query", SpanKind.CLIENT, turn.query) {} }
            }
            span("answer", SpanKind.CLIENT, turn.answer) { model(it, turn.answerModel) }
            span("recall", SpanKind.INTERNAL, turn.recall) {}
            span("notify", SpanKind.INTERNAL, turn.notify) {}
            span("calendar", SpanKind.CLIENT, turn.calendar) {}
        }

    override fun one(facts: Facts) = span("agent run", SpanKind.INTERNAL, facts) {}

    override fun flush() {
        provider.forceFlush().join(60, TimeUnit.SECONDS)
    }

    override fun stop(): Account {
        provider.shutdown().join(60, TimeUnit.SECONDS)
        return Account(null, exporter.spans.get(), 0, 0)
    }

    private companion object {
        val REQUEST: AttributeKey<String> = AttributeKey.stringKey("agent.request")
        val COMPONENT: AttributeKey<String> = AttributeKey.stringKey("agent.component")
        val REGION: AttributeKey<String> = AttributeKey.stringKey("agent.region")
        val ATTEMPT: AttributeKey<Long> = AttributeKey.longKey("agent.attempt")
        val SCORE: AttributeKey<Double> = AttributeKey.doubleKey("agent.score")
        val CACHED: AttributeKey<Boolean> = AttributeKey.booleanKey("agent.cached")
        val INPUT: AttributeKey<String> = AttributeKey.stringKey("input.value")
        val OUTPUT: AttributeKey<String> = AttributeKey.stringKey("output.value")
        val POSITION: AttributeKey<Long> = AttributeKey.longKey("position")
        val FINISH: AttributeKey<String> = AttributeKey.stringKey("finish")
        val TOKENS: AttributeKey<Long> = AttributeKey.longKey("tokens")
        val UNIT: AttributeKey<String> = AttributeKey.stringKey("unit")
    }
}
