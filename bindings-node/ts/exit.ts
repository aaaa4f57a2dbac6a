// The end of a thread or process loses nothing that had ended, within the engines' exit bound.

import type * as Workers from 'node:worker_threads'
import { builtin } from './addon'
import { isUsed, leave as leaveStage } from './host/stage'
import { native } from './native'
import { recorders, submitAll } from './registry'

let armed = false
let signals = false
let flushing = false
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Called by each `init`: nothing is registered at import. */
export function arm(handleSignals: boolean): void {
  if (!armed) {
    armed = true
    process.on('exit', leave)
    process.on('beforeExit', settle)
    // Deno ends a process that fails without the event `exit`.
    if ('Deno' in globalThis) process.on('uncaughtExceptionMonitor', fails)
  }
  if (handleSignals && !signals && getsSignals()) {
    signals = true
    for (const signal of SIGNALS) process.on(signal, interrupted)
  }
}

/** Whether this is no worker. Asked late: loading that module takes longer than starting an engine. */
function isMain(): boolean {
  return (builtin('worker_threads') as typeof Workers).isMainThread
}

/** Workers of Node.js may listen and are told of no signal, so that they need not be told apart. */
function getsSignals(): boolean {
  return 'Bun' in globalThis || 'Deno' in globalThis ? isMain() : true
}

/** How many spans had ended when the event loop last ran dry. */
let settled = -1

/** The event loop runs dry: the application's own code gets what there is while it can still wait for something. */
function settle(): void {
  if (!isUsed()) return
  submitAll()
  const ended = [...recorders()].reduce((sum, { engine }) => sum + engine.ended(), 0)
  if (ended === settled) return
  settled = ended
  void flushAll()
}

/** Within the engines' exit bound, and without an error. */
async function flushAll(): Promise<void> {
  submitAll()
  const all = [...recorders()].map(({ engine, terms }) => engine.flush(terms.exitTimeout))
  await Promise.allSettled(all)
}

function leave(): void {
  submitAll()
  const whole = isMain()
  if (whole) native().gather()
  // The engine is the process's: the end of a worker does not stop it.
  if (isUsed()) leaveStage(whole)
  else if (whole) native().exit()
}

/** Something was thrown that nobody may catch: the process may end, or go on. */
function fails(): void {
  submitAll()
  if (isMain()) native().gather()
  for (const { engine, terms } of recorders()) {
    try {
      engine.flushNow(terms.exitTimeout)
    } catch {
      // It is counted, and the error that is on its way says more.
    }
  }
}

/** Flushes, then lets the default act, so that the exit status is what it would have been. An application that
 * handles the signal itself ends in its own way, and `exit` flushes then. */
function interrupted(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  if (isUsed() && !flushing) {
    // Code of the application may have to wait for something; a second signal does not.
    flushing = true
    void flushAll().then(() => end(signal))
  } else {
    end(signal)
  }
}

function end(signal: NodeJS.Signals): void {
  leave()
  process.removeListener(signal, interrupted)
  process.kill(process.pid, signal)
}
