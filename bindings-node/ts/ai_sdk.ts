// The AI SDK (`ai` 7 and later): its operations as spans. `registerTelemetry(telemetry())` once, or
// `telemetry: { integrations: telemetry() }` for one call.
//
// generateText, streamText and agents become an `agent`, with a `model_step` for each step, and in it the
// `model_inference` and the `tool`s. The SDK tells by events what begins and ends, all with the id of the operation;
// it runs model calls and tools through `executeLanguageModelCall` and `executeTool`, so that spans made inside are
// below theirs.

import {
  type AnyEvent,
  type CallEnd,
  type CallStart,
  describedTool,
  type EmbedEnd,
  type EmbedStart,
  type Execution,
  type Failure,
  inputOf,
  type ObjectStepEnd,
  type ObjectStepStart,
  type OperationEnd,
  type OperationStart,
  outputOf,
  record,
  responseModelOf,
  type StepEnd,
  type StepStart,
  settings,
  type ToolEnd,
  type ToolStart,
  textOrList,
  toolNames,
  usageOf,
} from './ai_sdk_events'
import {
  agent,
  embeddingGeneration,
  modelGeneration,
  modelInference,
  modelStep,
  ragAction,
  type Span,
  span,
  tool,
} from './index'

export { imageMiddleware } from './ai_sdk_images'

/** Operations that are open at the same time at most; the oldest is ended where there are more. */
const MOST_OPEN = 10_000

/** An operation that has begun and not ended, with its open spans. */
interface Operation {
  readonly id: string
  readonly root: Span
  readonly tools: unknown
  step: Span | undefined
  stepIndex: number
  call: Span | undefined
  /** Runs of tools by the id of the call, and calls of embedding models by theirs. */
  readonly running: Map<string, Span>
  /** What the model has reported in its stream; the SDK gives it to the application alone. */
  reported: { readonly error: unknown } | undefined
  /** What the last attempt to call the model has failed with; the SDK tells of the last one of all alone. */
  attempt: { readonly error: unknown } | undefined
  /** The model's stream that is being read, as something to know it by. */
  reading: object | undefined
  /** Whether errors may hold what is not to be recorded: the SDK does not tell them then. */
  readonly hides: boolean
}

/** A stream of an operation. */
interface Reading {
  readonly callId: string
  readonly reading: object
}

/** An integration of the AI SDK's telemetry that records its operations as spans. */
export function telemetry(): PolyspanTelemetry {
  return new PolyspanTelemetry()
}

/** What `telemetry()` returns: an implementation of the SDK's interface `Telemetry`. */
export class PolyspanTelemetry {
  private readonly operations = new Map<string, Operation>()
  /** Streams that nobody reads to the end: the SDK says nothing about them. One that was read to its end may go while its
   * operation goes on, with tools and further steps. */
  private readonly unread = new FinalizationRegistry<Reading>(({ callId, reading }) => {
    if (this.operations.get(callId)?.reading === reading) this.leave(callId)
  })

  onStart(event: OperationStart): void {
    // Nothing more will be heard of another one of that id.
    this.leave(event.callId)
    if (this.operations.size >= MOST_OPEN) {
      for (const oldest of this.operations.keys()) {
        this.leave(oldest)
        break
      }
    }
    this.operations.set(event.callId, {
      id: event.operationId,
      root: startOperation(event),
      tools: event.tools,
      step: undefined,
      stepIndex: 0,
      call: undefined,
      running: new Map(),
      reported: undefined,
      attempt: undefined,
      reading: undefined,
      hides: event.recordInputs === false || event.recordOutputs === false,
    })
  }

  onStepStart(event: StepStart): void {
    const operation = this.operations.get(event.callId)
    if (operation === undefined) return
    operation.stepIndex = event.stepNumber
    operation.step?.end(event.timestamp)
    operation.step = modelStep.start(`step ${event.stepNumber + 1}`, {
      parent: operation.root,
      startTime: event.timestamp,
      stepIndex: event.stepNumber,
    })
  }

  onLanguageModelCallStart(event: CallStart): void {
    const operation = this.operations.get(event.callId)
    if (operation === undefined) return
    // A stream that did not begin is tried again as another call.
    const { call, attempt } = operation
    if (call !== undefined) {
      if (attempt !== undefined) call.error(attempt.error, { end: false })
      call.end(event.timestamp)
    }
    operation.attempt = undefined
    operation.call = modelInference.start(event.modelId, {
      parent: operation.step ?? operation.root,
      startTime: event.timestamp,
      model: event.modelId,
      provider: event.provider,
      ...settings(event),
      stepIndex: operation.stepIndex,
      streaming: streams(operation.id),
      instructions: textOrList(event.instructions),
      tools: event.tools,
      input: event.recordInputs === false ? undefined : event.messages,
    })
  }

  onLanguageModelCallEnd(event: CallEnd): void {
    const operation = this.operations.get(event.callId)
    const call = operation?.call
    if (operation === undefined || call === undefined) return
    const first = event.performance?.timeToFirstOutputMs
    call.set({
      responseModel: event.modelId,
      responseId: event.responseId,
      finishReason: event.finishReason,
      usage: usageOf(event.usage),
      timeToFirstChunk: first === undefined ? undefined : first / 1000,
    })
    if (event.recordOutputs !== false) call.update({ output: { role: 'assistant', content: event.content } })
    call.end(event.timestamp)
    operation.call = undefined
  }

  executeLanguageModelCall<T>({ callId, execute }: Execution<T>): PromiseLike<T> {
    const operation = this.operations.get(callId)
    if (operation?.call === undefined) return execute()
    // Otherwise the same call is tried again.
    if (operation.attempt !== undefined) operation.call.recordException(operation.attempt.error)
    operation.attempt = undefined
    return operation.call.run(execute).then(
      (result) => {
        const stream = record(result)?.stream
        if (!(stream instanceof ReadableStream)) return result
        const reading = {}
        operation.reading = reading
        this.unread.register(stream, { callId, reading })
        const report = (error: unknown) => noteReported(operation, error)
        const atEnd = () => {
          if (operation.reading === reading) operation.reading = undefined
        }
        return { ...result, stream: watched(stream, report, atEnd) }
      },
      (error) => {
        operation.attempt = { error: shown(operation, error) }
        throw error
      },
    )
  }

  onToolExecutionStart(event: ToolStart): void {
    const operation = this.operations.get(event.callId)
    if (operation === undefined) return
    const { toolCallId, toolName, input } = event.toolCall
    const run = tool.start(toolName, {
      parent: operation.step ?? operation.root,
      startTime: event.timestamp,
      toolCallId,
      toolType: 'function',
      toolDescription: describedTool(operation.tools, toolName),
      input: event.recordInputs === false ? undefined : input,
    })
    // Some models give several calls the same id.
    operation.running.get(toolCallId)?.end(event.timestamp)
    operation.running.set(toolCallId, run)
  }

  onToolExecutionEnd(event: ToolEnd): void {
    const run = this.taken(event, event.toolCall.toolCallId)
    if (run === undefined) return
    const failed = event.toolOutput.type === 'tool-error'
    run.set('success', !failed)
    if (failed) run.error(event.toolOutput.error, { end: false })
    else if (event.recordOutputs !== false) run.update({ output: event.toolOutput.output })
    run.end(event.timestamp)
  }

  executeTool<T>({
    callId,
    toolCallId,
    execute,
  }: Execution<T> & { readonly toolCallId: string }): PromiseLike<T> {
    const run = this.operations.get(callId)?.running.get(toolCallId)
    return run === undefined ? execute() : run.run(execute)
  }

  onStepEnd(event: StepEnd): void {
    const operation = this.operations.get(event.callId)
    const step = operation?.step
    if (operation === undefined || step === undefined) return
    const { warnings } = event
    step.set({
      finishReason: event.finishReason,
      usage: usageOf(event.usage),
      warnings: warnings !== undefined && warnings.length > 0 ? warnings : undefined,
    })
    if (event.finishReason === 'error')
      for (const failed of [operation.call, step]) brokeOff(failed, operation)
    operation.call?.end(event.timestamp)
    step.end(event.timestamp)
    operation.call = undefined
    operation.step = undefined
  }

  onStepError(event: Failure): void {
    const operation = this.operations.get(event.callId)
    if (operation !== undefined) endInner(operation, event)
  }

  onObjectStepStart(event: ObjectStepStart): void {
    const operation = this.operations.get(event.callId)
    if (operation === undefined) return
    operation.call = modelInference.start(event.modelId, {
      parent: operation.root,
      startTime: event.timestamp,
      model: event.modelId,
      provider: event.provider,
      streaming: streams(operation.id),
      outputType: 'json',
      input: event.recordInputs === false ? undefined : event.promptMessages,
    })
  }

  onObjectStepEnd(event: ObjectStepEnd): void {
    const operation = this.operations.get(event.callId)
    const call = operation?.call
    if (operation === undefined || call === undefined) return
    const first = event.msToFirstChunk
    call.set({
      responseModel: event.response?.modelId,
      responseId: event.response?.id,
      finishReason: event.finishReason,
      usage: usageOf(event.usage),
      timeToFirstChunk: first === undefined ? undefined : first / 1000,
    })
    if (event.recordOutputs !== false) call.update({ output: event.objectText })
    call.end(event.timestamp)
    operation.call = undefined
  }

  onEmbedStart(event: EmbedStart): void {
    const operation = this.operations.get(event.callId)
    // A single one is the operation itself.
    if (operation?.id !== 'ai.embedMany') return
    const call = embeddingGeneration.start(event.modelId, {
      parent: operation.root,
      startTime: event.timestamp,
      model: event.modelId,
      provider: event.provider,
      inputCount: event.values.length,
      input: event.recordInputs === false ? undefined : event.values,
    })
    operation.running.set(event.embedCallId, call)
  }

  onEmbedEnd(event: EmbedEnd): void {
    const call = this.taken(event, event.embedCallId)
    if (call === undefined) return
    call.set({ usage: usageOf(event.usage), dimensions: lengthOf(event.embeddings?.[0]) })
    call.end(event.timestamp)
  }

  /** Its own events, as it streams; otherwise it is an operation like others. */
  experimental_onStreamTranscriptionStart(event: OperationStart): void {
    this.onStart(event)
  }

  experimental_onStreamTranscriptionEnd(event: OperationEnd): void {
    this.onEnd(event)
  }

  /** Its own events too, as long as it is an experiment. */
  experimental_onDecideStart(event: OperationStart): void {
    this.onStart(event)
  }

  experimental_onDecideEnd(event: OperationEnd): void {
    this.onEnd(event)
  }

  onEnd(event: OperationEnd): void {
    const operation = this.operations.get(event.callId)
    if (operation === undefined) return
    const { root, id } = operation
    root.set({ finishReason: event.finishReason, responseModel: responseModelOf(event) })
    // Those of several embeddings are on the spans of the calls.
    if (id !== 'ai.embedMany') root.set({ usage: usageOf(event.usage) })
    if (id === 'ai.embed') root.set({ dimensions: lengthOf(event.embedding) })
    if (event.recordOutputs !== false) root.update({ output: outputOf(event) })
    if (event.finishReason === 'error') brokeOff(root, operation)
    if (event.error !== undefined) root.error(event.error, { end: false })
    this.end(event, undefined)
  }

  onAbort(event: AnyEvent): void {
    for (const open of this.openSpans(event.callId)) open.set('finishReason', 'aborted')
    this.end(event, undefined)
  }

  onError(given: unknown): void {
    const event = record(given)
    if (typeof event?.callId === 'string') this.end(event as unknown as Failure, event)
  }

  /** Ends an operation with all that is still open in it; `failure` holds why. */
  private end(event: AnyEvent, failure: { error?: unknown } | undefined): void {
    const operation = this.operations.get(event.callId)
    if (operation === undefined) return
    this.operations.delete(event.callId)
    endInner(operation, { ...event, error: failure?.error })
    if (failure !== undefined) operation.root.error(failure.error, { end: false })
    operation.root.end(event.timestamp)
  }

  /** Ends an operation of which nothing more will be heard. */
  private leave(callId: string): void {
    this.onAbort({ callId })
  }

  private openSpans(callId: string): Span[] {
    const operation = this.operations.get(callId)
    if (operation === undefined) return []
    const { root, step, call } = operation
    return [root, step, call].filter((each) => each !== undefined)
  }

  private taken(event: AnyEvent, id: string): Span | undefined {
    const running = this.operations.get(event.callId)?.running
    const found = running?.get(id)
    running?.delete(id)
    return found
  }
}

function startOperation(event: OperationStart): Span {
  const { modelId: model, provider, recordInputs } = event
  const name = event.functionId ?? event.operationId.replace(/^ai\./, '')
  const options = {
    startTime: event.timestamp,
    input: recordInputs === false ? undefined : inputOf(event),
  }
  switch (event.operationId) {
    case 'ai.generateText':
    case 'ai.streamText':
      return agent.start(name, {
        ...options,
        model,
        provider,
        instructions: textOrList(event.instructions),
        availableTools: toolNames(event.tools),
      })
    case 'ai.decide':
    case 'ai.generateObject':
    case 'ai.streamObject':
      return modelGeneration.start(name, {
        ...options,
        model,
        provider,
        ...settings(event),
        outputType: 'json',
        instructions: textOrList(event.system),
        streaming: streams(event.operationId),
      })
    case 'ai.embed':
      return embeddingGeneration.start(name, { ...options, model, provider, inputCount: 1 })
    case 'ai.rerank': {
      const { documents, topN } = event
      const counts = { candidateCount: documents?.length, topN }
      return ragAction.start(name, {
        ...options,
        action: 'rerank',
        scorer: model,
        model,
        provider,
        ...counts,
      })
    }
    case 'ai.generateSpeech':
      return modelGeneration.start(name, {
        ...options,
        model,
        provider,
        outputType: 'speech',
        instructions: textOrList(event.instructions),
      })
    case 'ai.transcribe':
    case 'ai.streamTranscribe':
      return modelGeneration.start(name, {
        ...options,
        model,
        provider,
        outputType: 'text',
        streaming: streams(event.operationId),
      })
    default:
      return span.start(name, options)
  }
}

/** Ends what is open inside an operation. Tools that are still running belong to a step that is over. */
function endInner(operation: Operation, event: Failure): void {
  const open = [...operation.running.values(), operation.call, operation.step]
  for (const each of open) {
    if (event.error !== undefined) each?.error(event.error, { end: false })
    each?.end(event.timestamp)
  }
  operation.running.clear()
  operation.call = undefined
  operation.step = undefined
}

/** Marks a span whose model gave up: with the error that it reported in its stream, where it did. */
function brokeOff(failed: Span | undefined, { reported }: Operation): void {
  if (reported !== undefined) failed?.error(reported.error, { end: false })
  else failed?.set('error.type', '_OTHER').status('error', 'the model reported an error')
}

/** The first error counts: what follows is its consequence. */
function noteReported(operation: Operation, error: unknown): void {
  operation.reported ??= { error: shown(operation, error) }
}

/** An error as the SDK would tell it. */
function shown({ hides }: Operation, error: unknown): unknown {
  return hides ? new Error('AI SDK operation failed') : error
}

/** The same stream, with what it says about errors told, and its end; nothing is read ahead of its reader. */
function watched(
  stream: ReadableStream,
  report: (error: unknown) => void,
  atEnd: () => void,
): ReadableStream {
  const watch = new TransformStream(
    {
      transform(part, controller) {
        if (record(part)?.type === 'error') report(part.error)
        controller.enqueue(part)
      },
      flush: atEnd,
    },
    undefined,
    { highWaterMark: 0 },
  )
  return stream.pipeThrough(watch)
}

function streams(operationId: string): boolean {
  return operationId.startsWith('ai.stream')
}

function lengthOf(vector: unknown): number | undefined {
  return Array.isArray(vector) ? vector.length : undefined
}
