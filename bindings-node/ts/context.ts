// What spans inside inherit, and `context(...)`.

import { type Cuts, capture } from './core/capture'
import { baggageOf, Context, spanOf } from './core/context'
import { type Attributes, each, text, texts } from './core/given'
import { IDS, type Inherited, inherits } from './core/inherited'
import { refuse } from './core/log'
import { type Ambient, current, inside, type Slot } from './core/slot'
import { noSpan, Span } from './core/span'
import { type ParentInput, spanContextOf } from './core/span_context'
import { native } from './native'
import { described } from './options'
import { readValue } from './values'

export interface ContextOptions extends Inherited {
  tags?: Iterable<string>
  metadata?: Attributes
  attributes?: Attributes
  baggage?: { readonly [key: string]: string }
  /** Spans inside become children of it. */
  parent?: ParentInput
}

/** For maps that are captured before any engine is known. */
const WHOLE = { valueBytes: 1 << 24, depth: 64, arrayItems: 1 << 20, objectKeys: 1 << 20 }
const uncounted: Cuts = { altered: 0, limited: 0 }
/** Of a value that spans inherit the engine keeps 64 KiB: more than that, whatever it consists of. */
const INHERITED = { valueBytes: 1 << 19, depth: 64, arrayItems: 1 << 16, objectKeys: 1 << 16 }

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
    if (value !== undefined && value !== null) added[id] = text(value)
  }
  if (options.hideInput) added.hideInput = true
  if (options.hideOutput) added.hideOutput = true
  const out = described(added) as Record<string, unknown>
  if (present(options.internalSpans)) out.internal_spans = texts(options.internalSpans, place, cuts)
  if (present(options.requestContext)) out.request_context = options.requestContext
  if (present(options.requestContextKeys))
    out.request_context_keys = texts(options.requestContextKeys, place, cuts)
  if (present(options.attributes)) out.attributes = mapOf(options.attributes, place, cuts)
  if (present(options.metadata)) out.metadata = mapOf(options.metadata, place, cuts)
  if (present(options.tags)) out.tags = texts(options.tags, place, cuts)
  if (present(options.baggage))
    out.baggage = [...mapOf(options.baggage, place, cuts)].map(([key, value]) => [key, text(value)])
  const found = native().surround(outer, wholeValue(out))
  refused += found.refused
  if (refused > 0) refuse(place)
  return found.ambient
}

function present<T>(given: T | null | undefined): given is T {
  return given !== undefined && given !== null
}

function mapOf(given: Attributes, place: string, cuts: Cuts): Map<string, unknown> {
  const map = new Map<string, unknown>()
  each(given, place, cuts, (key, value) => map.set(key, beginningOf(value)))
  return map
}

/** So much of a value as shows the engine that it is too large, where it is. */
function beginningOf(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, INHERITED.valueBytes)
  if (typeof value !== 'object' || value === null) return value
  const { buffer, byteOffset, length } = capture(value, INHERITED, uncounted)
  return readValue(Buffer.from(buffer, byteOffset, length))
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
  if (typeof body !== 'function')
    throw new TypeError(
      'polyspan: context(options, body) is given the function that the options are for, last',
    )
  const outer = current()
  let inner: Slot | undefined = outer
  try {
    inner = contextWith(outer, options)
  } catch {
    // A getter of the options that throws.
    refuse('context')
  }
  return inside(inner, body)
}

/** The current baggage. */
export function baggage(): Record<string, string> {
  return baggageOf(current()?._ambient)
}
