// `tests/vectors/selection.json`: which of several engines a trace goes to.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  context,
  type Engine,
  init,
  MemoryExporter,
  type SelectorFunction,
  setDefault,
  setLogger,
  setSelector,
  span,
} from 'polyspan'
import { type Json, vectors } from './vectors'

// What a selector that fails is said to have done.
setLogger(() => undefined)

function selector(given: Json, asked: string[]): SelectorFunction {
  return (root: Json) => {
    asked.push(root.name)
    if (given.fails) throw new Error('as the case asks for')
    if (given.reads === undefined) return given.answer ?? undefined
    const found = root[given.reads === 'request_context' ? 'requestContext' : given.reads]
    return typeof found === 'string' ? found : found?.tenant
  }
}

function play(steps: Json[], engines: Map<string, Engine>): void {
  for (const { span: name, engine, context: request, inside = [], ...options } of steps) {
    if (name === undefined) {
      context({ requestContext: request }, () => play(inside, engines))
      continue
    }
    const given = engine === undefined ? { span } : (engines.get(engine) as Engine)
    given.span(name, options, () => play(inside, engines))
  }
}

for (const entry of vectors('selection.json').cases as Json[]) {
  test(`selection: ${entry.name}`, async () => {
    const kept = new Map<string, MemoryExporter>()
    const engines = new Map<string, Engine>()
    for (const name of entry.engines) {
      const exporter = new MemoryExporter()
      kept.set(name, exporter)
      engines.set(name, init(name, { name, exporter }))
    }
    const asked: string[] = []
    try {
      if (entry.default) setDefault(entry.default)
      if (entry.selector) setSelector(selector(entry.selector, asked))
      for (const name of entry.stopped ?? []) await engines.get(name)?.shutdown()
      play(entry.spans, engines)
    } finally {
      setSelector(undefined)
      for (const engine of engines.values()) await engine.shutdown()
    }
    const goes: Record<string, string[]> = {}
    for (const [name, engine] of engines) {
      assert.ok(engine.stats().addsUp)
      const names = (kept.get(name) as MemoryExporter).spans.map((record) => record.name).sort()
      if (names.length > 0) goes[name] = names
    }
    const wanted = Object.entries(entry.goes).map(([name, names]) => [name, (names as string[]).toSorted()])
    assert.deepEqual(goes, Object.fromEntries(wanted))
    if (entry.asked) assert.deepEqual(asked, entry.asked)
  })
}
