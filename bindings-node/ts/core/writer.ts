// A buffer that grows, and the parts that frames are made of (docs/frame.md, "Fields").

import { host } from './host'
import { type Key, keyOf, MAX_INLINE } from './keys'
import { utf8Cut, utf8Of } from './utf8'

/** Texts up to this length are written a character at a time, which is quicker than a call. */
const SHORT = 24

/** Of integers with so many bits their size is kept, not their digits. */
const LONG_BITS = 14_000
const LONG = 1n << BigInt(LONG_BITS - 1)
const INT64_MOST = 0x7fffffffffffffffn
const INT64_LEAST = -0x8000000000000000n

export class Writer {
  buf: Uint8Array
  view: DataView
  at = 0

  constructor(size: number) {
    this.buf = new Uint8Array(size)
    this.view = new DataView(this.buf.buffer)
  }

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    if (this.at + bytes > this.buf.length) this.grow(this.at + bytes)
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.buf.length * 2))
    larger.set(this.buf.subarray(0, this.at))
    this.buf = larger
    this.view = new DataView(larger.buffer)
  }

  u8(value: number): void {
    this.reserve(1)
    this.buf[this.at++] = value
  }

  u16(value: number): void {
    this.reserve(2)
    this.view.setUint16(this.at, value, true)
    this.at += 2
  }

  u32(value: number): void {
    this.reserve(4)
    this.view.setUint32(this.at, value, true)
    this.at += 4
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buf.set(bytes, this.at)
    this.at += bytes.length
  }

  /** UTF-8 alone; returns its length. Room for three bytes a character has been made. */
  private utf8(text: string): number {
    const length = text.length
    const start = this.at
    if (length <= SHORT) {
      const { buf } = this
      let all = 0
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i)
        all |= code
        buf[start + i] = code
      }
      if (all <= 0x7f) {
        this.at = start + length
        return length
      }
    }
    const written = host.utf8(text, this.buf, start)
    this.at = start + written
    return written
  }

  /** A u32 length and that much UTF-8. */
  sized(text: string): void {
    this.reserve(4 + text.length * 3)
    const start = this.at
    this.at += 4
    this.view.setUint32(start, this.utf8(text), true)
  }

  /** A key inline, cut where it is too long; whether it was. */
  inlineKey(text: string): boolean {
    if (text.length * 3 > MAX_INLINE) {
      const bytes = utf8Of(text)
      if (bytes.length > MAX_INLINE) {
        const end = utf8Cut(bytes, MAX_INLINE)
        this.u16(end)
        this.raw(bytes.subarray(0, end))
        return true
      }
    }
    this.reserve(2 + text.length * 3)
    const start = this.at
    this.at += 2
    this.view.setUint16(start, this.utf8(text), true)
    return false
  }

  /** A static key, or an inline one; whether that was cut. */
  key(text: string): boolean {
    const key: Key = keyOf(text)
    if (key.code !== 0) {
      this.u16(key.code)
      return false
    }
    return this.inlineKey(text)
  }

  null(): void {
    this.u8(0)
  }

  bool(value: boolean): void {
    this.u8(value ? 2 : 1)
  }

  /** A whole number that is exact in a double. */
  int(value: number): void {
    this.reserve(9)
    this.buf[this.at] = 3
    if ((value | 0) === value) {
      this.view.setInt32(this.at + 1, value, true)
      this.view.setInt32(this.at + 5, value >> 31, true)
    } else {
      this.view.setBigInt64(this.at + 1, BigInt(value), true)
    }
    this.at += 9
  }

  double(value: number): void {
    this.reserve(9)
    this.buf[this.at] = 4
    this.view.setFloat64(this.at + 1, value, true)
    this.at += 9
  }

  /** Any number: whole ones as such. */
  number(value: number): void {
    if ((value | 0) === value && value !== 0) this.int(value)
    else if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.int(value)
    else this.double(value)
  }

  /** A whole number, as text where it has more than 64 bits. */
  bigint(value: bigint): void {
    const long = longText(value)
    if (long !== undefined) {
      this.text(long)
      return
    }
    this.reserve(9)
    this.buf[this.at] = 3
    this.view.setBigInt64(this.at + 1, value, true)
    this.at += 9
  }

  text(text: string): void {
    this.u8(5)
    this.sized(text)
  }

  bytes(bytes: Uint8Array): void {
    this.u8(6)
    this.u32(bytes.length)
    this.raw(bytes)
  }

  /** Opens an array (7) or map (8); the place is for `close`. */
  open(kind: 7 | 8): number {
    this.reserve(9)
    this.buf[this.at] = kind
    const place = this.at + 1
    this.at += 9
    return place
  }

  close(place: number, count: number): void {
    this.view.setUint32(place, this.at - place - 4, true)
    this.view.setUint32(place + 4, count, true)
  }
}

/** Few bytes are taken out of a larger piece: a buffer each would be dear. */
const PIECE = 8 * 1024
let piece = new Uint8Array(0)
let pieceAt = 0

/** What was written, as bytes of its own. */
export function copied(out: Writer): Uint8Array {
  const length = out.at
  if (length > PIECE >>> 2) return out.buf.slice(0, length)
  if (pieceAt + length > piece.length) {
    piece = new Uint8Array(PIECE)
    pieceAt = 0
  }
  const bytes = piece.subarray(pieceAt, pieceAt + length)
  pieceAt += length
  bytes.set(out.buf.subarray(0, length))
  return bytes
}

/** What stands for an integer of more than 64 bits; decimal digits take time by the square of their number. */
export function longText(value: bigint): string | undefined {
  if (value <= INT64_MOST && value >= INT64_LEAST) return undefined
  return value < LONG && value > -LONG ? value.toString() : `<int of ${bitsOf(value)} bits>`
}

function bitsOf(value: bigint): number {
  const digits = (value < 0n ? -value : value).toString(16)
  return digits.length * 4 - Math.clz32(Number.parseInt(digits.charAt(0), 16)) + 28
}
