// The one slot that holds what is current, carried through promises, timers, emitters and streams.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Slot } from './span'

const storage = new AsyncLocalStorage<Slot>()

/** What is current here. */
export function current(): Slot | undefined {
  return storage.getStore()
}

/** Runs `body` with something current. */
export function inside<R>(slot: Slot | undefined, body: () => R): R {
  // `run` with nothing would leave what is there in some runtimes.
  return slot === undefined ? storage.exit(body) : storage.run(slot, body)
}

/** Runs `body` with a span current, and gives it the span. */
export function insideSpan<S extends Slot, R>(span: S, body: (span: S) => R): R {
  return storage.run(span, body, span)
}
