// The trace in the words of the OpenTelemetry API; the provider behind it is the subclass's affair.

const { attributes } = require('./polyspan.cjs')

const [INTERNAL, CLIENT] = [0, 2]

function model(span, facts) {
  span.setAttribute('input.value', facts.input)
  span.addEvent('first_token', { position: facts.position, finish: facts.finish })
  span.addEvent('usage', { tokens: facts.tokens, unit: facts.unit })
  span.setAttribute('output.value', facts.output)
}

/** Records through `tracer`, which a subclass sets. */
class ApiSubject {
  span(name, kind, facts, body) {
    this.tracer.startActiveSpan(name, { kind, attributes: attributes(facts) }, (span) => {
      body?.(span)
      span.end()
    })
  }

  trace(turn) {
    this.span('agent run', INTERNAL, turn.agent, () => {
      this.span('plan', CLIENT, turn.plan, (plan) => {
        model(plan, turn.planModel)
        this.span('lookup', INTERNAL, turn.lookup, () => this.span('query', CLIENT, turn.query))
      })
      this.span('answer', CLIENT, turn.answer, (answer) => model(answer, turn.answerModel))
      this.span('recall', INTERNAL, turn.recall)
      this.span('notify', INTERNAL, turn.notify)
      this.span('calendar', CLIENT, turn.calendar)
    })
  }

  one(facts) {
    this.span('agent run', INTERNAL, facts)
  }
}

module.exports = ApiSubject
