// What the events of the AI SDK say, as far as it is recorded, and reading it. Used by `ai_sdk.ts` alone.
//
// The types are those parts of the SDK's own that are used, so that the package needs no types of the SDK and takes
// versions that say more.

import type { ModelInferenceAttributes, Usage } from './index'

/** Of every event. */
export interface AnyEvent {
  /** The operation it belongs to. */
  readonly callId: string
  /** When it happened, in milliseconds since the epoch, where that was reported later. */
  readonly timestamp?: number
  readonly functionId?: string
  readonly recordInputs?: boolean
  readonly recordOutputs?: boolean
}

interface Settings {
  readonly maxOutputTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly stopSequences?: readonly string[]
  readonly seed?: number
  readonly reasoning?: unknown
}

export interface OperationStart extends AnyEvent, Settings {
  readonly operationId: string
  readonly provider?: string
  readonly modelId?: string
  readonly instructions?: unknown
  readonly system?: unknown
  readonly prompt?: unknown
  readonly messages?: unknown
  readonly tools?: unknown
  readonly value?: unknown
  readonly documents?: readonly unknown[]
  readonly query?: string
  /** What is to be decided, and about what. */
  readonly state?: unknown
  readonly questions?: unknown
  readonly topN?: number
  readonly text?: string
  /** What is known of the sound, which itself is not told. */
  readonly audio?: unknown
}

export interface OperationEnd extends AnyEvent {
  readonly operationId?: string
  readonly finishReason?: string
  readonly usage?: unknown
  readonly text?: string
  readonly responseMessages?: readonly unknown[]
  readonly object?: unknown
  readonly error?: unknown
  readonly embedding?: unknown
  readonly ranking?: unknown
  readonly answers?: unknown
  readonly response?: unknown
  readonly audio?: unknown
}

export interface StepStart extends AnyEvent {
  readonly stepNumber: number
}

export interface StepEnd extends AnyEvent {
  readonly finishReason?: string
  readonly usage?: unknown
  readonly warnings?: readonly unknown[]
}

export interface CallStart extends AnyEvent, Settings {
  readonly provider: string
  readonly modelId: string
  readonly instructions?: unknown
  readonly messages?: unknown
  readonly tools?: readonly unknown[]
}

export interface CallEnd extends AnyEvent {
  readonly modelId: string
  readonly finishReason?: string
  readonly usage?: unknown
  readonly content?: readonly unknown[]
  readonly responseId?: string
  readonly performance?: { readonly timeToFirstOutputMs?: number }
}

export interface ObjectStepStart extends AnyEvent {
  readonly provider: string
  readonly modelId: string
  readonly promptMessages?: unknown
}

export interface ObjectStepEnd extends AnyEvent {
  readonly finishReason?: string
  readonly usage?: unknown
  readonly objectText?: string
  readonly msToFirstChunk?: number
  readonly response?: { readonly id?: string; readonly modelId?: string }
}

export interface EmbedStart extends AnyEvent {
  readonly embedCallId: string
  readonly provider: string
  readonly modelId: string
  readonly values: readonly unknown[]
}

export interface EmbedEnd extends AnyEvent {
  readonly embedCallId: string
  readonly embeddings?: readonly unknown[]
  readonly usage?: unknown
}

export interface ToolStart extends AnyEvent {
  readonly toolCall: { readonly toolCallId: string; readonly toolName: string; readonly input?: unknown }
}

export interface ToolEnd extends ToolStart {
  readonly toolOutput: { readonly type: string; readonly output?: unknown; readonly error?: unknown }
}

export interface Failure extends AnyEvent {
  readonly error?: unknown
}

/** Runs the call of a model or a tool in a context. */
export interface Execution<T> {
  readonly callId: string
  readonly execute: () => PromiseLike<T>
}

/** The request parameters of a call, under our names. */
export function settings(event: Settings): ModelInferenceAttributes {
  const { reasoning } = event
  return {
    maxOutputTokens: event.maxOutputTokens,
    temperature: event.temperature,
    topP: event.topP,
    topK: event.topK,
    presencePenalty: event.presencePenalty,
    frequencyPenalty: event.frequencyPenalty,
    stopSequences: event.stopSequences,
    seed: event.seed,
    reasoningLevel: typeof reasoning === 'string' ? reasoning : undefined,
  }
}

/** The token counts of a language model, or of one that embeds. */
export function usageOf(given: unknown): Usage | undefined {
  const counts = record(given)
  if (counts === undefined) return undefined
  if (typeof counts.tokens === 'number') return { inputTokens: counts.tokens }
  const input = record(counts.inputTokenDetails)
  const output = record(counts.outputTokenDetails)
  return defined({
    inputTokens: counts.inputTokens,
    outputTokens: counts.outputTokens,
    totalTokens: counts.totalTokens,
    inputDetails: input && defined({ cacheRead: input.cacheReadTokens, cacheWrite: input.cacheWriteTokens }),
    outputDetails: output && defined({ text: output.textTokens, reasoning: output.reasoningTokens }),
  }) as Usage
}

/** What an operation was asked: its messages, its prompt, or what it decides, embeds, ranks, says or hears. */
export function inputOf(event: OperationStart): unknown {
  if (event.questions !== undefined) return { state: event.state, questions: event.questions }
  return event.messages ?? event.prompt ?? event.value ?? event.query ?? event.text ?? event.audio
}

/** What an operation answered. The vectors of embeddings and sounds are left out. */
export function outputOf(event: OperationEnd): unknown {
  if (event.operationId === 'ai.generateSpeech') return event.audio
  if (event.text !== undefined && event.text !== '') return event.text
  return event.object ?? event.answers ?? event.responseMessages ?? event.ranking
}

/** The model that answered, where the event says it. */
export function responseModelOf(event: OperationEnd): string | undefined {
  const model = record(event.response)?.modelId
  return typeof model === 'string' ? model : undefined
}

/** What a model may call. */
export function toolNames(tools: unknown): string[] | undefined {
  const known = record(tools)
  return known && Object.keys(known)
}

export function describedTool(tools: unknown, name: string): string | undefined {
  const about = record(record(tools)?.[name])?.description
  return typeof about === 'string' ? about : undefined
}

export function textOrList(given: unknown): string | readonly unknown[] | undefined {
  if (typeof given === 'string' || Array.isArray(given)) return given
  return given === undefined || given === null ? undefined : [given]
}

export function record(given: unknown): Record<string, unknown> | undefined {
  return typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : undefined
}

function defined(given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
