// The model of the example: it plays the part of a provider's model, offline and always the same way. It asks the
// colleague, and passes on what that says, a few words at a time.

import { simulateReadableStream } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'

type Options = Parameters<MockLanguageModelV4['doStream']>[0]
type Part = Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never

export function deskModel() {
  return new MockLanguageModelV4({
    provider: 'offline',
    modelId: 'desk-1',
    doStream: async ({ prompt }) => ({
      stream: simulateReadableStream({ chunks: said(prompt), initialDelayInMs: 0, chunkDelayInMs: 5 }),
    }),
  })
}

/** The next step: decided, as a model's is, by the conversation so far. */
function said(prompt: Options['prompt']): Part[] {
  const last = prompt.at(-1)
  if (last?.role !== 'tool') {
    const question = last?.role === 'user' && last.content[0]?.type === 'text' ? last.content[0].text : ''
    const input = JSON.stringify({ question })
    return [
      { type: 'stream-start', warnings: [] },
      { type: 'tool-call', toolCallId: 'call-1', toolName: 'askColleague', input },
      finished('tool-calls', 41, 12),
    ]
  }
  const result = last.content[0]
  const output = result?.type === 'tool-result' ? result.output : undefined
  const answer = output?.type === 'json' ? (output.value as { answer: string }).answer : 'Nobody is at the desk.'
  const words = answer.match(/\S+\s*/g) ?? []
  return [
    { type: 'stream-start', warnings: [] },
    { type: 'text-start', id: 'text-1' },
    ...words.map((delta): Part => ({ type: 'text-delta', id: 'text-1', delta })),
    { type: 'text-end', id: 'text-1' },
    finished('stop', 87, words.length),
  ]
}

function finished(unified: 'stop' | 'tool-calls', input: number, output: number): Part {
  const inputTokens = { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined }
  const outputTokens = { total: output, text: output, reasoning: undefined }
  return { type: 'finish', finishReason: { unified, raw: unified }, usage: { inputTokens, outputTokens } }
}
