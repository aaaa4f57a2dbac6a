// Ids: random, kept as 32-bit words, which cost no allocation, and shown as hex.

import { host } from './host'

/** The state of the generator (xoshiro128++), seeded from the system once. */
const state = new Int32Array(4)
let seeded = false

function seed(): void {
  seeded = true
  // The all-zero state is the one fixed point of the generator.
  do host.random(state)
  while (state[0] === 0 && state[1] === 0 && state[2] === 0 && state[3] === 0)
}

/** Random bits as a signed 32-bit word. */
export function randomWord(): number {
  if (!seeded) seed()
  const s0 = state[0] as number
  const s1 = state[1] as number
  let s2 = state[2] as number
  let s3 = state[3] as number
  const sum = (s0 + s3) | 0
  const word = (((sum << 7) | (sum >>> 25)) + s0) | 0
  s2 ^= s0
  s3 ^= s1
  state[1] = s1 ^ s2
  state[0] = s0 ^ s3
  state[2] = s2 ^ (s1 << 9)
  state[3] = (s3 << 11) | (s3 >>> 21)
  return word
}

/** A trace as all its spans in this process share it: id, flags and vendor list. */
export class Trace {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  /** The flag byte, and the bit of this process that says that another span stands in. */
  readonly flags: number
  readonly state: string
  private text: string | undefined

  constructor(a: number, b: number, c: number, d: number, flags: number, state: string) {
    this.a = a
    this.b = b
    this.c = c
    this.d = d
    this.flags = flags
    this.state = state
    this.text = undefined
  }

  get id(): string {
    this.text ??= hexWord(this.a) + hexWord(this.b) + hexWord(this.c) + hexWord(this.d)
    return this.text
  }

  get isSampled(): boolean {
    return (this.flags & 1) !== 0
  }

  get isValid(): boolean {
    return (this.a | this.b | this.c | this.d) !== 0
  }
}

/** No trace. */
export const NO_TRACE = /* @__PURE__ */ new Trace(0, 0, 0, 0, 0, '')

/** Bytes of a context before its tracestate. */
const CONTEXT_HEAD = 26

/** The identity of a span in bytes: ids, flags, whether it is of another process, tracestate. */
export function contextBytes(trace: Trace, high: number, low: number, remote: boolean): Uint8Array {
  const { state } = trace
  const bytes = new Uint8Array(CONTEXT_HEAD + state.length)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, trace.a)
  view.setInt32(4, trace.b)
  view.setInt32(8, trace.c)
  view.setInt32(12, trace.d)
  view.setInt32(16, high)
  view.setInt32(20, low)
  bytes[24] = trace.flags
  bytes[25] = remote ? 1 : 0
  // Header text: one byte a character.
  for (let i = 0; i < state.length; i++) bytes[CONTEXT_HEAD + i] = state.charCodeAt(i)
  return bytes
}

/** The trace of such bytes. */
export function traceOf(bytes: Uint8Array): Trace {
  let state = ''
  for (let i = CONTEXT_HEAD; i < bytes.length; i++) state += String.fromCharCode(bytes[i] as number)
  return new Trace(
    wordAt(bytes, 0),
    wordAt(bytes, 4),
    wordAt(bytes, 8),
    wordAt(bytes, 12),
    bytes[24] as number,
    state,
  )
}

/** The word that stands there, the highest byte first. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getInt32(at)
}

/** Eight hex digits. */
export function hexWord(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}

/** The words of an id given as 1 to `digits` hex digits, left-padded; `undefined` if it is none. */
export function wordsOf(text: unknown, digits: number): number[] | undefined {
  if (typeof text !== 'string' || text.length === 0 || text.length > digits) return undefined
  if (!/^[0-9a-fA-F]+$/.test(text) || /^0+$/.test(text)) return undefined
  const full = text.padStart(digits, '0')
  const words: number[] = []
  for (let at = 0; at < digits; at += 8) words.push(Number.parseInt(full.slice(at, at + 8), 16) | 0)
  return words
}
