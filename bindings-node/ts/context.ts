// Contexts: what spans inside inherit, what `extract` brings, and `context(...)`.

import type { Context as ApiContext } from '@opentelemetry/api'
import { type Cuts, capture } from './capture'
import { type Attributes, each, texts } from './given'
import { refuse } from './log'
import type { Ambient } from './native'
import { native } from './native'
import { described } from './options'
import { current, inside } from './slot'
import { noSpan, type Slot, Span } from './span'
import { type ParentInput, type SpanContext, spanContextOf } from './span_context'

/** What everything inside a context or span inherits. */
export interface Inherited {
  sessionId?: string
  userId?: string
  organizationId?: string
  threadId?: string
  runId?: string
  requestId?: string
  resourceId?: string
  environment?: string
  entityType?: string
  entityId?: string
  entityName?: string
  /** Inputs of everything inside do not leave the process. */
  hideInput?: boolean
  /** Outputs of everything inside do not leave the process. */
  hideOutput?: boolean
  /** Families of span types that are internal to a framework inside: `workflow`, `agent`, `tool`, `model`, `all`. */
  internalSpans?: string | Iterable<string>
  /** What the application knows about the request: samplers see it, and roots take metadata out of it. */
  requestContext?: object
  /** Names or dotted paths of the request context that roots take as metadata. */
  requestContextKeys?: Iterable<string>
}

export interface ContextOptions extends Inherited {
  tags?: Iterable<string>
  metadata?: Attributes
  attributes?: Attributes
  baggage?: { readonly [key: string]: string }
  /** Spans inside become children of it. */
  parent?: ParentInput
}

const IDS = [
  'sessionId',
  'userId',
  'organizationId',
  'threadId',
  'runId',
  'requestId',
  'resourceId',
  'environment',
  'entityType',
  'entityId',
  'entityName',
] as const

/** The options that hold for everything inside, but for metadata and the request context. */
export const INHERITED = [...IDS, 'hideInput', 'hideOutput', 'internalSpans', 'requestContextKeys'] as const

/** Whether anything inherited is among some options. */
export function inherits(options: Inherited): boolean {
  for (const id of IDS) if (options[id] !== undefined) return true
  return (
    options.hideInput === true ||
    options.hideOutput === true ||
    options.internalSpans !== undefined ||
    options.requestContextKeys !== undefined
  )
}

/** An immutable context: a span (often one of another process), baggage, and what spans inside inherit. */
export class Context {
  /** @internal */ _span: Span | undefined
  /** @internal */ readonly _ambient: Ambient | undefined
  /** @internal What it is for the OpenTelemetry API, once that has asked. */ _face: ApiContext | undefined =
    undefined
  /** @internal The context of the OpenTelemetry API under which it was made. */ _otel:
    | ApiContext
    | undefined = undefined

  /** @internal */
  constructor(span: Span | undefined, ambient: Ambient | undefined) {
    this._span = span
    this._ambient = ambient
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

export function spanOf(slot: Slot | undefined): Span | undefined {
  return slot instanceof Span ? slot : slot?._span
}

/** For maps that are captured before any engine is known. */
const WHOLE = { valueBytes: 1 << 24, depth: 64, arrayItems: 1 << 20, objectKeys: 1 << 20 }
const uncounted: Cuts = { altered: 0, limited: 0 }

/** The bytes of a value that is to be read as it is. */
export function wholeValue(value: unknown): Uint8Array {
  return capture(value, WHOLE, uncounted)
}

/** What is inherited inside `outer` once `options` are added. */
export function surrounded(outer: Ambient | undefined, options: ContextOptions, place: string): Ambient {
  const added: Record<string, unknown> = {}
  let refused = 0
  const cuts: Cuts = { altered: 0, limited: 0 }
  for (const id of IDS) {
    const value = options[id]
    if (value !== undefined && value !== null) added[id] = String(value)
  }
  if (options.hideInput) added.hideInput = true
  if (options.hideOutput) added.hideOutput = true
  const out = described(added) as Record<string, unknown>
  if (options.internalSpans !== undefined) out.internal_spans = texts(options.internalSpans, place, cuts)
  if (options.requestContext !== undefined) out.request_context = options.requestContext
  if (options.requestContextKeys !== undefined)
    out.request_context_keys = texts(options.requestContextKeys, place, cuts)
  if (options.attributes !== undefined) out.attributes = mapOf(options.attributes, place, cuts)
  if (options.metadata !== undefined) out.metadata = mapOf(options.metadata, place, cuts)
  if (options.tags !== undefined) out.tags = texts(options.tags, place, cuts)
  if (options.baggage !== undefined)
    out.baggage = Object.entries(options.baggage).map(([key, value]) => [key, String(value)])
  const found = native().surround(outer, wholeValue(out))
  refused += found.refused
  if (refused > 0) refuse(place)
  return found.ambient
}

function mapOf(given: Attributes, place: string, cuts: Cuts): Map<string, unknown> {
  const map = new Map<string, unknown>()
  each(given, place, cuts, (key, value) => map.set(key, value))
  return map
}

/** The context inside some options, where `outer` is current. */
export function contextWith(outer: Slot | undefined, options: ContextOptions): Context {
  let span = spanOf(outer)
  let ambient = outer?._ambient
  const { parent } = options
  if (parent instanceof Context) {
    span = parent._span ?? span
    ambient = parent._ambient ?? ambient
  } else if (parent instanceof Span) {
    span = parent
    ambient = parent._ambient ?? ambient
  } else if (parent !== undefined && parent !== null) {
    const found = spanContextOf(parent)
    if (found === undefined) refuse('context')
    else span = noSpan(found._trace, found._high, found._low, ambient, found.isRemote)
  }
  const adds =
    inherits(options) ||
    options.requestContext !== undefined ||
    options.tags !== undefined ||
    options.metadata !== undefined ||
    options.attributes !== undefined ||
    options.baggage !== undefined
  const inner = new Context(span, adds ? surrounded(ambient, options, 'context') : ambient)
  inner._otel = outer?._otel
  return inner
}

/**
 * Runs `body` with more around it: ids, tags, metadata, attributes or baggage for everything inside, or another
 * parent.
 */
export function context<R>(options: ContextOptions, body: () => R): R {
  return inside(contextWith(current(), options), body)
}

/** The current baggage. */
export function baggage(): Record<string, string> {
  return baggageOf(current()?._ambient)
}
