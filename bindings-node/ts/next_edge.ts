// Next.js in the edge runtime: the same entry as `next.ts`, without an engine. Frames go to the relay of the
// application's own server, whose address `POLYSPAN_RELAY` tells, since an edge function knows of no server.

import { currentSpan, init } from './edge'
import type { PageTerms } from './page/terms'

interface EdgeRegister extends PageTerms {
  /** The whole address of the relay; `POLYSPAN_RELAY` by default. */
  relay?: string
}

/** Begins to record where the address of the relay is known. */
export function register(options: EdgeRegister = {}): void {
  const relay = options.relay ?? process.env.POLYSPAN_RELAY
  if (relay !== undefined && relay !== '') init({ ...options, relay })
}

/** Records what failed on the current span. */
export function onRequestError(error: unknown): void {
  currentSpan()?.error(error, { end: false })
}

/** An edge function knows nothing of the engine: pages that it renders record by the defaults. */
export function pageTerms(more: PageTerms = {}): PageTerms {
  return { ...more }
}

/** For what is built elsewhere. */
export function withPolyspan<C>(config: C): C {
  return config
}
