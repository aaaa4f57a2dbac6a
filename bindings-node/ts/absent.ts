// What stands for the native addon where none can be loaded: `init` says why, and everything that may stand in a program
// that never got an engine goes on without one. `native.ts` returns it.

import type { Native } from './native'

/** What does nothing, as without an engine. */
const QUIET: Partial<Native> = {
  engine: () => null,
  engines: () => [],
  surround: () => ({ ambient: { baggage: () => [] }, refused: 0 }),
  carrierFields: () => [],
  extract: () => ({ baggage: [], ids: [], refused: [] }),
  inject: () => ({ headers: [], refused: 0 }),
  start: () => ({ context: Buffer.alloc(0) }),
  spanType: () => null,
  takeLog: () => [],
  setSelector: () => undefined,
  severity: () => null,
  logEnabled: () => false,
  log: () => false,
  gather: () => undefined,
  exit: () => undefined,
}

/** An addon whose other parts throw `error`. */
export function absent(error: unknown): Native {
  return new Proxy(QUIET, {
    get(quiet, name) {
      if (name in quiet) return quiet[name as keyof Native]
      throw error
    },
  }) as Native
}
