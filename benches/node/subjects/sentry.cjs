// Sentry's SDK, sending its envelopes to the sink; it keeps spans for no longer than they take to leave.
//
// It has no span events, so its model spans carry none.

const { attributes } = require('./polyspan.cjs')

function model(span, facts) {
  span.setAttribute('input.value', facts.input)
  span.setAttribute('output.value', facts.output)
}

class Subject {
  constructor(setup) {
    this.sentry = setup.load('@sentry/node')
    this.count = 0
    const options = {
      dsn: setup.sink.replace('http://', 'http://key@').concat('/1'),
      tracesSampleRate: setup.sampled ? 1 : 0,
      defaultIntegrations: false,
    }
    if (setup.export === 'null') {
      const { createTransport } = setup.load('@sentry/core')
      const answer = { statusCode: 200, headers: {} }
      options.transport = (given) => createTransport(given, () => Promise.resolve(answer))
    }
    const client = this.sentry.init(options)
    client.on('beforeEnvelope', ([, items]) => {
      for (const [header, payload] of items) {
        if (header.type === 'span') this.count += payload.items?.length ?? 1
        if (header.type === 'transaction') this.count += 1 + payload.spans.length
      }
    })
  }

  span(name, facts, body) {
    this.sentry.startSpan({ name, attributes: attributes(facts) }, (span) => body?.(span))
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

  flush() {
    return this.sentry.flush(30_000)
  }

  async stop() {
    await this.sentry.close(30_000)
    return { exported: this.count }
  }
}

module.exports = Subject
