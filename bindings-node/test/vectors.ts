// Reading the vectors that every language replays (tests/vectors/README.md).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MemoryExporter, SpanRecord } from 'polyspan'

// biome-ignore lint/suspicious/noExplicitAny: the vectors are plain data of many forms.
export type Json = any

/** A file of `tests/vectors`. */
export function vectors(file: string): Json {
  return JSON.parse(readFileSync(join(__dirname, '..', '..', 'tests', 'vectors', file), 'utf8'))
}

/** Text, bytes that may be none, or pieces to be repeated. */
export function text(form: Json): Json {
  if (Array.isArray(form)) return form.map(text)
  if (typeof form !== 'object' || form === null) return form
  if ('hex' in form) return Buffer.from(form.hex, 'hex')
  return form.repeat.map(([piece, count]: [string, number]) => piece.repeat(count)).join('')
}

/** A value as `otlp.json` and `limits.json` write them. */
export function value(form: Json): Json {
  if (typeof form !== 'object' || form === null) return form
  if ('int' in form) return BigInt(form.int)
  if ('double' in form) return new Double(Number(form.double))
  if ('bytes' in form) return Buffer.from(form.bytes, 'hex')
  if ('array' in form) return form.array.map(value)
  if ('map' in form) return map(form.map)
  if ('repeat' in form) return text(form)
  if ('array_of' in form) {
    const [item, count] = form.array_of
    const items = Array.from({ length: count }, () => value(item))
    return 'then' in form ? [...items, value(form.then)] : items
  }
  if ('map_of' in form) {
    const [item, count] = form.map_of
    const entries = Array.from({ length: count }, (_, at) => [`k${at}`, item])
    return map('then' in form ? [...entries, form.then] : entries)
  }
  if ('nested' in form) {
    let inner: Json = 'x'
    for (let depth = 0; depth < form.nested; depth++) inner = [inner]
    return inner
  }
  throw new Error(`a value of no known form: ${JSON.stringify(form)}`)
}

/** A number that is a double whatever its value; JavaScript has only one kind of number. */
export class Double {
  readonly number: number

  constructor(number: number) {
    this.number = number
  }

  valueOf(): number {
    return this.number
  }

  toJSON(): number {
    return this.number
  }
}

export function map(entries: Json[]): Map<string, Json> {
  return new Map(entries.map(([key, item]) => [text(key), value(item)]))
}

/** A value as it comes back: numbers as numbers where they fit, maps as objects. */
export function told(given: Json): Json {
  if (given instanceof Double) return given.number
  if (typeof given === 'bigint') return Number.isSafeInteger(Number(given)) ? Number(given) : given
  if (given instanceof Uint8Array) return new Uint8Array(given)
  if (Array.isArray(given)) return given.map(told)
  if (given instanceof Map) return Object.fromEntries([...given].map(([key, item]) => [key, told(item)]))
  if (typeof given === 'object' && given !== null) {
    return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, told(item)]))
  }
  return given
}

/** The one span that an exporter has. */
export function only(exporter: MemoryExporter): SpanRecord {
  const spans = exporter.take()
  if (spans.length !== 1) throw new Error(`${spans.length} spans`)
  return spans[0] as SpanRecord
}

/** Options under the names that they have in TypeScript. */
export function camel(given: Json): Json {
  if (Array.isArray(given) || typeof given !== 'object' || given === null) return given
  return Object.fromEntries(
    Object.entries(given).map(([name, item]) => [
      name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()),
      camel(item),
    ]),
  )
}

/** Pairs as they come back. */
export const pairs = (list: Json[]): Json => told(map(list))

/** Runs `body` with these variables of the environment, and no others that the engine reads. */
export async function under<R>(env: Record<string, string>, body: () => Promise<R>): Promise<R> {
  const READ = /^(OTEL_|LANGFUSE_|NO_COLOR$|NODE_ENV$|APP_ENV$|ENVIRONMENT$)/
  const before = Object.entries(process.env).filter(([name]) => READ.test(name) || name in env)
  for (const [name] of before) delete process.env[name]
  Object.assign(process.env, env)
  try {
    return await body()
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, Object.fromEntries(before))
  }
}
