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
    // First, while those that the application listens with only once are still there to be counted.
    for (const signal of SIGNALS) process.prependListener(signal, interrupted)
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

/** Code of the application that holds spans back and is no exporter of an engine. */
interface Keeper {
  /** Fails for nobody. */
  flush(): Promise<void>
  /** How long the end may be held up for it, in seconds. */
  readonly bound: number
}

const keepers = new Set<Keeper>()

/** Has a keeper flushed at the end of this thread. */
export function flushedAtExit(keeper: Keeper): void {
  arm(false)
  keepers.add(keeper)
}

/** It has been shut down. */
export function flushedBefore(keeper: Keeper): void {
  keepers.delete(keeper)
}

/** How many spans had ended when everything was last flushed. */
let settled = -1

function endedByNow(): number {
  return [...recorders()].reduce((sum, { engine }) => sum + engine.ended(), 0)
}

/** The event loop runs dry: the application's own code gets what there is while it can still wait for something. */
function settle(): void {
  if (!isUsed() && keepers.size === 0) return
  submitAll()
  if (endedByNow() === settled) return
  void flushAll(false).then((inTime) => {
    // Only what a keeper waits for is left, unless somebody else had something to do at the end.
    if (!inTime && process.listenerCount('beforeExit') === 1) process.exit()
  })
}

/** Within the engines' exit bound, and without an error. Whether it ended in time; `hold` keeps the event loop alive
 * for that long. */
async function flushAll(hold: boolean): Promise<boolean> {
  submitAll()
  settled = endedByNow()
  const engines = [...recorders()].map(({ engine, terms }) => engine.flush(terms.exitTimeout))
  const kept = Promise.all([...keepers].map((keeper) => within(keeper, hold)))
  await Promise.allSettled(engines)
  return (await kept).every(Boolean)
}

/** Whether it has flushed within its bound. */
function within(keeper: Keeper, hold: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, keeper.bound * 1000, false)
    if (!hold) late.unref()
    void keeper.flush().then(() => {
      clearTimeout(late)
      resolve(true)
    })
  })
}

function leave(): void {
  submitAll()
  // What they do at once is done; they cannot wait any more.
  if (endedByNow() !== settled) for (const keeper of keepers) void keeper.flush()
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
  if (process.listenerCount(signal) > 1 + onlookers()) return
  if ((isUsed() || keepers.size > 0) && !flushing) {
    // Code of the application may have to wait for something; a second signal does not.
    flushing = true
    void flushAll(true).then(() => end(signal))
  } else {
    end(signal)
  }
}

/** Listeners of the package signal-exit, which many packages bring: they end nothing themselves as long as anybody else
 * listens, so that each would wait for the other. */
function onlookers(): number {
  const key = Symbol.for('signal-exit emitter')
  const emitter = (globalThis as { [name: symbol]: { count?: unknown } | undefined })[key]
  return typeof emitter?.count === 'number' ? emitter.count : 0
}

function end(signal: NodeJS.Signals): void {
  leave()
  process.removeListener(signal, interrupted)
  process.kill(process.pid, signal)
}
