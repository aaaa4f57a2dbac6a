// Polyspan by its own interface.

function attributes(facts) {
  return {
    'agent.request': facts.request,
    'agent.component': facts.component,
    'agent.region': facts.region,
    'agent.attempt': facts.attempt,
    'agent.score': facts.score,
    'agent.cached': facts.cached,
  }
}

function model(span, facts) {
  span.event('first_token', { position: facts.position, finish: facts.finish })
  span.event('usage', { tokens: facts.tokens, unit: facts.unit })
  span.update({ output: facts.output })
}

/** The options by which the engine is started as the other subjects are. */
function options(setup) {
  const sampler = setup.sampled ? 'parentbased_always_on' : 'parentbased_always_off'
  const exporter = setup.export === 'otlp' ? { endpoint: setup.sink } : { exporters: [] }
  return { service: 'bench', sampler, ...exporter }
}

/** The engine's own account; where no exporter is set, what one would have been given counts. */
function account(stats) {
  const exported = Object.keys(stats.exporters).length > 0 ? stats.exported : stats.accepted
  const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0)
  return { ended: stats.ended, exported, left_out: stats.unsampled, dropped }
}

class Subject {
  constructor(setup) {
    const { init, span } = setup.load('polyspan')
    this.span = span
    this.engine = init(options(setup))
  }

  trace(turn) {
    const { span } = this
    span('agent run', { type: 'agent', attributes: attributes(turn.agent) }, () => {
      const asked = turn.planModel
      const of = (facts, input) => ({
        type: 'model_generation',
        kind: 'client',
        input,
        attributes: attributes(facts),
      })
      span('plan', of(turn.plan, asked.input), (plan) => {
        model(plan, asked)
        span('lookup', { type: 'tool', attributes: attributes(turn.lookup) }, () => {
          span(
            'query',
            { type: 'rag_query', kind: 'client', attributes: attributes(turn.query) },
            () => undefined,
          )
        })
      })
      span('answer', of(turn.answer, turn.answerModel.input), (answer) => model(answer, turn.answerModel))
      span('recall', { type: 'memory_lookup', attributes: attributes(turn.recall) }, () => undefined)
      span('notify', { type: 'tool', attributes: attributes(turn.notify) }, () => undefined)
      span(
        'calendar',
        { type: 'mcp_tool', kind: 'client', attributes: attributes(turn.calendar) },
        () => undefined,
      )
    })
  }

  one(facts) {
    this.span('agent run', { attributes: attributes(facts) }, () => undefined)
  }

  flush() {
    return this.engine.flush({ timeout: 30 })
  }

  async stop() {
    await this.engine.shutdown({ timeout: 30 })
    return account(this.engine.stats())
  }
}

module.exports = Subject
module.exports.attributes = attributes
module.exports.options = options
module.exports.account = account
