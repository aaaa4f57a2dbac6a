// The end of a thread or process loses nothing that had ended, within the engines' exit bound.

import { isMainThread } from 'node:worker_threads'
import { native } from './native'
import { submitAll } from './registry'

let armed = false
let signals = false
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Called by each `init`: nothing is registered at import. */
export function arm(handleSignals: boolean): void {
  if (!armed) {
    armed = true
    process.on('exit', leave)
  }
  if (handleSignals && !signals && isMainThread) {
    signals = true
    for (const signal of SIGNALS) process.on(signal, interrupted)
  }
}

function leave(): void {
  submitAll()
  // The engine is the process's: the end of a worker does not stop it.
  if (isMainThread) native().exit()
}

/** Flushes, then lets the default act, so that the exit status is what it would have been. An application that
 * handles the signal itself ends in its own way, and `exit` flushes then. */
function interrupted(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  leave()
  process.removeListener(signal, interrupted)
  process.kill(process.pid, signal)
}
