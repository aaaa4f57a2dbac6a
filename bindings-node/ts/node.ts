// Node.js as what the span path runs on (`core/host.ts`); `index.ts` sets it. Bun and Deno offer the same modules.

import { AsyncLocalStorage, executionAsyncResource } from 'node:async_hooks'
import { errorMonitor } from 'node:events'
import type { Host, Keeper, Place } from './core/host'
import { native } from './native'

const { utf8Write } = Buffer.prototype

const storage: AsyncLocalStorage<unknown> & Fields = new AsyncLocalStorage<unknown>()

/** Before Node.js 24 a storage keeps what is current in a field of the object that stands for whatever runs, under a
 * symbol of its own. To find that object takes most of a look; by itself the storage does so at each look and each change,
 * and a span needs one and two. */
interface Fields {
  readonly enabled?: boolean
  readonly kResourceStore?: symbol
}

type Running = { [field: symbol]: unknown }

const field = storage.kResourceStore
/** Whether it has been seen to be there. */
let isField = false

function place(): Place {
  return isField && storage.enabled === true ? executionAsyncResource() : undefined
}

function at(place: Place): unknown {
  return place === undefined ? storage.getStore() : (place as Running)[field as symbol]
}

/** What `storage.run` does in Node.js, which for its sake makes a list of the arguments and calls by it: that takes as
 * long as a tenth of a span. */
function within<A, R>(current: unknown, body: (given: A) => R, given: A, before: unknown, place: Place): R {
  // Children of a span that is not sampled share one that stands for them.
  if (before === current) return body(given)
  if (place === undefined) return between(current, body, given, before)
  const running = place as Running
  running[field as symbol] = current
  try {
    return body(given)
  } finally {
    running[field as symbol] = before
  }
}

/** The same where the storage alone knows the place. */
function between<A, R>(current: unknown, body: (given: A) => R, given: A, before: unknown): R {
  storage.enterWith(current)
  if (!isField && field !== undefined)
    isField = (executionAsyncResource() as Running | undefined)?.[field] === current
  try {
    return body(given)
  } finally {
    storage.enterWith(before)
  }
}

/** Bun and Deno have their own ways. */
const isNode = !('Bun' in globalThis || 'Deno' in globalThis)

/** Bun sends a text or file with its type, length and ranges as long as nobody has asked for its body; which of them a
 * body is it tells by `inspect` alone. Of one that is on its way, a stream or what `fetch` got, it shows no such line. */
const { Bun } = globalThis as { Bun?: { inspect(value: unknown): string } }
const isWhole =
  Bun === undefined
    ? undefined
    : (response: Response): boolean => /^ {2}(Blob|\w+Ref) \(/m.test(Bun.inspect(response))

/** The server of Deno does not say that an answer was packed which its `fetch` has unpacked. Of one that stands for such
 * an answer it does not know, and would send the text as if it were packed, cut off at the length that it had. */
function headInDeno(original: Response): ResponseInit {
  const { url, status, statusText } = original
  if (url === '' || !/^(gzip|br)$/i.test(original.headers.get('content-encoding') ?? '')) return original
  const headers = new Headers(original.headers)
  headers.delete('content-encoding')
  headers.delete('content-length')
  return { status, statusText, headers }
}

/** Who keeps what is current here. */
export const nodeKeeper: Keeper = {
  storage,
  place,
  at,
  within: isNode ? within : (current, body, given) => storage.run(current, body, given),
}

/** What the span path gets here. */
export const nodeHost: Host = {
  random(words) {
    const seed = native().seed()
    for (let i = 0; i < words.length; i++) words[i] = seed.readInt32LE((i * 4) % seed.length)
  },
  // Any byte array will do; the method is only there on buffers.
  utf8: (text, into, at) => utf8Write.call(into as Buffer, text, at, into.length - at),
  spanType: (name) => native().spanType(name),
  traceparent: (text) => native().extract(undefined, ['traceparent'], [text]).context,
  errorMonitor,
  ...(isWhole === undefined ? {} : { isWhole }),
  ...('Deno' in globalThis ? { headOf: headInDeno } : {}),
  warn: (line) => process.emitWarning(line, 'PolyspanWarning'),
}
