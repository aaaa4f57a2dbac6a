// The slot of what is current, seen as OpenTelemetry's context: one slot, two faces.
//
// A context of the OpenTelemetry API becomes a slot by what it holds of ours, and the slot becomes a context again by
// the one under which it was set, with its span, its baggage and what spans inside inherit.

import {
  type Context as ApiContext,
  context as apiContext,
  type BaggageEntryMetadata,
  baggageEntryMetadataFromString,
  type ContextManager,
  createContextKey,
  INVALID_SPANID,
  INVALID_TRACEID,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api'
import { wholeValue } from '../context'
import { Context, spanOf } from '../core/context'
import { type Ambient, current, inside, type Slot } from '../core/slot'
import { noSpan, type Span } from '../core/span'
import { SpanContext } from '../core/span_context'
import { native } from '../native'
import { OtelSpan, spanFor } from './span'

/** Set by exporters of the OpenTelemetry SDK around their own requests. */
export const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
/** What spans inside inherit, in a context. */
const AMBIENT = createContextKey('polyspan ambient')
/** A context of the API with the slot that it stands for: a map of these would cost every span a collection. */
const SLOT = Symbol('polyspan slot')
type Marked = ApiContext & { [SLOT]?: Context }
/** Baggage that was made of ours. */
const made = new WeakMap<object, Ambient>()

/** The slot that a context stands for. */
export function slotOf(context: ApiContext): Context {
  const known = (context as Marked)[SLOT]
  if (known !== undefined) return known
  const span = trace.getSpan(context)
  let ambient = context.getValue(AMBIENT) as Ambient | undefined
  const baggage = propagation.getBaggage(context)
  // What ours was made into, and nobody has changed or deleted since, is ours already.
  const isOurs =
    baggage === undefined ? !hasBaggage(ambient) : ambient !== undefined && made.get(baggage) === ambient
  if (!isOurs) {
    const entries = (baggage?.getAllEntries() ?? []).map(([key, { value, metadata }]) => [
      key,
      value,
      ...(metadata ? [String(metadata)] : []),
    ])
    ambient = native().surround(ambient, wholeValue({ baggage: entries, replace_baggage: true })).ambient
  }
  const slot = new Context(span === undefined ? undefined : ownSpan(span, ambient), ambient)
  // Spans inside keep what is around them, and not this span as well: it would keep the one before it, and so on.
  slot._otel = span === undefined ? context : trace.deleteSpan(context)
  slot._face = context
  ;(context as Marked)[SLOT] = slot
  return slot
}

/** Asked of the engine once: contexts are many, and most have no baggage. */
const baggaged = new WeakMap<Ambient, boolean>()

function hasBaggage(ambient: Ambient | undefined): boolean {
  if (ambient === undefined) return false
  let known = baggaged.get(ambient)
  if (known === undefined) {
    known = ambient.baggage().length > 0
    baggaged.set(ambient, known)
  }
  return known
}

function ownSpan(
  span: ReturnType<typeof trace.getSpan> & object,
  ambient: Ambient | undefined,
): Span | undefined {
  if (span instanceof OtelSpan) return span.own
  const { traceId, spanId, traceFlags, traceState, isRemote } = span.spanContext()
  // What stands for a span where there is none is no mistake.
  if (traceId === INVALID_TRACEID || spanId === INVALID_SPANID) return undefined
  const state = traceState?.serialize()
  // Of another SDK, or of another process: either way no span of ours.
  const found = SpanContext.of({ traceId, spanId, traceFlags, traceState: state, isRemote: isRemote ?? true })
  return found.isValid ? noSpan(found._trace, found._high, found._low, ambient, true) : undefined
}

/** The context that a slot stands for. */
export function contextOf(slot: Slot | undefined): ApiContext {
  if (slot === undefined) return ROOT_CONTEXT
  if (slot._face !== undefined) return slot._face
  const span = spanOf(slot)
  let context = slot._otel ?? ROOT_CONTEXT
  if (span !== undefined) context = trace.setSpan(context, spanFor(span))
  const ambient = slot._ambient
  if (ambient !== undefined && context.getValue(AMBIENT) !== ambient) {
    context = withBaggage(context.setValue(AMBIENT, ambient), ambient)
  }
  slot._face = context
  if (slot instanceof Context) (context as Marked)[SLOT] = slot
  return context
}

function withBaggage(context: ApiContext, ambient: Ambient): ApiContext {
  const flat = ambient.baggage()
  if (flat.length === 0) return context
  const entries: Record<string, { value: string; metadata?: BaggageEntryMetadata }> = {}
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const properties = flat[i + 2] as string
    const metadata = properties === '' ? {} : { metadata: baggageEntryMetadataFromString(properties) }
    entries[flat[i] as string] = { value: flat[i + 1] as string, ...metadata }
  }
  const baggage = propagation.createBaggage(entries)
  made.set(baggage, ambient)
  return propagation.setBaggage(context, baggage)
}

/** The one that the API has. */
let registered: ContextManager | undefined

/** Whether the contexts of the API are kept in our slot. */
export function isRegistered(): boolean {
  return registered !== undefined
}

/** Makes ours the context manager of the API; false where there is another one. */
export function registerManager(): boolean {
  const manager = new PolyspanContextManager()
  if (apiContext.setGlobalContextManager(manager)) registered = manager
  return isRegistered()
}

/** The context manager of the OpenTelemetry API over our slot. */
export class PolyspanContextManager implements ContextManager {
  active(): ApiContext {
    return contextOf(current())
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: ApiContext,
    body: F,
    receiver?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return inside(slotOf(context), () => body.apply(receiver, args))
  }

  bind<T>(context: ApiContext, target: T): T {
    if (typeof target === 'function') return this.bound(context, target as never) as T
    return isEmitter(target) ? this.boundEmitter(context, target) : target
  }

  private bound(context: ApiContext, target: (...args: unknown[]) => unknown): unknown {
    const slot = slotOf(context)
    const outer = function (this: unknown, ...args: unknown[]): unknown {
      return inside(slot, () => target.apply(this, args))
    }
    Object.defineProperty(outer, 'length', { value: target.length, configurable: true })
    return outer
  }

  /** An emitter whose listeners, those that are added from now on, run where the context is current. */
  private boundEmitter<T extends Emitter>(context: ApiContext, emitter: T): T {
    const listeners = new WeakMap<object, unknown>()
    let adding = false
    for (const name of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const) {
      const add = emitter[name]
      if (typeof add !== 'function') continue
      emitter[name] = (event, listener) => {
        // `once` adds by `on`; and what is no function the emitter refuses.
        if (adding || typeof listener !== 'function') return add.call(emitter, event, listener)
        const bound = listeners.get(listener) ?? this.bound(context, listener)
        listeners.set(listener, bound)
        adding = true
        try {
          return add.call(emitter, event, bound as Listener)
        } finally {
          adding = false
        }
      }
    }
    for (const name of ['removeListener', 'off'] as const) {
      const remove = emitter[name]
      if (typeof remove !== 'function') continue
      emitter[name] = (event, listener) =>
        remove.call(emitter, event, (listeners.get(listener) ?? listener) as Listener)
    }
    return emitter
  }

  enable(): this {
    return this
  }

  /** The API has let go of it: what is current is another's, or nobody's. */
  disable(): this {
    if (registered === this) registered = undefined
    return this
  }
}

type Listener = (...args: unknown[]) => unknown
type Method = (event: string | symbol, listener: Listener) => unknown
type Emitter = Partial<
  Record<
    'on' | 'addListener' | 'once' | 'prependListener' | 'prependOnceListener' | 'removeListener' | 'off',
    Method
  >
>

function isEmitter(target: unknown): target is Emitter {
  return typeof target === 'object' && target !== null && typeof (target as Emitter).on === 'function'
}
