// Mastra's observability by itself, with its own pipeline of exporters; over OTLP by its own package for that.
//
// Its spans are handed from parent to child. They have no events (what it calls so is a span more), so its model spans
// carry none.

const { attributes } = require('./polyspan.cjs')

const MODEL = 'model_generation'
const TOOL = 'tool_call'

class Subject {
  constructor(setup) {
    const { Observability } = setup.load('@mastra/observability')
    this.count = 0
    let exporter = {
      name: 'counting',
      exportTracingEvent: async ({ type }) => {
        if (type === 'span_ended') this.count += 1
      },
      flush: async () => undefined,
      shutdown: async () => undefined,
    }
    if (setup.export === 'otlp') {
      const { OtelExporter } = setup.load('@mastra/otel-exporter')
      const custom = { endpoint: `${setup.sink}/v1/traces`, protocol: 'http/protobuf' }
      exporter = new OtelExporter({ provider: { custom }, signals: { logs: false }, logLevel: 'error' })
    }
    const sampling = { type: setup.sampled ? 'always' : 'never' }
    const configs = { bench: { name: 'bench', serviceName: 'bench', sampling, exporters: [exporter] } }
    this.all = new Observability({ configs })
    this.observability = this.all.getDefaultInstance()
  }

  span(parent, type, name, facts, body, input) {
    const options = { type, name, metadata: attributes(facts), input }
    const span = parent?.createChildSpan(options) ?? this.observability.startSpan(options)
    const output = body?.(span)
    span.end(output === undefined ? undefined : { output })
  }

  model(parent, name, facts, said, body) {
    const answer = (span) => {
      body?.(span)
      return said.output
    }
    this.span(parent, MODEL, name, facts, answer, said.input)
  }

  trace(turn) {
    this.span(undefined, 'agent_run', 'agent run', turn.agent, (agent) => {
      this.model(agent, 'plan', turn.plan, turn.planModel, (plan) => {
        this.span(plan, TOOL, 'lookup', turn.lookup, (lookup) => {
          this.span(lookup, 'generic', 'query', turn.query)
        })
      })
      this.model(agent, 'answer', turn.answer, turn.answerModel)
      this.span(agent, 'generic', 'recall', turn.recall)
      this.span(agent, TOOL, 'notify', turn.notify)
      this.span(agent, 'mcp_tool_call', 'calendar', turn.calendar)
    })
  }

  one(facts) {
    this.span(undefined, 'agent_run', 'agent run', facts)
  }

  flush() {
    return this.observability.flush()
  }

  async stop() {
    await this.all.shutdown()
    return { exported: this.count }
  }
}

module.exports = Subject
