// The identity of a span: what travels between processes.

import { host } from './host'
import { contextBytes, hexWord, NO_TRACE, Trace, traceOf, wordAt, wordsOf } from './ids'
import { refuse } from './log'

/** Under this name everything that stands for a span tells which. */
export const identity: unique symbol = Symbol('polyspan identity')

/** A span, a span context, or a context. */
export interface Identified {
  readonly [identity]: SpanContext | undefined
}

/** What a span can be the child of, or linked to: a span, a span context, a context, the like of another making, or the
 * text of a `traceparent`. */
export type ParentInput = Identified | SpanContextInit | { spanContext(): SpanContextInit } | string

/** A span context of any other making, such as the OpenTelemetry API's. */
export interface SpanContextInit {
  traceId: string
  spanId: string
  traceFlags?: number
  traceState?: string | { serialize(): string }
  isRemote?: boolean
}

export class SpanContext implements Identified {
  /** @internal */ readonly _trace: Trace
  /** @internal */ readonly _high: number
  /** @internal */ readonly _low: number
  /** Whether the span lives in another process. */
  readonly isRemote: boolean

  /** @internal */
  constructor(trace: Trace, high: number, low: number, remote: boolean) {
    this._trace = trace
    this._high = high
    this._low = low
    this.isRemote = remote
  }

  /** One of another process. Ids that are none make it invalid, which is counted. */
  static of(init: SpanContextInit): SpanContext {
    const trace = wordsOf(init.traceId, 32)
    const span = wordsOf(init.spanId, 16)
    if (trace === undefined || span === undefined) {
      refuse('SpanContext')
      return new SpanContext(NO_TRACE, 0, 0, true)
    }
    const [a, b, c, d] = trace as [number, number, number, number]
    const [high, low] = span as [number, number]
    const given = init.traceState
    const state = typeof given === 'object' && given !== null ? given.serialize() : (given ?? '')
    const found = new Trace(a, b, c, d, (init.traceFlags ?? 1) & 3, usable(state))
    return new SpanContext(found, high, low, init.isRemote ?? true)
  }

  get [identity](): SpanContext {
    return this
  }

  get traceId(): string {
    return this._trace.id
  }

  get spanId(): string {
    return hexWord(this._high) + hexWord(this._low)
  }

  /** The flag byte of W3C Trace Context: 1 is sampled, 2 is random. */
  get traceFlags(): number {
    return this._trace.flags & 3
  }

  /** The `tracestate` header; empty when there is none. */
  get traceState(): string {
    return this._trace.state
  }

  get isSampled(): boolean {
    return this._trace.isSampled
  }

  /** Whether both ids are other than zero. */
  get isValid(): boolean {
    return this._trace.isValid && (this._high | this._low) !== 0
  }

  /** @internal */
  _bytes(): Uint8Array {
    return contextBytes(this._trace, this._high, this._low, this.isRemote)
  }
}

/** Header text of one byte a character; the addon checks it further. */
function usable(state: string): string {
  return /^[\x20-\x7e\t]*$/.test(state) ? state : ''
}

/** The context of such bytes. */
export function readContext(bytes: Uint8Array): SpanContext {
  return new SpanContext(traceOf(bytes), wordAt(bytes, 16), wordAt(bytes, 20), bytes[25] === 1)
}

/** The span context of whatever was given as a parent or target; `undefined` if it is none. */
export function spanContextOf(given: unknown): SpanContext | undefined {
  try {
    if (typeof given === 'string') {
      const bytes = host.traceparent(given)
      return bytes && readContext(bytes)
    }
    if (typeof given !== 'object' || given === null) return undefined
    if (identity in given) return (given as Identified)[identity]
    // A span of the OpenTelemetry API.
    const own = (given as { spanContext?: unknown }).spanContext
    if (typeof own === 'function') return spanContextOf(own.call(given))
    if ('traceId' in given && 'spanId' in given) return SpanContext.of(given as SpanContextInit)
  } catch {
    return undefined
  }
  return undefined
}
