// `dd-trace`, sending to the sink as if it were Datadog's agent.
//
// Its public API has no span events, so its model spans carry none; it encodes a trace when its last span ends, so
// there is no exporter to leave out.

const { attributes } = require('./polyspan.cjs')

function model(span, facts) {
  span.setTag('input.value', facts.input)
  span.setTag('output.value', facts.output)
}

class Subject {
  constructor(setup) {
    Object.assign(process.env, {
      DD_TRACE_AGENT_URL: setup.sink,
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
      DD_TRACE_STARTUP_LOGS: 'false',
      DD_SERVICE: 'bench',
    })
    if (!setup.sampled) process.env.DD_TRACE_SAMPLING_RULES = JSON.stringify([{ sample_rate: 0 }])
    this.tracer = setup.load('dd-trace').init({ plugins: false, flushInterval: 100 })
  }

  span(name, facts, body) {
    this.tracer.trace(name, { tags: attributes(facts) }, (span) => body?.(span))
  }

  trace(turn) {
    this.span('agent run', turn.agent, () => {
      this.span('plan', turn.plan, (plan) => {
        model(plan, turn.planModel)
        this.span('lookup', turn.lookup, () => this.span('query', turn.query))
      })
      this.span('answer', turn.answer, (answer) => model(answer, turn.answerModel))
      this.span('recall', turn.recall)
      this.span('notify', turn.notify)
      this.span('calendar', turn.calendar)
    })
  }

  one(facts) {
    this.span('agent run', facts)
  }

  /** It has no way to wait: what is there leaves within its interval, and has arrived some time later. */
  async flush() {
    await new Promise((resolve) => setTimeout(resolve, 500))
  }

  async stop() {
    await this.flush()
    return {}
  }
}

module.exports = Subject
