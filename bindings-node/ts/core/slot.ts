// The one slot that holds what is current: a span or a context.

import type { Context as ApiContext } from '@opentelemetry/api'
import { keeper, type Place } from './host'

/** What spans inside a context inherit; its content is the engine's. */
export interface Ambient {
  /** Key, value, properties, and so on. */
  baggage(): string[]
}

/** What can be current. An interface, because a base class would make every span dearer to start. */
export interface Slot {
  /** @internal What spans inside inherit. */ readonly _ambient: Ambient | undefined
  /** @internal What it is for the OpenTelemetry API as a context, once that has asked. */
  _face: ApiContext | undefined
  /** @internal The context of the OpenTelemetry API under which it was made. */
  _otel: ApiContext | undefined
}

/** What is current here. */
export function current(): Slot | undefined {
  return keeper.storage.getStore() as Slot | undefined
}

/** The same, at the place where it is kept. */
export function currentAt(place: Place): Slot | undefined {
  return keeper.at(place) as Slot | undefined
}

/** Where what is current is kept, until the caller returns. */
export function placeOfCurrent(): Place {
  return keeper.place()
}

/** Runs `body` with something current. */
export function inside<R>(slot: Slot | undefined, body: () => R): R {
  // `run` with nothing would leave what is there in some runtimes.
  return slot === undefined ? keeper.storage.exit(body) : keeper.storage.run(slot, body)
}

/** Runs `body` with something current, and gives it `given`: a closure less. `before` is what is current now, and
 * `place` where: both take a while to find. */
export function insideWith<A, R>(
  slot: Slot,
  body: (given: A) => R,
  given: A,
  before: Slot | undefined,
  place: Place,
): R {
  return keeper.within(slot, body, given, before, place)
}
