// Polyspan by its own interface.

import dev.polyspan.Engine
import dev.polyspan.Polyspan
import dev.polyspan.Span
import dev.polyspan.SpanKind
import dev.polyspan.SpanType
import dev.polyspan.span
import dev.polyspan.spanOptions
import java.util.Collections

class PolyspanSubject(
    setup: Setup,
) : Subject {
    private val hasExporter = setup.otlp != null
    private val engine: Engine =
        Polyspan.init {
            service = "bench"
            sampler = if (setup.sampled) "parentbased_always_on" else "parentbased_always_off"
            if (setup.otlp == null) exporters = Collections.emptyList<Any>() else tracesEndpoint = setup.otlp
            if (setup.gzip) compression = "gzip"
        }
    private val client = spanOptions { kind = SpanKind.Client }

    private fun facts(
        span: Span,
        facts: Facts,
    ) {
        span.set("agent.request", facts.request)
        span.set("agent.component", facts.component)
        span.set("agent.region", facts.region)
        span.set("agent.attempt", facts.attempt)
        span.set("agent.score", facts.score)
        span.set("agent.cached", facts.cached)
    }

    private inline fun model(
        name: String,
        given: Facts,
        said: Model,
        inside: () -> Unit,
    ) = span(name, SpanType.ModelGeneration, input = said.input, options = client) {
        facts(it, given)
        it.event("first_token") {
            set("position", said.position)
            set("finish", said.finish)
        }
        it.event("usage") {
            set("tokens", said.tokens)
            set("unit", said.unit)
        }
        it.update(output = said.output)
        inside()
    }

    override fun trace(turn: Turn) =
        span("agent run", SpanType.Agent) { agent ->
            facts(agent, turn.agent)
            model("plan", turn.plan, turn.planModel) {
                span("lookup", SpanType.Tool) { lookup ->
                    facts(lookup, turn.lookup)
                    span("query", SpanType.RagQuery, options = client) { facts(it, turn.query) }
                }
            }
            model("answer", turn.answer, turn.answerModel) {}
            span("recall", SpanType.MemoryLookup) { facts(it, turn.recall) }
            span("notify", SpanType.Tool) { facts(it, turn.notify) }
            span("calendar", SpanType.McpTool, options = client) { facts(it, turn.calendar) }
        }

    override fun one(facts: Facts) = span("agent run") { facts(it, facts) }

    override fun flush() = engine.flush(60.0)

    override fun stop(): Account {
        engine.shutdown(60.0)
        val stats = engine.stats()
        // Where no exporter is set, what one would have been given counts.
        val exported = if (hasExporter) stats.exported else stats.accepted
        return Account(stats.ended, exported, stats.unsampled, stats.dropped.values.sum())
    }
}
