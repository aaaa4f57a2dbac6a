// `tests/vectors/inheritance.json`: what spans inherit, which are left out, and what travels.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  context,
  type Engine,
  extract,
  init,
  inject,
  MemoryExporter,
  type SpanRecord,
  setLogger,
} from 'polyspan'
import { type Json, told, vectors } from './vectors'

setLogger(() => undefined)

const IDS: Record<string, string> = {
  session_id: 'session.id',
  user_id: 'user.id',
  organization_id: 'polyspan.organization.id',
  thread_id: 'gen_ai.conversation.id',
  run_id: 'polyspan.run.id',
  request_id: 'polyspan.request.id',
  resource_id: 'polyspan.resource.id',
  environment: 'deployment.environment.name',
  entity_type: 'polyspan.entity.type',
  entity_id: 'polyspan.entity.id',
  entity_name: 'polyspan.entity.name',
}

/** What an application gives, as TypeScript spells it; what is inside belongs to the application. */
function camel(given: Json): Json {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()),
      value,
    ]),
  )
}

function run(engine: Engine, steps: Json[]): void {
  for (const step of steps) {
    const inside = step.inside ?? []
    if (step.context) context(camel(step.context), () => run(engine, inside))
    else if (step.extract) context({ parent: extract(step.extract) }, () => run(engine, inside))
    else if (step.inject) {
      const { traceparent, ...rest } = inject({}) as Record<string, string>
      assert.equal(traceparent !== undefined, step.traceparent)
      assert.deepEqual(rest, step.inject)
    } else engine.span(step.span, camel(step.with ?? {}), () => run(engine, inside))
  }
}

function shown(span: SpanRecord, names: Map<string, string>): Json {
  const attributes: Json = { ...span.attributes }
  const ids: Json = {}
  for (const [name, key] of Object.entries(IDS)) {
    if (key in attributes) ids[name] = attributes[key]
    delete attributes[key]
  }
  const parent = span.parentSpanId
  return told({
    parent: parent === undefined ? null : (names.get(parent) ?? parent),
    ids,
    attributes,
    metadata: span.metadata,
    tags: span.tags,
  })
}

for (const entry of vectors('inheritance.json').cases as Json[]) {
  test(`inheritance: ${entry.name}`, async () => {
    const exporter = new MemoryExporter()
    const engine = init({ ...camel(entry.options), service: 'tests', exporter, replace: true })
    run(engine, entry.steps)
    await engine.flush()
    const stats = engine.stats()
    await engine.shutdown()
    assert.ok(stats.addsUp)
    assert.equal(stats.panics, 0)
    const leftOut = entry.left_out ?? { internal: 0, excluded: 0 }
    assert.deepEqual({ internal: stats.internal, excluded: stats.excluded }, leftOut)
    const names = new Map(exporter.spans.map((span) => [span.spanId, span.name]))
    const empty = { parent: null, ids: {}, attributes: {}, metadata: {}, tags: [] }
    const expected = Object.fromEntries(
      Object.entries(entry.spans as Record<string, Json>).map(([name, { hides: _, ...span }]) => [
        name,
        { ...empty, ...span },
      ]),
    )
    assert.deepEqual(
      Object.fromEntries(exporter.spans.map((span) => [span.name, shown(span, names)])),
      expected,
    )
    assert.equal(new Set(exporter.spans.map((span) => span.traceId)).size, entry.traces ?? 1)
  })
}
