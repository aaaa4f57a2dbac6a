// The engines that this thread knows: each with the recorder that it needs here.

import { type NativeEngine, native } from './native'
import { Recorder } from './recorder'

const byName = new Map<string, Recorder>()
let chosen: Recorder | undefined
let selecting = false
let leaves = false
/** Looks for an engine that another thread has started are this far apart, in milliseconds. */
const LOOK = 100
let looked = -LOOK

/** The recorder of an engine. */
export function recorderFor(engine: NativeEngine): Recorder {
  const known = byName.get(engine.name)
  if (known !== undefined && !known.stopped) {
    const { slot } = known.terms
    const fresh = new Recorder(engine)
    // The same engine, or another one under its name.
    if (fresh.terms.slot === slot) return known
    byName.set(engine.name, fresh)
    return fresh
  }
  const recorder = new Recorder(engine)
  if (!leaves) {
    // What a worker has when it ends, or when another thread flushes, goes to the engine, which is the process's.
    leaves = true
    process.on('exit', submitAll)
    native().onAsked(submitAll)
  }
  byName.set(engine.name, recorder)
  return recorder
}

/** The recorder of an engine that a span meets, which must not throw; `undefined` where the engine cannot be asked. */
function met(engine: NativeEngine | null): Recorder | undefined {
  try {
    return engine === null ? undefined : recorderFor(engine)
  } catch {
    return undefined
  }
}

/** The recorder of the default engine; `undefined` where none runs. */
export function recorderOf(): Recorder | undefined {
  if (chosen !== undefined && !chosen.stopped) return chosen
  const moment = performance.now()
  if (moment - looked < LOOK) return undefined
  looked = moment
  return findDefault()
}

/** Looks for the default engine anew. */
export function findDefault(): Recorder | undefined {
  chosen = met(native().engine())
  return chosen
}

/** The recorder of the engine with that number; engines that another thread started are met here. */
export function recorderOfSlot(slot: number): Recorder | undefined {
  for (const recorder of byName.values()) if (recorder.terms.slot === slot) return recorder
  for (const name of native().engines()) {
    const recorder = met(native().engine(name))
    if (recorder?.terms.slot === slot) return recorder
  }
  return undefined
}

/** All that this thread records for. */
export function recorders(): Iterable<Recorder> {
  return byName.values()
}

export function forget(recorder: Recorder): void {
  recorder.stopped = true
  if (byName.get(recorder.engine.name) === recorder) byName.delete(recorder.engine.name)
  if (chosen === recorder) {
    chosen = undefined
    looked = -LOOK
  }
}

/** Whether a function chooses the engine of each root. */
export function selects(): boolean {
  return selecting
}

export function setSelecting(wanted: boolean): void {
  selecting = wanted
}

/** Hands in what every frame of this thread holds. */
export function submitAll(): void {
  for (const recorder of byName.values()) recorder.submit()
}
