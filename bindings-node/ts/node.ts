// Node.js as what the span path runs on (`core/host.ts`); `index.ts` sets it. Bun and Deno offer the same modules.

import { AsyncLocalStorage } from 'node:async_hooks'
import { errorMonitor } from 'node:events'
import type { Host } from './core/host'
import { native } from './native'

const { utf8Write } = Buffer.prototype

/** What the span path gets here. */
export const nodeHost: Host = {
  storage: new AsyncLocalStorage<unknown>(),
  random(words) {
    const seed = native().seed()
    for (let i = 0; i < words.length; i++) words[i] = seed.readInt32LE((i * 4) % seed.length)
  },
  // Any byte array will do; the method is only there on buffers.
  utf8: (text, into, at) => utf8Write.call(into as Buffer, text, at, into.length - at),
  spanType: (name) => native().spanType(name),
  traceparent: (text) => native().extract(undefined, ['traceparent'], [text]).context,
  errorMonitor,
  warn: (line) => process.emitWarning(line, 'PolyspanWarning'),
}
