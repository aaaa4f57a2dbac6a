// A library that does nothing: what the workload costs by itself, its loop, its blocks, and the first look at its data.
// Not in the table of `benches/run.py`; `docs/decisions/kotlin-spans.md` says what it takes.

class NoneSubject : Subject {
    // What is handed over is stored here, one over the other, so that the compiler leaves nothing out.
    private var last: Any? = null
    private var sum = 0L
    private var score = 0.0
    private var flag = false
    private var spans = 0L

    private fun set(
        key: String,
        value: String,
    ) {
        last = if (key.isEmpty()) key else value
    }

    private fun facts(facts: Facts) {
        set("agent.request", facts.request)
        set("agent.component", facts.component)
        set("agent.region", facts.region)
        sum += facts.attempt
        score += facts.score
        flag = flag xor facts.cached
    }

    private fun model(said: Model) {
        set("input.value", said.input)
        sum += said.position
        set("finish", said.finish)
        sum += said.tokens
        set("unit", said.unit)
        set("output.value", said.output)
    }

    private inline fun span(
        name: String,
        facts: Facts,
        body: () -> Unit,
    ) {
        last = name
        try {
            facts(facts)
            body()
        } finally {
            spans++
        }
    }

    override fun trace(turn: Turn) =
        span("agent run", turn.agent) {
            span("plan", turn.plan) {
                model(turn.planModel)
                span("lookup", turn.lookup) { span("query", turn.query) {} }
            }
            span("answer", turn.answer) { model(turn.answerModel) }
            span("recall", turn.recall) {}
            span("notify", turn.notify) {}
            span("calendar", turn.calendar) {}
        }

    override fun one(facts: Facts) = span("agent run", facts) {}

    override fun flush() = Unit

    override fun stop() = Account(spans, spans, 0, 0)
}
