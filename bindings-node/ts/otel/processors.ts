// Span processors of the OpenTelemetry SDK, of its generations 2 and 3, behind a provider of ours.

import type { Context } from '@opentelemetry/api'
import { sayOnce } from '../core/log'
import type { Slot } from '../core/slot'
import type { Span } from '../core/span'
import { flushedAtExit, flushedBefore } from '../exit'
import type { Recorder } from '../recorder'
import { readValue } from '../values'
import { contextOf } from './context'
import { type InstrumentationScope, ReadableSpan, type SdkResource } from './readable'

/** A span processor of the SDK, as far as it is called. */
export interface SpanProcessor {
  onStart(span: never, parentContext: Context): void
  onEnding?(span: never): void
  onEnd(span: never): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/** The scope of spans that were recorded with our own interface. */
const OWN_SCOPE: InstrumentationScope = { name: 'polyspan' }

/** What an engine tells of its spans, in the threads where a provider has processors. */
export class Processors {
  readonly list: SpanProcessor[] = []
  /** Gives processors what was recorded, secrets included. */
  readonly raw: boolean
  private readonly resource: SdkResource
  /** How long the end of the process may be held up, in seconds. */
  readonly bound: number

  constructor(recorder: Recorder, raw: boolean) {
    this.raw = raw
    const attributes = readValue(recorder.engine.resource()) as SdkResource['attributes']
    this.resource = resourceOf(attributes)
    this.bound = recorder.terms.exitTimeout
    flushedAtExit(this)
  }

  /** At the end of the thread: what fails is said. */
  async flush(): Promise<void> {
    const told = this.list.map(async (processor) => {
      try {
        await processor.forceFlush()
      } catch (error) {
        failed(processor, 'forceFlush', error)
      }
    })
    await Promise.all(told)
  }

  /** A span has started where `slot` is current. */
  started(span: Span, slot: Slot | undefined, scope: InstrumentationScope = OWN_SCOPE): void {
    const face = new ReadableSpan(span, scope, this.resource)
    span._api = face
    const context = contextOf(slot)
    this.each('onStart', (processor) => processor.onStart(face as never, context))
  }

  /** A span is about to end; it can still be written. */
  ending(span: Span): void {
    const face = span._api
    if (face instanceof ReadableSpan) this.each('onEnding', (one) => one.onEnding?.(face as never))
  }

  /** A span has ended, and its record is still there. */
  ended(span: Span): void {
    const face = span._api
    if (!(face instanceof ReadableSpan)) return
    face.settle(this.raw)
    this.each('onEnd', (processor) => processor.onEnd(face as never))
  }

  async forceFlush(): Promise<void> {
    await settled(this.list.map((processor) => () => processor.forceFlush()))
  }

  async shutdown(): Promise<void> {
    flushedBefore(this)
    await settled(this.list.map((processor) => () => processor.shutdown()))
  }

  private each(method: string, call: (processor: SpanProcessor) => void): void {
    for (const processor of this.list) {
      try {
        call(processor)
      } catch (error) {
        failed(processor, method, error)
      }
    }
  }
}

function failed(processor: SpanProcessor, method: string, error: unknown): void {
  const name = (processor as object).constructor?.name ?? 'a span processor'
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  sayOnce(`processor ${name} ${method}`, `${name}: ${method} threw ${what}`)
}

/** Calls all of them, and fails with the first failure once all are done. */
async function settled(calls: (() => Promise<void>)[]): Promise<void> {
  const results = await Promise.allSettled(calls.map(async (call) => call()))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

function resourceOf(attributes: SdkResource['attributes'], schemaUrl?: string): SdkResource {
  return {
    attributes,
    schemaUrl,
    asyncAttributesPending: false,
    merge: (other) => resourceOf({ ...attributes, ...other?.attributes }, other?.schemaUrl ?? schemaUrl),
    getRawAttributes: () => Object.entries(attributes),
  }
}
