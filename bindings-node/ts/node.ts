// Node.js as what the span path runs on (`core/host.ts`); `index.ts` sets it. Bun and Deno offer the same modules.

import { AsyncLocalStorage } from 'node:async_hooks'
import { errorMonitor } from 'node:events'
import type { Host } from './core/host'
import { native } from './native'

const { utf8Write } = Buffer.prototype

const storage = new AsyncLocalStorage<unknown>()

/** What `storage.run` does in Node.js, which for its sake makes a list of the arguments and calls by it: that takes as
 * long as a tenth of a span. */
function within<A, R>(current: unknown, body: (given: A) => R, given: A, before: unknown): R {
  // Children of a span that is not sampled share one that stands for them.
  if (before === current) return body(given)
  storage.enterWith(current)
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
function headersInDeno({ url, headers }: Response): Headers {
  if (url === '' || !/^(gzip|br)$/i.test(headers.get('content-encoding') ?? '')) return headers
  const unpacked = new Headers(headers)
  unpacked.delete('content-encoding')
  unpacked.delete('content-length')
  return unpacked
}

/** What the span path gets here. */
export const nodeHost: Host = {
  storage,
  within: isNode ? within : (current, body, given) => storage.run(current, body, given),
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
  ...('Deno' in globalThis ? { headersOf: headersInDeno } : {}),
  warn: (line) => process.emitWarning(line, 'PolyspanWarning'),
}
