// Polyspan in an edge runtime: spans as in Node.js by callback, with the current one carried through promises, posted
// as frames to a relay of the application's own server. Bundlers choose it for `polyspan` under `edge-light` and
// `workerd`.

import { say } from './core/log'
import { begin, flush, on } from './page/api'
import type { Platform } from './page/page'
import type { Span } from './page/span'
import type { PageTerms } from './page/terms'
import { onTheWeb } from './page/web'

export * from './page/public'
export type { PageTerms } from './page/terms'

interface Storage {
  getStore(): Span | undefined
  run<R>(span: Span | undefined, body: () => R): R
}

/** Edge runtimes have it as a global. */
const { AsyncLocalStorage } = globalThis as unknown as { AsyncLocalStorage?: new () => Storage }
const storage = AsyncLocalStorage === undefined ? undefined : new AsyncLocalStorage()

const edge: Platform = {
  source: 'edge',
  post: async (url, contentType, body) => {
    // What a browser says of itself; the relay asks for it.
    const headers = { 'content-type': contentType, origin: new URL(url).origin }
    const answer = await fetch(url, { method: 'POST', headers, body })
    return answer.status
  },
  current: () => storage?.getStore(),
  inside: (span, body) => (storage === undefined ? body() : storage.run(span, body)),
}

onTheWeb()
on(edge)

export interface EdgeOptions extends PageTerms {
  /** The whole address of the relay. */
  relay: string
}

/** Begins to record. A second call changes nothing. */
export function init(options: EdgeOptions): void {
  // An edge function knows of no server that a path would be on.
  if (!URL.canParse(options?.relay))
    say(`polyspan: nothing is recorded: relay: ${JSON.stringify(options?.relay)} is no whole address`)
  else begin({ io: true, ...options })
}

/** Has the platform keep the function alive until its spans are posted: `waitUntil` of its context. */
export function flushWith(context: { waitUntil(promise: Promise<unknown>): void }): void {
  context.waitUntil(flush())
}
