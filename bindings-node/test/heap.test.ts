// Memory stays where it is, however many spans are recorded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Span as ApiSpan, context, trace } from '@opentelemetry/api'
import { init, type Span, span } from 'polyspan'
import { TracerProvider } from 'polyspan/opentelemetry'

/** Set to 10,000,000 to see it over a long run. */
const SPANS = Number(process.env.POLYSPAN_TEST_SPANS ?? 60_000)
const ROUND = 10_000
const MIB = 1024 * 1024

test('the heap is flat, and so is what the addon holds', async (context) => {
  const engine = init({ service: 'heap', name: 'heap', exporters: [] })
  const attributes = { 'agent.request': 'twenty characters ok', 'agent.attempt': 1, 'agent.score': 0.5 }
  const round = async (): Promise<{ heap: number; outside: number }> => {
    for (let i = 0; i < ROUND / 2; i++) {
      engine.span(`name ${i % 5000}`, { type: 'agent', attributes }, () => {
        span('inner', { attributes: { [`key ${i % 5000}`]: `value ${i}` } }, (inner) => {
          inner.event('token', { position: i }).update({ output: { text: 'an answer', at: i } })
        })
      })
    }
    await engine.flush()
    // Two, as what finalizers let go of is collected by the next one.
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    return { heap: heapUsed, outside: external }
  }
  // Until the tables of names and the pools have the size that they keep.
  for (let i = 0; i < 2; i++) await round()
  const before = await round()
  let after = before
  for (let recorded = 0; recorded < SPANS; recorded += ROUND) after = await round()
  const [heap, outside] = [after.heap - before.heap, after.outside - before.outside]
  // Two words kept of each span would be more; a long run would show one.
  assert.ok(heap < MIB, `${heap} bytes of heap more after ${SPANS} spans`)
  assert.ok(outside < 4 * MIB, `${outside} bytes outside of it more`)
  context.diagnostic(
    `${SPANS} spans: ${heap} bytes of heap more, ${outside} outside of it, of ${before.heap}`,
  )
  const { ended, accepted } = engine.stats()
  assert.equal(ended, accepted)
  await engine.shutdown()
})

/** Whether what it refers to is collected, however many turns that takes. */
async function isGone(first: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 200 && first.deref() !== undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    globalThis.gc?.()
  }
  return first.deref() === undefined
}

test('a span that goes on from another does not hold on to those before', async () => {
  const provider = new TracerProvider({ service: 'chain', name: 'chain', exporters: [] })
  assert.ok(provider.register())
  const tracer = provider.getTracer('chain')

  const linked = (): [WeakRef<object>, Span] => {
    let last = span.start('first')
    const first = new WeakRef(last)
    for (let i = 0; i < 100; i++) {
      const next = span.start('next', { parent: last })
      last.end()
      last = next
    }
    return [first, last]
  }
  const [explicit, last] = linked()
  assert.ok(await isGone(explicit))
  last.end()

  const polling = (): Promise<[WeakRef<object>, ApiSpan]> =>
    new Promise((done) => {
      let [left, first]: [number, WeakRef<object> | undefined] = [100, undefined]
      const tick = (): void => {
        const started = tracer.startSpan('tick')
        first ??= new WeakRef(started)
        context.with(trace.setSpan(context.active(), started), () => {
          left -= 1
          if (left > 0) setImmediate(tick)
          else done([first as WeakRef<object>, started])
        })
        started.end()
      }
      tick()
    })
  const [polled, newest] = await polling()
  assert.ok(await isGone(polled))
  assert.ok(!newest.isRecording())
  await provider.shutdown()
})
