// Contexts: a span, often one of another process, and what spans inside inherit.

import { type Ambient, inside, type Slot } from './slot'
import { Span } from './span'
import { type Identified, identity, type SpanContext } from './span_context'

/** An immutable context: a span (often one of another process), baggage, and what spans inside inherit. */
export class Context implements Slot, Identified {
  /** @internal */ _span: Span | undefined
  /** @internal */ readonly _ambient: Ambient | undefined
  /** @internal */ _face: Slot['_face'] = undefined
  /** @internal */ _otel: Slot['_otel'] = undefined

  /** @internal */
  constructor(span: Span | undefined, ambient: Ambient | undefined) {
    this._span = span
    this._ambient = ambient
  }

  get [identity](): SpanContext | undefined {
    return this.spanContext
  }

  /** The span context; `undefined` where there is no span. */
  get spanContext(): SpanContext | undefined {
    return this._span?.context
  }

  /** The baggage; properties stand behind the value. */
  get baggage(): Record<string, string> {
    return baggageOf(this._ambient)
  }

  /** Runs `body` with this context current. */
  run<R>(body: () => R): R {
    return inside(this, body)
  }
}

export function baggageOf(ambient: Ambient | undefined): Record<string, string> {
  const found: Record<string, string> = {}
  const flat = ambient?.baggage() ?? []
  for (let i = 0; i + 2 < flat.length; i += 3) {
    found[flat[i] as string] = flat[i + 2] ? `${flat[i + 1]};${flat[i + 2]}` : (flat[i + 1] as string)
  }
  return found
}

/** The span of what is current. */
export function spanOf(slot: Slot | undefined): Span | undefined {
  return slot instanceof Span ? slot : (slot as Context | undefined)?._span
}
