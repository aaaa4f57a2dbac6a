// The AI SDK with its own mock models: what its operations become, however they end.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import {
  APICallError,
  experimental_decide as decide,
  embed,
  embedMany,
  generateObject,
  generateText,
  isStepCount,
  registerTelemetry,
  simulateReadableStream,
  streamText,
  type Telemetry,
  tool,
} from 'ai'
import { Experimental_DecisionMockModelV4, MockEmbeddingModelV4, MockLanguageModelV4 } from 'ai/test'
import { type SpanRecord, span } from 'polyspan'
import { telemetry } from 'polyspan/ai-sdk'
import { z } from 'zod'
import { eventually, named, recorded, start, stop, tree } from './recorded'

const integration: Telemetry = telemetry()
;(globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false
before(() => {
  start('ai-sdk')
  registerTelemetry(integration)
})
beforeEach(async () => void (await recorded()))
after(stop)

type Result = Exclude<ConstructorParameters<typeof MockLanguageModelV4>[0], undefined>['doGenerate']
const usage = {
  inputTokens: { total: 10, noCache: 4, cacheRead: 6, cacheWrite: undefined },
  outputTokens: { total: 5, text: 3, reasoning: 2 },
}
const finish = (unified: 'stop' | 'tool-calls') => ({ unified, raw: unified })
const calls = (...names: string[]) => ({
  content: names.map((toolName, at) => ({
    type: 'tool-call' as const,
    toolCallId: `c${at}`,
    toolName,
    input: '{"city":"Oslo"}',
  })),
  finishReason: finish('tool-calls'),
  usage,
  warnings: [],
})
const says = (text: string) => ({
  content: [{ type: 'text' as const, text }],
  finishReason: finish('stop'),
  usage,
  warnings: [],
  response: { id: 'r1', modelId: 'mock-2' },
})
const generating = (doGenerate: Result) => new MockLanguageModelV4({ modelId: 'mock', doGenerate })
const failing = (message: string) =>
  generating(async () => {
    throw new RangeError(message)
  })
const weather = tool({
  description: 'Weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => span('lookup', () => ({ city, degrees: 7 })),
})
const broken = tool({
  inputSchema: z.object({ city: z.string() }),
  execute: async (): Promise<string> => {
    throw new TypeError('no such city')
  },
})

const parts = [
  { type: 'stream-start' as const, warnings: [] },
  { type: 'response-metadata' as const, id: 'r1', modelId: 'mock-2' },
  { type: 'text-start' as const, id: '1' },
  { type: 'text-delta' as const, id: '1', delta: 'Hel' },
  { type: 'text-delta' as const, id: '1', delta: 'lo' },
  { type: 'text-end' as const, id: '1' },
  { type: 'finish' as const, finishReason: finish('stop'), usage },
]
type Part = (typeof parts)[number] | { type: 'error'; error: unknown }
/** A model that streams these, and then ends, or breaks, or waits. */
function streaming(given: Part[], then: 'end' | 'break' | 'wait' = 'end') {
  return new MockLanguageModelV4({
    modelId: 'mock',
    doStream: async ({ abortSignal }) => {
      const left = [...given]
      const stream = new ReadableStream({
        start(controller) {
          abortSignal?.addEventListener('abort', () => controller.error(abortSignal.reason))
        },
        pull(controller) {
          const next = left.shift()
          if (next !== undefined) controller.enqueue(next)
          else if (then === 'end') controller.close()
          else if (then === 'break') controller.error(new RangeError('connection lost'))
          else return new Promise<void>(() => undefined)
        },
      })
      return { stream }
    },
  })
}
const ignored = { onError: () => undefined }
async function text(stream: AsyncIterable<string>): Promise<string> {
  let all = ''
  for await (const piece of stream) all += piece
  return all
}

test('an agent with tools: steps, model calls, and what the tools do', async () => {
  await span('request', () =>
    generateText({
      model: generating([calls('weather', 'broken'), says('7 degrees')] as never),
      tools: { weather, broken },
      stopWhen: isStepCount(3),
      instructions: 'Be brief.',
      prompt: 'How is Oslo?',
      temperature: 0.2,
      telemetry: { functionId: 'forecast' },
    }),
  )
  const spans = await recorded()
  const byModel = spans.filter((each) => each.type === 'model_inference')
  assert.deepEqual(tree(spans), [
    ['request', ['forecast', ['step 1', 'mock', ['weather', 'lookup'], 'broken'], ['step 2', 'mock']]],
  ])
  const run = named(spans, 'forecast')
  assert.equal(run.type, 'agent')
  assert.deepEqual(run.input, [{ role: 'user', content: 'How is Oslo?' }])
  assert.equal(run.output, '7 degrees')
  assert.equal(run.attributes.model, 'mock')
  assert.equal(run.attributes.instructions, 'Be brief.')
  assert.deepEqual(run.attributes.availableTools, ['weather', 'broken'])
  assert.deepEqual((run.attributes.usage as Record<string, unknown>).outputTokens, 10)
  const [first, second] = byModel
  assert.equal(first?.attributes.temperature, 0.2)
  assert.equal(first?.attributes.finishReason, 'tool-calls')
  assert.equal(first?.attributes.streaming, false)
  assert.equal((first?.attributes.tools as unknown[] | undefined)?.length, 2)
  assert.deepEqual(second?.attributes.usage, {
    inputTokens: 10,
    outputTokens: 5,
    totalTokens: 15,
    inputDetails: { cacheRead: 6 },
    outputDetails: { text: 3, reasoning: 2 },
  })
  assert.equal(second?.attributes.responseModel, 'mock-2')
  assert.equal(second?.attributes.responseId, 'r1')
  assert.equal(second?.attributes.stepIndex, 1)
  assert.deepEqual(second?.output, { role: 'assistant', content: [{ type: 'text', text: '7 degrees' }] })
  assert.equal((second?.input as unknown[] | undefined)?.length, 3)
  const used = named(spans, 'weather')
  assert.deepEqual([used.type, used.attributes.toolCallId, used.attributes.success], ['tool', 'c0', true])
  assert.equal(used.attributes.toolDescription, 'Weather of a city')
  assert.deepEqual([used.input, used.output], [{ city: 'Oslo' }, { city: 'Oslo', degrees: 7 }])
  const failed = named(spans, 'broken')
  assert.deepEqual([failed.status, failed.statusMessage], ['error', 'no such city'])
  assert.equal(failed.attributes['error.type'], 'TypeError')
  assert.equal(failed.attributes.success, false)
  assert.equal(named(spans, 'step 2').attributes.finishReason, 'stop')
})

test('an agent inside a tool of another', async () => {
  const inner = generating(says('yes') as never)
  const delegate = tool({
    inputSchema: z.object({ city: z.string() }),
    execute: async () =>
      (await generateText({ model: inner, prompt: 'Rain?', telemetry: { functionId: 'inner' } })).text,
  })
  await generateText({
    model: generating([calls('delegate'), says('done')] as never),
    tools: { delegate },
    stopWhen: isStepCount(2),
    prompt: 'Ask.',
    telemetry: { functionId: 'outer' },
  })
  assert.deepEqual(tree(await recorded()), [
    ['outer', ['step 1', 'mock', ['delegate', ['inner', ['step 1', 'mock']]]], ['step 2', 'mock']],
  ])
})

test('a call that fails, and one that is aborted', async () => {
  const model = failing('quota')
  await assert.rejects(generateText({ model, maxRetries: 0, prompt: 'Hi' }), RangeError)
  const controller = new AbortController()
  const waiting = generating(
    ({ abortSignal }) =>
      new Promise((_, reject) => {
        abortSignal?.addEventListener('abort', () => reject(abortSignal.reason))
        controller.abort()
      }),
  )
  await assert.rejects(generateText({ model: waiting, prompt: 'Hi', abortSignal: controller.signal }), {
    name: 'AbortError',
  })
  const spans = await recorded()
  assert.deepEqual(
    spans.map(({ name, status }) => [name, status]),
    ['mock', 'step 1', 'generateText', 'mock', 'step 1', 'generateText'].map((name) => [name, 'error']),
  )
  for (const each of spans.slice(0, 3)) {
    assert.equal(each.attributes['error.type'], 'RangeError')
    assert.equal(each.events[0]?.attributes['exception.message'], 'quota')
  }
  assert.equal(spans[5]?.attributes['error.type'], 'AbortError')
})

test('a stream that is read to its end', async () => {
  const result = streamText({ model: streaming(parts), prompt: 'Hi', telemetry: { functionId: 'chat' } })
  assert.equal(await text(result.textStream), 'Hello')
  await result.text
  const spans = await eventually(3)
  assert.deepEqual(tree(spans), [['chat', ['step 1', 'mock']]])
  const call = named(spans, 'mock')
  assert.equal(call.attributes.streaming, true)
  assert.ok((call.attributes.timeToFirstChunk as number) > 0)
  assert.equal((call.attributes.usage as Record<string, unknown>).inputTokens, 10)
  assert.equal(named(spans, 'chat').output, 'Hello')
  assert.ok(spans.every((each) => each.status === 'unset'))
})

test('a stream that breaks', async () => {
  const lost = streamText({ model: streaming(parts.slice(0, 4), 'break'), prompt: 'Hi', ...ignored })
  await assert.rejects(text(lost.textStream), /connection lost/)
  const spans = await eventually(3)
  for (const each of spans) {
    assert.equal(each.status, 'error', each.name)
    assert.equal(each.events[0]?.attributes['exception.message'], 'connection lost')
  }
})

test('a stream in which the model reports an error', async () => {
  for (const [reported, type] of [
    [new RangeError('overloaded'), 'RangeError'],
    ['overloaded', 'error'],
  ]) {
    const error: Part = { type: 'error', error: reported }
    const result = streamText({ model: streaming([...parts.slice(0, 4), error]), prompt: 'Hi', ...ignored })
    await text(result.textStream)
    for (const each of await eventually(3)) {
      assert.deepEqual(
        [each.status, each.statusMessage, each.attributes['error.type']],
        ['error', 'overloaded', type],
        each.name,
      )
      assert.equal(each.events[0]?.attributes['exception.message'], 'overloaded')
    }
  }
})

test('a stream that is aborted', async () => {
  const controller = new AbortController()
  const result = streamText({
    model: streaming(parts.slice(0, 4), 'wait'),
    prompt: 'Hi',
    abortSignal: controller.signal,
  })
  for await (const _ of result.textStream) controller.abort()
  for (const each of await eventually(3)) {
    assert.deepEqual([each.status, each.attributes.finishReason], ['unset', 'aborted'], each.name)
  }
})

test('a stream that its reader leaves', async () => {
  const read = async (): Promise<void> => {
    const result = streamText({ model: streaming(parts.slice(0, 4), 'wait'), prompt: 'Hi' })
    for await (const _ of result.textStream) break
  }
  await read()
  const collect = setInterval(() => (globalThis as { gc?: () => void }).gc?.(), 5)
  try {
    for (const each of await eventually(3)) assert.equal(each.attributes.finishReason, 'aborted', each.name)
  } finally {
    clearInterval(collect)
  }
})

test('a stream goes on while what has been read of it is collected', async () => {
  const asked = [
    { type: 'tool-call' as const, toolCallId: 'c0', toolName: 'weather', input: '{"city":"Oslo"}' },
    { type: 'finish' as const, finishReason: finish('tool-calls'), usage },
  ]
  const steps = [asked, parts]
  const model = new MockLanguageModelV4({
    modelId: 'mock',
    doStream: async () => ({
      stream: simulateReadableStream({ chunks: steps.shift() as typeof parts, chunkDelayInMs: 1 }),
    }),
  })
  const slow = tool({
    inputSchema: z.object({ city: z.string() }),
    execute: async () => {
      // By turns of the event loop, as what is collected is told in one of its own.
      for (let turn = 0; turn < 5; turn++) {
        ;(globalThis as { gc?: () => void }).gc?.()
        await new Promise((done) => setTimeout(done, 5))
      }
      return 'rain'
    },
  })
  const result = streamText({ model, prompt: 'Hi', tools: { weather: slow }, stopWhen: isStepCount(3) })
  for await (const _ of result.textStream) (globalThis as { gc?: () => void }).gc?.()
  const spans = await eventually(6)
  assert.deepEqual(
    spans.filter((each) => each.attributes.finishReason === 'aborted').map((each) => each.name),
    [],
  )
  assert.equal(spans.find((each) => each.type === 'agent')?.attributes.finishReason, 'stop')
})

test('objects', async () => {
  const schema = z.object({ a: z.number() })
  const { object } = await generateObject({
    model: generating(says('{"a":1}') as never),
    schema,
    prompt: 'A',
  })
  assert.deepEqual(object, { a: 1 })
  await assert.rejects(generateObject({ model: generating(says('none') as never), schema, prompt: 'A' }))
  const spans = await recorded()
  assert.deepEqual(tree(spans), [
    ['generateObject', 'mock'],
    ['generateObject', 'mock'],
  ])
  const [call, made, , failed] = spans
  assert.deepEqual([call?.type, call?.output], ['model_inference', '{"a":1}'])
  assert.deepEqual([made?.type, made?.output], ['model_generation', { a: 1 }])
  assert.deepEqual([failed?.status, failed?.attributes['error.type']], ['error', 'AI_NoObjectGeneratedError'])
})

test('embeddings', async () => {
  const model = new MockEmbeddingModelV4({
    modelId: 'vectors',
    maxEmbeddingsPerCall: 1,
    doEmbed: async () => ({ embeddings: [[1, 2, 3]], usage: { tokens: 4 }, warnings: [] }),
  })
  await embed({ model, value: 'one' })
  await embedMany({ model, values: ['one', 'two'], maxParallelCalls: 1 })
  const spans = await recorded()
  assert.deepEqual(tree(spans), ['embed', ['embedMany', 'vectors', 'vectors']])
  const calls = spans.filter((each) => each.type === 'embedding_generation')
  assert.equal(calls.length, 3)
  for (const each of calls) {
    assert.deepEqual(each.attributes.usage, { inputTokens: 4 })
    assert.deepEqual([each.attributes.dimensions, each.attributes.inputCount], [3, 1])
    assert.equal(each.attributes.model, 'vectors')
  }
})

test('what the application does not want recorded', async () => {
  await generateText({
    model: generating([calls('weather'), says('secret')] as never),
    tools: { weather },
    stopWhen: isStepCount(2),
    prompt: 'private',
    telemetry: { recordInputs: false, recordOutputs: false },
  })
  for (const each of await recorded()) {
    if (each.name !== 'lookup') assert.deepEqual([each.input, each.output], [undefined, undefined], each.name)
  }
})

test('runs beside each other keep apart', async () => {
  const chunks = parts
  const model = new MockLanguageModelV4({
    modelId: 'mock',
    doStream: async () => ({ stream: simulateReadableStream({ chunks }) }),
  })
  await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      span(`request ${at}`, async () => {
        const result = streamText({ model, prompt: `${at}`, telemetry: { functionId: `chat ${at}` } })
        assert.equal(await text(result.textStream), 'Hello')
        await result.text
      }),
    ),
  )
  const spans = await eventually(80)
  for (let at = 0; at < 20; at += 1) {
    const request = named(spans, `request ${at}`)
    const own = spans.filter((each) => each.traceId === request.traceId)
    assert.deepEqual(tree(own), [[`request ${at}`, [`chat ${at}`, ['step 1', 'mock']]]])
  }
})

/** All that a span says of errors. */
function told({ statusMessage, events }: SpanRecord): string {
  return JSON.stringify([statusMessage, events.map(({ attributes }) => attributes)])
}

/** Fails as a provider that is to be asked again at once, and then answers. */
function again<T>(answer: T): () => Promise<T> {
  let asked = 0
  return async () => {
    asked += 1
    if (asked > 1) return answer
    throw new APICallError({
      message: 'overloaded: private',
      url: 'https://model.example',
      requestBodyValues: {},
      statusCode: 503,
      responseHeaders: { 'retry-after-ms': '1' },
    })
  }
}

test('a call that is tried again', async () => {
  await generateText({ model: generating(again(says('yes')) as never), prompt: 'Hi' })
  const [call, ...above] = await recorded()
  // The attempts are one call for the SDK.
  assert.deepEqual([call?.name, call?.status, above.length], ['mock', 'unset', 2])
  assert.equal(call?.events[0]?.attributes['exception.message'], 'overloaded: private')

  const streams = async (telemetry?: { recordInputs: false }): Promise<SpanRecord[]> => {
    const stream = simulateReadableStream({ chunks: parts })
    const model = new MockLanguageModelV4({ modelId: 'mock', doStream: again({ stream }) })
    const result = streamText({ model, prompt: 'Hi', ...(telemetry && { telemetry }) })
    assert.equal(await text(result.textStream), 'Hello')
    return eventually(4)
  }
  const spans = await streams()
  assert.deepEqual(tree(spans), [['streamText', ['step 1', 'mock', 'mock']]])
  const [failed, answered] = spans.filter((each) => each.type === 'model_inference')
  assert.deepEqual([failed?.status, failed?.statusMessage], ['error', 'overloaded: private'])
  assert.equal(answered?.status, 'unset')
  // Errors may hold what is not to be recorded.
  for (const each of await streams({ recordInputs: false })) assert.doesNotMatch(told(each), /private/)
})

test('what a model reports in its stream is left out with the rest', async () => {
  const error: Part = { type: 'error', error: new RangeError('private') }
  const result = streamText({
    model: streaming([...parts.slice(0, 4), error]),
    prompt: 'Hi',
    telemetry: { recordOutputs: false },
    ...ignored,
  })
  await text(result.textStream)
  for (const each of await eventually(3)) {
    assert.equal(each.status, 'error', each.name)
    assert.doesNotMatch(told(each), /private/, each.name)
  }
})

test('tools that are called at once under one id', async () => {
  const { content, ...rest } = calls('weather', 'weather')
  const same = { ...rest, content: content.map((each) => ({ ...each, toolCallId: 'c0' })) }
  const model = generating([same, says('7 degrees')] as never)
  await generateText({ model, tools: { weather }, stopWhen: isStepCount(2), prompt: 'Hi' })
  const spans = await recorded()
  assert.equal(spans.filter((each) => each.type === 'tool').length, 2)
  for (const each of spans)
    assert.ok(each.parentSpanId === undefined || spans.some((one) => one.spanId === each.parentSpanId))
})

test('decisions', async () => {
  const model = new Experimental_DecisionMockModelV4({
    modelId: 'judge',
    supportedQuestionTypes: ['boolean'],
    doDecide: async () => ({
      answers: { rain: { type: 'boolean' as const, probability: 0.9 } },
      usage: { inputTokens: 3, outputTokens: 1 },
      warnings: [],
    }),
  })
  const questions = { rain: { type: 'boolean' as const, instructions: 'Does it rain?' } }
  await decide({ model, state: 'wet', questions, telemetry: { functionId: 'weather' } })
  const [one] = await recorded()
  assert.deepEqual([one?.name, one?.type, one?.attributes.model], ['weather', 'model_generation', 'judge'])
  assert.deepEqual(one?.input, { state: 'wet', questions })
  assert.deepEqual(one?.output, { rain: { type: 'boolean', probability: 0.9 } })
})
