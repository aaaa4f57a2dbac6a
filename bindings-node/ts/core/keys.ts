// Keys: attribute keys and names, met again and again. Each distinct one is looked at once.

import { STATIC_KEYS } from './static_keys'
import { headOf } from './utf8'

/** A key inline has at most so many bytes. */
export const MAX_INLINE = 0x7fff

/** Keys that are remembered; beyond, all are forgotten and met anew. */
const REMEMBERED = 4096
/** Longer ones are written inline each time. */
const SHORT = 96

/** A key and where it stands in the frame that is being written. */
export class Key {
  readonly text: string
  /** What stands for a static key; else 0. */
  readonly code: number
  /** The frame in whose string table it is; 0 for none yet. */
  frame = 0
  /** What stands for it there. */
  entry = 0
  /** The frame in which it was met, to be entered into the table when it is met again. */
  met = 0
  bytes: Uint8Array | undefined = undefined
  /** The one that came after it last. */
  next: Key

  constructor(text: string, code: number) {
    this.text = text
    this.code = code
    this.next = this
  }
}

const statics = new Map<string, Key>()
STATIC_KEYS.forEach((text, id) => {
  statics.set(text, new Key(text, 0x8000 + id))
})
let known = new Map(statics)
/** Of texts that are none. */
export const NO_KEY = /* @__PURE__ */ keyOf('')

/** What is known of a key. */
export function keyOf(text: string): Key {
  const found = known.get(text)
  return found === undefined ? meet(text) : found
}

/** The same for one that comes after another: most often it is the one that did so before, which is found without
 * looking it up. */
export function keyAfter(before: Key, text: string): Key {
  const guess = before.next
  if (guess.text === text) return guess
  const key = keyOf(text)
  // What is not remembered is not held on to either.
  if (text.length <= SHORT && before.text.length <= SHORT) before.next = key
  return key
}

function meet(text: string): Key {
  // Of a longer one what is written is cut and counted; there is no need to hold the rest until then.
  const kept = text.length > MAX_INLINE ? headOf(text, MAX_INLINE + 1) : text
  const key = new Key(kept, 0)
  if (text.length <= SHORT) {
    if (known.size >= REMEMBERED) forget()
    known.set(text, key)
  }
  return key
}

function forget(): void {
  known = new Map(statics)
  for (const key of statics.values()) key.next = key
}
