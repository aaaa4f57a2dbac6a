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

/** The function, to be run where `slot` is current, with its receiver and arguments. */
export function bound<A extends unknown[], R>(slot: Slot, body: (...args: A) => R): (...args: A) => R {
  return (...args) => storage.run(slot, body, ...args)
}
