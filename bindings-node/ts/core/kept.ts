// What a span keeps until it ends, and the frame writer writes then.

import type { Moment } from './clock'
import type { Key } from './keys'

/** What is kept of a value until the span ends. */
export type Kept = string | number | boolean | Uint8Array | undefined

/** An event as it was added: its attributes as keys and values in turn. */
export interface KeptEvent {
  name: Key
  time: Moment
  fields: unknown[]
}

/** What most spans have nothing of. */
export interface More {
  statusMessage: string
  /** Texts, numbers and truth values as they are, else captured. */
  input: Kept
  output: Kept
  metadata: [string, Uint8Array][] | undefined
  tags: string[] | undefined
  events: KeptEvent[] | undefined
  links: Uint8Array[] | undefined
  /** What was left out. */
  droppedAttributes: number
  droppedEvents: number
  droppedLinks: number
  /** How many fields there are before those that were replaced are taken out again. */
  compactAt: number
  /** Where the attribute of each key is, once the span is full: new ones have no room. */
  places: Map<string, number> | undefined
  /** How much of the attributes that tells about. */
  placed: number
}

/** Nothing of all that; a literal, which is copied at one go. */
export function newMore(): More {
  return {
    statusMessage: '',
    input: undefined,
    output: undefined,
    metadata: undefined,
    tags: undefined,
    events: undefined,
    links: undefined,
    droppedAttributes: 0,
    droppedEvents: 0,
    droppedLinks: 0,
    compactAt: 0,
    places: undefined,
    placed: 0,
  }
}
