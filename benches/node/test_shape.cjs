// Holds the subjects to `workload.json`: one trace of each is compared with the page.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')
const { test } = require('node:test')
const { PAGE, turns } = require('./workload.cjs')

const load = createRequire(join(process.env.BENCH_MODULES, 'node_modules', '_'))
const { init, MemoryExporter, span } = load('polyspan')
const page = JSON.parse(readFileSync(PAGE, 'utf8'))

function expected(modelKeys) {
  return page.spans.map(({ name, parent, kind, model }) => [
    name,
    parent,
    kind,
    [...Object.keys(page.attributes), ...(model ? modelKeys : [])].sort(),
    model ? page.model.events : {},
  ])
}

function recorded(exporter) {
  const spans = exporter.take()
  const names = new Map(spans.map((each) => [each.spanId, each.name]))
  const told = spans.map((each) => [
    each.name,
    names.get(each.parentSpanId) ?? null,
    each.kind,
    Object.keys(each.attributes).sort(),
    Object.fromEntries(each.events.map(({ name, attributes }) => [name, Object.keys(attributes)])),
  ])
  return page.spans.map(({ name }) => told.find(([found]) => found === name))
}

const plain = (rows) =>
  rows.map(([name, parent, kind, keys, events]) => [
    name,
    parent,
    kind,
    keys,
    Object.fromEntries(Object.entries(events).map(([event, fields]) => [event, Object.values(fields).length])),
  ])

test('each subject records the page', async () => {
  for (const [name, modelKeys] of [
    ['polyspan', []],
    ['polyspan_api', ['input.value', 'output.value']],
  ]) {
    const exporter = new MemoryExporter()
    const Subject = require(`./subjects/${name}.cjs`)
    const subject = Object.create(Subject.prototype)
    const engine = init({ service: 'bench', exporter, replace: true })
    subject.span = name === 'polyspan' ? span : subject.span
    if (name !== 'polyspan') {
      const { TracerProvider } = load('polyspan/opentelemetry')
      subject.provider = new TracerProvider({ engine })
      subject.provider.register()
      subject.tracer = subject.provider.getTracer('bench')
    }
    subject.trace(turns()[0])
    await engine.flush()
    assert.deepEqual(plain(recorded(exporter)), plain(expected(modelKeys)), name)
    await engine.shutdown()
  }
})

test('texts have the lengths of the page and differ between turns', () => {
  const [first, second] = turns()
  assert.deepEqual([first.plan.request.length, first.planModel.input.length], [20, 1000])
  assert.notEqual(first.planModel.input, second.planModel.input)
})
