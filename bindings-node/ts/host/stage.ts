// The host stage of this thread: its event loop pulls jobs when the addon says that there are some, and never lives
// on for them alone.

import { insideMuted } from '../core/muted'
import { native } from '../native'
import type { Handler, Job } from './handler'
import { Running } from './steps'

/** Jobs are run for so long at a time, in milliseconds, before the event loop goes on. */
const TURN = 1
/** How long a thread that ends waits for a job before it looks around, in seconds. */
const WAIT = 0.1

/** A handler with what it has to do: calls of one follow each other. */
interface Place {
  handler: Handler
  running: Running | undefined
  job: Job | undefined
  waiting: Job[]
}

const places = new Map<number, Place>()
const numbers = new WeakMap<object, number>()
let opened = false
let leaving = false

/** What the addon is told of a handler. */
export interface Registered {
  target: number
  identity: number[]
}

/** Has this thread run the jobs of a handler. */
export function register(handler: Handler): Registered {
  if (!opened) {
    opened = true
    native().hostOpen(look)
  }
  const target = native().hostNumber()
  places.set(target, { handler, running: undefined, job: undefined, waiting: [] })
  return { target, identity: handler.objects.map(numberOf) }
}

/** The number of an object of the application in this process. */
function numberOf(object: object): number {
  let number = numbers.get(object)
  if (number === undefined) {
    number = native().hostNumber()
    numbers.set(object, number)
  }
  return number
}

/** Whether this thread has code of the application to run. */
export function isUsed(): boolean {
  return opened
}

/** Runs the jobs that wait. */
function look(): void {
  for (const target of native().hostForgotten()) forget(target)
  const until = performance.now() + TURN
  do {
    const job = native().hostNext(0)
    if (job === null) return
    take(job)
  } while (performance.now() < until)
  setImmediate(look).unref()
}

function forget(target: number): void {
  const place = places.get(target)
  if (place !== undefined && place.running === undefined) places.delete(target)
}

function take(job: Job): void {
  const place = places.get(job.target)
  if (place === undefined) job.done()
  else if (place.running === undefined) start(place, job)
  else place.waiting.push(job)
}

function start(place: Place, first: Job): void {
  for (let job: Job | undefined = first; job !== undefined; job = place.waiting.shift()) {
    const now = job
    place.job = now
    // What it records itself would be exported by what it records.
    const running = insideMuted(() => new Running(place.handler.run(now), () => ended(place)))
    if (!running.ended) {
      place.running = running
      if (!leaving) return
      giveUp(place)
    }
  }
}

/** Work that had to wait has ended. */
function ended(place: Place): void {
  if (place.running === undefined) return
  place.running = undefined
  const job = place.waiting.shift()
  if (job !== undefined) start(place, job)
}

/** What a handler waits for will not come any more. */
function giveUp(place: Place): void {
  const { running, job } = place
  place.running = undefined
  running?.abandon()
  if (job !== undefined) place.handler.giveUp(job)
}

/** Runs the jobs of this thread until everything is delivered or given up, when the process or worker ends: its event
 * loop turns no more, so that promises of the application's code are given up. Blocks, within the engines' bounds. */
export function leave(whole: boolean): void {
  leaving = true
  for (const place of places.values()) {
    if (place.running === undefined) continue
    giveUp(place)
    const job = place.waiting.shift()
    if (job !== undefined) start(place, job)
  }
  native().hostExit(whole)
  while (!native().hostHasLeft()) {
    const job = native().hostNext(WAIT)
    if (job !== null) take(job)
  }
}
