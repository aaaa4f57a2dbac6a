// Mastra with a real agent and workflow, on a mock model: through the bridge and through the exporter.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Agent } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import {
  type ObservabilityBridge,
  type ObservabilityExporter,
  SpanType,
  type TracingEvent,
  TracingEventType,
} from '@mastra/core/observability'
import { createTool } from '@mastra/core/tools'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { Observability } from '@mastra/observability'
import { MockLanguageModelV4 } from 'ai/test'
import { type SpanRecord, span } from 'polyspan'
import { PolyspanBridge, PolyspanExporter } from 'polyspan/mastra'
import { z } from 'zod'
import { named, recorded, start, stop, tree } from './recorded'

before(() => start('mastra'))
beforeEach(async () => void (await recorded()))
after(stop)

const usage = {
  inputTokens: { total: 10, noCache: 4, cacheRead: 6, cacheWrite: undefined },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
}
const finish = (unified: 'stop' | 'tool-calls') => ({
  type: 'finish' as const,
  finishReason: { unified, raw: unified },
  usage,
})

/** A model that calls the tool and then says what it is. */
function model() {
  let calls = 0
  const call = { type: 'tool-call' as const, toolCallId: 'c1', toolName: 'weather', input: '{"city":"Oslo"}' }
  const said = { type: 'text' as const, text: '7 degrees' }
  const response = { type: 'response-metadata' as const, id: 'r1', modelId: 'mock-2' }
  return new MockLanguageModelV4({
    modelId: 'mock',
    doGenerate: async () => {
      calls += 1
      const { finishReason } = finish(calls === 1 ? 'tool-calls' : 'stop')
      return { content: [calls === 1 ? call : said], finishReason, usage, warnings: [] }
    },
    doStream: async () => {
      calls += 1
      const text = [
        { type: 'text-start' as const, id: '1' },
        { type: 'text-delta' as const, id: '1', delta: said.text },
        { type: 'text-end' as const, id: '1' },
      ]
      const begin = { type: 'stream-start' as const, warnings: [] }
      const parts =
        calls === 1
          ? [begin, response, call, finish('tool-calls')]
          : [begin, response, ...text, finish('stop')]
      const stream = new ReadableStream({
        start(controller) {
          for (const part of parts) controller.enqueue(part)
          controller.close()
        },
      })
      return { stream }
    },
  })
}

const number = z.object({ n: z.number() })

function application(given: { bridge?: ObservabilityBridge; exporters?: ObservabilityExporter[] }): Mastra {
  const weather = createTool({
    id: 'weather',
    description: 'Weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async () => span('lookup', () => ({ degrees: 7 })),
  })
  const agent = new Agent({
    id: 'forecast',
    name: 'forecast',
    instructions: 'Be brief.',
    // Its types want a stream of `doGenerate` as well, which it does not call.
    model: model() as never,
    tools: { weather },
  })
  const double = createStep({
    id: 'double',
    inputSchema: number,
    outputSchema: number,
    execute: async ({ inputData: { n } }) => span('compute', () => ({ n: n * 2 })),
  })
  const check = createStep({
    id: 'check',
    inputSchema: number,
    outputSchema: number,
    execute: async ({ inputData: { n } }) => {
      if (n > 10) throw new RangeError('too large')
      return { n }
    },
  })
  const numbers = createWorkflow({ id: 'numbers', inputSchema: number, outputSchema: number })
    .then(double)
    .then(check)
    .commit()
  return new Mastra({
    agents: { agent },
    workflows: { numbers },
    logger: false,
    observability: new Observability({
      sensitiveDataFilter: false,
      configs: { default: { serviceName: 'tests', ...given } },
    }),
  })
}

/** What Mastra itself says has ended, by an exporter of nobody's. */
class Told implements ObservabilityExporter {
  readonly name = 'told'
  readonly spans: SpanRecord[] = []

  onTracingEvent({ type, exportedSpan: { id, parentSpanId, name } }: TracingEvent): void {
    if (type === TracingEventType.SPAN_ENDED)
      this.spans.push({ spanId: id, parentSpanId, name, startTime: 0n } as SpanRecord)
  }
  /** Waits until a span of that name has ended, which may be after its result is there. */
  async ended(name: string): Promise<void> {
    for (const bound = Date.now() + 30_000; !this.spans.some((each) => each.name === name); ) {
      assert.ok(Date.now() < bound, name)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async exportTracingEvent(): Promise<void> {}
  async flush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

/** Spans of the tests, which Mastra knows nothing of. */
const OWN = ['request', 'lookup', 'compute']
const ofMastra = (spans: SpanRecord[]): SpanRecord[] => spans.filter((each) => !OWN.includes(each.name))

/** The tree with what is beside each other in the order of the alphabet: Mastra starts some at the same time. */
function sorted(given: unknown): unknown {
  if (!Array.isArray(given)) return given
  const [name, ...below] = given.map(sorted)
  return [name, ...below.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))]
}
const shape = (spans: SpanRecord[]): unknown => tree(ofMastra(spans)).map(sorted)
const above = (spans: SpanRecord[], name: string): string | undefined =>
  spans.find((each) => each.spanId === named(spans, name).parentSpanId)?.name

function checkAgent(spans: SpanRecord[]): void {
  const run = named(spans, "agent run: 'forecast'")
  assert.equal(run.type, 'agent')
  assert.equal(run.attributes.agentName, 'forecast')
  assert.equal(run.attributes.instructions, 'Be brief.')
  assert.equal(run.metadata.tier, 'gold')
  const call = named(spans, 'inference: 1')
  assert.equal(call.type, 'model_inference')
  assert.equal(call.attributes.model, 'mock')
  assert.equal((call.attributes.usage as Record<string, unknown>).inputTokens, 10)
  assert.equal(call.attributes.finishReason, 'stop')
  const tool = named(spans, "tool: 'weather'")
  assert.deepEqual([tool.type, tool.attributes.toolName], ['tool', 'weather'])
  assert.deepEqual([tool.input, tool.output], [{ city: 'Oslo' }, { degrees: 7 }])
  for (const each of spans) {
    assert.equal(each.traceId, run.traceId)
    assert.ok(each.endTime >= each.startTime, each.name)
    assert.equal(each.attributes['session.id'], 's-1', each.name)
  }
}

test('the bridge: one trace with what is around an agent and inside its tools', async () => {
  const told = new Told()
  const mastra = application({ bridge: new PolyspanBridge(), exporters: [told] })
  const metadata = { sessionId: 's-1', tier: 'gold' }
  const result = await span('request', () =>
    mastra.getAgent('agent').generate('How is Oslo?', { tracingOptions: { metadata, tags: ['beta'] } }),
  )
  assert.equal(result.text, '7 degrees')
  await told.ended("agent run: 'forecast'")
  const spans = await recorded()
  assert.deepEqual(shape(spans), shape(told.spans))
  assert.equal(above(spans, "agent run: 'forecast'"), 'request')
  assert.equal(above(spans, 'lookup'), "tool: 'weather'")
  assert.equal(above(spans, "tool: 'weather'"), 'step: 0')
  checkAgent(ofMastra(spans))
  const run = named(spans, "agent run: 'forecast'")
  assert.deepEqual([result.traceId, result.spanId], [run.traceId, run.spanId])
  assert.deepEqual(run.metadata.tags, ['beta'])
  await mastra.shutdown()
})

test('the bridge: workflows, and steps that fail', async () => {
  const told = new Told()
  const mastra = application({ bridge: new PolyspanBridge(), exporters: [told] })
  const workflow = mastra.getWorkflow('numbers')
  const good = await (await workflow.createRun()).start({ inputData: { n: 2 } })
  assert.equal(good.status, 'success')
  await told.ended("workflow run: 'numbers'")
  const spans = await recorded()
  assert.deepEqual(shape(spans), shape(told.spans))
  assert.equal(above(spans, 'compute'), "workflow step: 'double'")
  assert.equal(above(spans, "workflow step: 'double'"), "workflow run: 'numbers'")
  const run = named(spans, "workflow run: 'numbers'")
  assert.deepEqual([run.type, run.attributes.workflowName], ['workflow', 'numbers'])
  assert.deepEqual([run.input, run.output], [{ n: 2 }, { n: 4 }])
  assert.equal(named(spans, "workflow step: 'double'").attributes.stepId, 'double')

  told.spans.length = 0
  await (await workflow.createRun()).start({ inputData: { n: 9 } })
  await told.ended("workflow run: 'numbers'")
  const failed = await recorded()
  const step = named(failed, "workflow step: 'check'")
  assert.equal(step.status, 'error')
  assert.match(step.statusMessage, /too large/)
  assert.equal(named(failed, "workflow run: 'numbers'").status, 'error')
  await mastra.shutdown()
})

test('the bridge: a caller far away, and what the application leaves out', async () => {
  const bridge: ObservabilityBridge = new PolyspanBridge()
  const observability = new Observability({
    configs: { default: { serviceName: 'tests', bridge, excludeSpanTypes: [SpanType.MODEL_STEP] } },
  })
  const instance = observability.getDefaultInstance()
  assert.ok(instance)
  const [traceId, externalParentSpanId] = ['a'.repeat(32), 'b'.repeat(16)]
  const root = instance.startSpan({ type: SpanType.GENERIC, name: 'root', traceId, externalParentSpanId })
  const left = root.createChildSpan({ type: SpanType.MODEL_STEP, name: 'left out' })
  left.createChildSpan({ type: SpanType.GENERIC, name: 'below' }).end()
  left.end()
  root.createEventSpan({ type: SpanType.GENERIC, name: 'event', output: 1 })
  root.end()
  const spans = await recorded()
  assert.deepEqual(
    spans.map((each) => each.name),
    ['below', 'event', 'root'],
  )
  assert.deepEqual([spans[2]?.traceId, spans[2]?.parentSpanId], [traceId, externalParentSpanId])
  assert.equal(spans[1]?.output, 1)
  await observability.shutdown()
})

test('the exporter: what Mastra tells, in a trace of its id', async () => {
  const exporter: ObservabilityExporter = new PolyspanExporter()
  const told = new Told()
  const mastra = application({ exporters: [exporter, told] })
  const metadata = { sessionId: 's-1', tier: 'gold' }
  const result = await mastra
    .getAgent('agent')
    .stream('How is Oslo?', { tracingOptions: { metadata, tags: ['beta'] } })
  assert.equal(await result.text, '7 degrees')
  await told.ended("agent run: 'forecast'")
  const spans = ofMastra(await recorded())
  assert.deepEqual(shape(spans), shape(told.spans))
  checkAgent(spans)
  const run = named(spans, "agent run: 'forecast'")
  assert.equal(run.traceId, result.traceId)
  assert.deepEqual(run.tags, ['beta'])
  await mastra.shutdown()
})

test('the exporter: spans that end twice, late, or without having begun', async () => {
  const exporter = new PolyspanExporter()
  const about = { type: 'tool_call', traceId: 'a'.repeat(32), startTime: new Date(1000), isEvent: false }
  const tell = (type: string, id: string, more: object = {}): void =>
    exporter.onTracingEvent({ type, exportedSpan: { ...about, id, name: id, ...more } } as never)
  tell('span_started', 'outer')
  tell('span_started', 'inner', { parentSpanId: 'outer' })
  tell('span_ended', 'outer', { endTime: new Date(2000) })
  // As a run that was stored and read again has them.
  const nothing = { tags: null, metadata: null, attributes: null, errorInfo: null }
  tell('span_ended', 'inner', { parentSpanId: 'outer', endTime: new Date(3000), ...nothing })
  for (const id of ['outer', 'inner']) tell('span_ended', id, { endTime: new Date(9000) })
  tell('span_ended', 'alone', { endTime: new Date(4000), traceId: 'none', parentSpanId: 'none' })
  const spans = await recorded()
  assert.deepEqual(tree(spans), [['outer', 'inner'], 'alone'])
  assert.deepEqual(
    spans.map(({ name, endTime }) => [name, Number(endTime / 1_000_000_000n)]),
    [
      ['outer', 2],
      ['inner', 3],
      ['alone', 4],
    ],
  )
})

test('every type of Mastra is one of ours', async () => {
  const exporter: ObservabilityExporter = new PolyspanExporter()
  const observability = new Observability({
    configs: { default: { serviceName: 'tests', exporters: [exporter] } },
  })
  const instance = observability.getDefaultInstance()
  assert.ok(instance)
  for (const type of Object.values(SpanType)) instance.startSpan({ type, name: type } as never).end()
  const spans = await recorded()
  assert.equal(spans.length, Object.values(SpanType).length)
  for (const each of spans) assert.equal(each.type === 'generic', each.name === 'generic', each.name)
  await observability.shutdown()
})
