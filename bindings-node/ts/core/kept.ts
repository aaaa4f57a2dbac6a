// What a span keeps until it ends, and the frame writer writes then.

import type { Moment } from './clock'

/** What is kept of a value until the span ends. */
export type Kept = string | number | boolean | Uint8Array | undefined

/** An event as it was added: its attributes as keys and values in turn. */
export interface KeptEvent {
  name: string
  time: Moment
  fields: unknown[]
}

/** What most spans have nothing of. */
export class More {
  statusMessage = ''
  /** Texts, numbers and truth values as they are, else captured. */
  input: Kept = undefined
  output: Kept = undefined
  metadata: [string, Uint8Array][] | undefined = undefined
  tags: string[] | undefined = undefined
  events: KeptEvent[] | undefined = undefined
  links: Uint8Array[] | undefined = undefined
  /** What was left out. */
  droppedAttributes = 0
  droppedEvents = 0
  droppedLinks = 0
}
