// What the tests with frameworks share: an engine that keeps its spans, and looking for them.

import assert from 'node:assert/strict'
import { flush, init, MemoryExporter, type SpanRecord, setLogger, shutdown, stats } from 'polyspan'

setLogger(() => undefined)
const exporter = new MemoryExporter()

export function start(service: string): void {
  init(service, { exporter })
}

export async function stop(): Promise<void> {
  await shutdown()
}

/** Takes the spans that have ended, and checks that everything that was counted adds up. */
export async function recorded(): Promise<SpanRecord[]> {
  await flush()
  assert.ok(stats().addsUp)
  return exporter.take()
}

/** Waits until so many spans, of a kind, have ended, as those of a body that the client has left do. */
export async function eventually(count: number, kind?: string): Promise<SpanRecord[]> {
  const spans: SpanRecord[] = []
  for (const bound = Date.now() + 30_000; spans.length < count && Date.now() < bound; ) {
    spans.push(...(await recorded()).filter((each) => kind === undefined || each.kind === kind))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(spans.length, count, spans.map((each) => each.name).join())
  return spans
}

export function named(spans: SpanRecord[], name: string): SpanRecord {
  const found = spans.filter((each) => each.name === name)
  assert.equal(found.length, 1, `${name} among ${spans.map((each) => each.name).join()}`)
  return found[0] as SpanRecord
}

/** The names as a tree: each below its parent, in the order they started. */
export function tree(spans: SpanRecord[], parent?: string): unknown[] {
  const known = new Set(spans.map((each) => each.spanId))
  const inside = (each: SpanRecord): boolean =>
    parent === undefined ? !known.has(each.parentSpanId ?? '') : each.parentSpanId === parent
  return spans
    .filter(inside)
    .sort((a, b) => Number(a.startTime - b.startTime))
    .map((each) => {
      const below = tree(spans, each.spanId)
      return below.length === 0 ? each.name : [each.name, ...below]
    })
}
