// The AI SDK's operations on rankings, speech, sound and images, with its own mock models.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import {
  generateImage,
  generateSpeech,
  registerTelemetry,
  rerank,
  experimental_streamTranscribe as streamTranscribe,
  transcribe,
  wrapImageModel,
} from 'ai'
import { MockImageModelV4, MockRerankingModelV4, MockSpeechModelV4, MockTranscriptionModelV4 } from 'ai/test'
import { type SpanRecord, span } from 'polyspan'
import { imageMiddleware, telemetry } from 'polyspan/ai-sdk'
import { eventually, named, recorded, start, stop, tree } from './recorded'

;(globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false
before(() => {
  start('ai-sdk-media')
  registerTelemetry(telemetry())
})
beforeEach(async () => void (await recorded()))
after(stop)

const response = { timestamp: new Date(0), modelId: 'mock-2', headers: {} }
/** Enough of a WAVE file to be known as one. */
const sound = new Uint8Array([0x52, 0x49, 0x46, 0x46, 0, 0, 0, 0, 0x57, 0x41, 0x56, 0x45])

function failed(spans: SpanRecord[], name: string): void {
  const each = named(spans, name)
  assert.deepEqual(
    [each.status, each.statusMessage, each.attributes['error.type']],
    ['error', 'quota', 'RangeError'],
  )
}
const refuse = async (): Promise<never> => {
  throw new RangeError('quota')
}

test('a ranking', async () => {
  const model = new MockRerankingModelV4({
    modelId: 'ranks',
    doRerank: async () => ({
      ranking: [
        { index: 1, relevanceScore: 0.9 },
        { index: 0, relevanceScore: 0.2 },
      ],
      response,
    }),
  })
  await span('request', () => rerank({ model, documents: ['tea', 'rain'], query: 'weather', topN: 2 }))
  const spans = await recorded()
  assert.deepEqual(tree(spans), [['request', 'rerank']])
  const made = named(spans, 'rerank')
  assert.equal(made.type, 'rag_action')
  const { action, scorer, model: used, candidateCount, topN, responseModel } = made.attributes
  assert.deepEqual([action, scorer, used, candidateCount, topN], ['rerank', 'ranks', 'ranks', 2, 2])
  assert.equal(responseModel, 'mock-2')
  assert.equal(made.input, 'weather')
  assert.deepEqual(made.output, [
    { originalIndex: 1, score: 0.9, document: 'rain' },
    { originalIndex: 0, score: 0.2, document: 'tea' },
  ])
  const refusing = new MockRerankingModelV4({ doRerank: refuse })
  await assert.rejects(rerank({ model: refusing, documents: ['tea'], query: 'x', maxRetries: 0 }))
  failed(await recorded(), 'rerank')
})

test('speech', async () => {
  const model = new MockSpeechModelV4({
    modelId: 'says',
    doGenerate: async () => ({ audio: sound, warnings: [], response }),
  })
  await generateSpeech({ model, text: 'It rains.', instructions: 'Whisper.' })
  const made = named(await recorded(), 'generateSpeech')
  assert.equal(made.type, 'model_generation')
  assert.deepEqual([made.attributes.model, made.attributes.outputType], ['says', 'speech'])
  assert.equal(made.attributes.instructions, 'Whisper.')
  assert.equal(made.input, 'It rains.')
  const { byteLength, mediaType } = made.output as { byteLength: number; mediaType: string }
  assert.deepEqual([byteLength, mediaType], [sound.length, 'audio/wav'])
  const refusing = new MockSpeechModelV4({ doGenerate: refuse })
  await assert.rejects(generateSpeech({ model: refusing, text: 'x', maxRetries: 0 }))
  failed(await recorded(), 'generateSpeech')
})

const transcript = {
  text: 'It rains.',
  segments: [],
  language: 'en',
  durationInSeconds: 1,
  warnings: [],
}

test('a transcription', async () => {
  const model = new MockTranscriptionModelV4({
    modelId: 'hears',
    doGenerate: async () => ({ ...transcript, response }),
  })
  await transcribe({ model, audio: sound })
  const made = named(await recorded(), 'transcribe')
  assert.equal(made.type, 'model_generation')
  const { model: used, responseModel, outputType, streaming } = made.attributes
  assert.deepEqual([used, responseModel, outputType, streaming], ['hears', 'mock-2', 'text', false])
  assert.equal((made.input as { byteLength: number }).byteLength, sound.length)
  assert.equal(made.output, 'It rains.')
  const refusing = new MockTranscriptionModelV4({ doGenerate: refuse })
  await assert.rejects(transcribe({ model: refusing, audio: sound, maxRetries: 0 }))
  failed(await recorded(), 'transcribe')
})

test('a transcription that streams', async () => {
  const model = new MockTranscriptionModelV4({
    modelId: 'hears',
    doStream: async ({ audio }) => {
      for await (const _ of audio);
      return {
        stream: new ReadableStream({
          start(controller) {
            controller.enqueue({ type: 'stream-start', warnings: [] })
            controller.enqueue({ type: 'transcript-delta', id: '1', delta: 'It rains.' })
            controller.enqueue({ type: 'finish', ...transcript })
            controller.close()
          },
        }),
      }
    },
  })
  const audio = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(sound)
      controller.close()
    },
  })
  const result = streamTranscribe({ model, audio, inputAudioFormat: { type: 'audio/pcm', rate: 16_000 } })
  for await (const _ of result.fullStream);
  const made = named(await eventually(1), 'streamTranscribe')
  assert.deepEqual([made.attributes.streaming, made.output], [true, 'It rains.'])
})

test('images, by a middleware of their model', async () => {
  const doGenerate = async () => ({
    images: ['AAEC', 'AAECAw=='],
    warnings: [],
    response,
    usage: { inputTokens: 8, outputTokens: 2, totalTokens: 10 },
  })
  const wrapped = (each: ConstructorParameters<typeof MockImageModelV4>[0]) =>
    wrapImageModel({ model: new MockImageModelV4(each), middleware: imageMiddleware() })
  const model = wrapped({ modelId: 'paints', maxImagesPerCall: 2, doGenerate })
  await span('request', () => generateImage({ model, prompt: 'a cup of tea', n: 2, size: '64x64' }))
  const spans = await recorded()
  assert.deepEqual(tree(spans), [['request', 'paints']])
  const made = named(spans, 'paints')
  assert.equal(made.type, 'model_generation')
  const { outputType, choiceCount, responseModel, usage } = made.attributes
  assert.deepEqual([outputType, choiceCount, responseModel], ['image', 2, 'mock-2'])
  assert.equal((usage as Record<string, unknown>).inputTokens, 8)
  assert.equal(made.input, 'a cup of tea')
  assert.deepEqual(made.output, [
    { type: 'image', byteLength: 3 },
    { type: 'image', byteLength: 4 },
  ])
  assert.equal(made.metadata.size, '64x64')
  const refusing = wrapped({ modelId: 'paints', doGenerate: refuse })
  await assert.rejects(generateImage({ model: refusing, prompt: 'x', maxRetries: 0 }))
  failed(await recorded(), 'paints')
})
