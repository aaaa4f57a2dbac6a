// `inject` and `extract`: what is current, to and from any carrier. The formats are the engine's.
//
// A carrier is an object of headers (one value or a list each), `Headers` or anything with `get` and `set`, a `Map`,
// a list of pairs, Node's raw headers, gRPC metadata, or `process.env`; a getter or setter is for all else.

import { wholeValue } from './context'
import { Context, spanOf } from './core/context'
import { refuse } from './core/log'
import { current, type Slot } from './core/slot'
import { noSpan, Span } from './core/span'
import { type ParentInput, readContext, type SpanContext, spanContextOf } from './core/span_context'
import { native } from './native'
import type { Recorder } from './recorder'
import { recorderOf } from './registry'

/** Reads from a carrier of any other kind. */
export type Getter<C> = (carrier: C, name: string) => unknown
/** Writes to a carrier of any other kind. */
export type Setter<C> = (carrier: C, name: string, value: string) => void

/** Reads the calling span and baggage from a carrier, to be used as a parent. What is malformed is not there. */
export function extract<C>(carrier: C, options: { getter?: Getter<C> } = {}): Context {
  return extractIn(current(), carrier, options.getter)
}

/** The same where `outer` is current. */
export function extractIn<C>(outer: Slot | undefined, carrier: C, getter?: Getter<C>): Context {
  const engine = recorderOf()?.engine
  const names: string[] = []
  const values: (string | Buffer)[] = []
  for (const name of native().carrierFields(engine)) {
    try {
      const found = getter ? getter(carrier, name) : read(carrier, name)
      eachValue(found, (value) => {
        names.push(name)
        values.push(value)
      })
    } catch {
      refuse('extract: the carrier cannot be read')
    }
  }
  const brought = native().extract(engine, names, values)
  const kinds = ['traceparent', 'tracestate', 'baggage']
  brought.refused.forEach((count, at) => {
    if (count > 0) refuse(`extract: malformed ${kinds[at]}`)
  })
  let ambient = outer?._ambient
  if (brought.baggage.length > 0 || brought.ids.length > 0) {
    // What surrounds the caller stays; its baggage is replaced, and its ids by those that came.
    const added: Record<string, unknown> = {}
    for (let i = 0; i + 1 < brought.ids.length; i += 2) added[brought.ids[i] as string] = brought.ids[i + 1]
    const { baggage } = brought
    added.baggage = Array.from({ length: baggage.length / 3 }, (_, at) => baggage.slice(at * 3, at * 3 + 3))
    added.replace_baggage = true
    ambient = native().surround(ambient, wholeValue(added)).ambient
  }
  const found = brought.context ? readContext(brought.context) : undefined
  const span = found && noSpan(found._trace, found._high, found._low, ambient, true)
  return new Context(span, ambient)
}

/** Writes the current span and baggage, or those of `context`, to a carrier, and returns it. */
export function inject<C>(carrier: C, options: { setter?: Setter<C>; context?: ParentInput } = {}): C {
  const from = options.context === undefined ? current() : slotOf(options.context)
  const span: SpanContext | undefined = spanOf(from)?.context
  const recorder = (spanOf(from)?._recorder as Recorder | undefined) ?? recorderOf()
  const { headers, refused } = native().inject(recorder?.engine, span?._bytes(), from?._ambient)
  if (refused > 0) refuse('inject: baggage that the header cannot carry')
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string]
    try {
      if (options.setter) options.setter(carrier, name, value)
      else write(carrier, name, value)
    } catch {
      refuse('inject: the carrier cannot be written')
    }
  }
  return carrier
}

function slotOf(given: ParentInput): Slot | undefined {
  if (given instanceof Span || given instanceof Context) return given
  const found = spanContextOf(given)
  return found && noSpan(found._trace, found._high, found._low, undefined, found.isRemote)
}

function eachValue(found: unknown, take: (value: string | Buffer) => void): void {
  if (typeof found === 'string') take(found)
  else if (found instanceof Uint8Array) take(Buffer.from(found.buffer, found.byteOffset, found.byteLength))
  else if (Array.isArray(found)) for (const one of found) eachValue(one, take)
}

function variable(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '_')
}

function sameName(given: unknown, name: string): boolean {
  if (typeof given === 'string') return given.length === name.length && given.toLowerCase() === name
  return given instanceof Uint8Array && Buffer.from(given).toString('latin1').toLowerCase() === name
}

function read(carrier: unknown, name: string): unknown {
  if (typeof carrier !== 'object' || carrier === null) return undefined
  if (carrier === process.env) return process.env[variable(name)]
  if (Array.isArray(carrier)) return readList(carrier, name)
  if (carrier instanceof Map) return readList([...carrier], name)
  const get = (carrier as { get?: unknown }).get
  if (typeof get === 'function') return get.call(carrier, name)
  // Several spellings of one name are taken by name, as in every language.
  const spelled = Object.keys(carrier).filter((key) => sameName(key, name))
  return spelled.sort().map((key) => (carrier as Record<string, unknown>)[key])
}

/** Pairs, or names and values in turn as in `rawHeaders`. */
function readList(list: unknown[], name: string): unknown {
  if (list.length > 0 && typeof list[0] === 'string') {
    return list.filter((_, at) => at % 2 === 1 && sameName(list[at - 1], name))
  }
  return list
    .filter((pair) => Array.isArray(pair) && sameName(pair[0], name))
    .map((pair) => (pair as unknown[])[1])
}

function write(carrier: unknown, name: string, value: string): void {
  if (typeof carrier !== 'object' || carrier === null) throw new TypeError('no carrier')
  if (carrier === process.env) {
    process.env[variable(name)] = value
  } else if (Array.isArray(carrier)) {
    writeList(carrier, name, value)
  } else if (carrier instanceof Map) {
    for (const key of [...carrier.keys()]) if (sameName(key, name)) carrier.delete(key)
    carrier.set(name, value)
  } else if (typeof (carrier as { set?: unknown }).set === 'function') {
    ;(carrier as { set(name: string, value: string): void }).set(name, value)
  } else if (typeof (carrier as { setHeader?: unknown }).setHeader === 'function') {
    ;(carrier as { setHeader(name: string, value: string): void }).setHeader(name, value)
  } else {
    writeObject(carrier as Record<string, unknown>, name, value)
  }
}

function writeObject(carrier: Record<string, unknown>, name: string, value: string): void {
  let lists = Object.keys(carrier).length > 0
  for (const key of Object.keys(carrier)) {
    lists &&= Array.isArray(carrier[key])
    if (key !== name && sameName(key, name)) delete carrier[key]
  }
  carrier[name] = lists ? [value] : value
}

function writeList(list: unknown[], name: string, value: string): void {
  const flat = list.length > 0 && typeof list[0] === 'string'
  for (let at = list.length - (flat ? 2 : 1); at >= 0; at -= flat ? 2 : 1) {
    const key = flat ? list[at] : (list[at] as unknown[])[0]
    if (sameName(key, name)) list.splice(at, flat ? 2 : 1)
  }
  const bytes = list.length > 0 && !flat && (list[0] as unknown[])[1] instanceof Uint8Array
  if (flat) list.push(name, value)
  else if (bytes && (list[0] as unknown[])[0] instanceof Uint8Array)
    list.push([Buffer.from(name), Buffer.from(value)])
  else list.push([name, bytes ? Buffer.from(value) : value])
}
