// Values as they are when they are set, cut so that a huge one costs its caller what is kept of it and no more.
//
// What is cut where, and the markers it leaves, are the core's (`core/src/span/capture.rs`; `tests/vectors/limits.json`
// pins them). How an object of JavaScript is taken apart stands in `shape.ts`.

import { MAX_INLINE } from './keys'
import { refuse } from './log'
import { shapeOf } from './shape'
import { textOf, utf8Cut, utf8Of } from './utf8'
import { copied, longText, Writer } from './writer'

/** How much of a value is captured. */
export interface Bounds {
  valueBytes: number
  depth: number
  arrayItems: number
  objectKeys: number
}

/** What was not captured as it was given. */
export interface Cuts {
  altered: number
  limited: number
}

const TRUNCATED = '…[truncated]'
const MAX_DEPTH = '[MaxDepth]'
const CIRCULAR = '[Circular]'
const TRUNCATED_KEY = '__truncated'
const UNREADABLE_KEY = '__unreadable'
/** What each value counts at least. */
const LEAST = 8
/** Objects that stand for others, one behind the other, at most. */
const STAND_INS = 8
/** The scratch is given back beyond this size. */
const KEPT = 1 << 20

let scratch = new Writer(16 * 1024)
let busy = false

/** The bytes of a value, within bounds; never throws. */
export function capture(value: unknown, bounds: Bounds, cuts: Cuts): Uint8Array {
  // A getter may record a span itself.
  const out = busy ? new Writer(1024) : scratch
  const outer = busy
  busy = true
  out.at = 0
  try {
    new Capture(out, bounds, cuts).value(value, 0)
    return copied(out)
  } catch {
    refuse('a value that fails when it is read')
    cuts.altered += 1
    out.at = 0
    out.text('[unreadable]')
    return copied(out)
  } finally {
    busy = outer
    if (!outer && scratch.buf.length > KEPT) scratch = new Writer(16 * 1024)
  }
}

/** Writes values into a buffer. */
export class Capture {
  private readonly out: Writer
  private readonly bounds: Bounds
  private readonly cuts: Cuts
  private spent = 0
  private standIns = 0
  private readonly path: object[] = []

  constructor(out: Writer, bounds: Bounds, cuts: Cuts) {
    this.out = out
    this.bounds = bounds
    this.cuts = cuts
  }

  private get room(): number {
    return Math.max(0, this.bounds.valueBytes - this.spent)
  }

  value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.text(value)
        return
      case 'number':
        this.spent += LEAST
        this.out.number(value)
        return
      case 'boolean':
        this.spent += LEAST
        this.out.bool(value)
        return
      case 'undefined':
        this.spent += LEAST
        this.out.null()
        return
      case 'bigint':
        this.bigint(value)
        return
      case 'symbol':
        this.text(String(value))
        return
      case 'function':
        this.text(functionText(value))
        return
      default:
        if (value === null) {
          this.spent += LEAST
          this.out.null()
        } else {
          this.object(value as object, depth)
        }
    }
  }

  private bigint(value: bigint): void {
    const long = longText(value)
    if (long !== undefined) {
      this.text(long)
      return
    }
    this.spent += LEAST
    this.out.bigint(value)
  }

  text(text: string): void {
    const room = this.room
    if (text.length <= room && (text.length * 3 <= room || utf8Of(text).length <= room)) {
      const start = this.out.at
      this.out.text(text)
      this.spent += LEAST + this.out.at - start - 5
      return
    }
    const bytes = utf8Of(text.length > room ? text.slice(0, room + 1) : text)
    const shown = textOf(bytes.subarray(0, utf8Cut(bytes, room))) + TRUNCATED
    this.spent += LEAST + utf8Of(shown).length
    this.cuts.altered += 1
    this.out.text(shown)
  }

  /** A text that says what stands here. */
  private marker(text: string): void {
    this.spent += LEAST + text.length
    this.out.text(text)
  }

  private bytes(bytes: Uint8Array): void {
    if (bytes.length > this.room) {
      this.cuts.altered += 1
      this.marker(`[bytes length=${bytes.length}]`)
      return
    }
    this.spent += LEAST + bytes.length
    this.out.bytes(bytes)
  }

  private object(object: object, depth: number): void {
    if (this.path.includes(object)) {
      this.marker(CIRCULAR)
      return
    }
    const shape = shapeOf(object)
    switch (shape.is) {
      case 'text':
        this.text(shape.text)
        return
      case 'bytes':
        this.bytes(shape.bytes)
        return
      case 'other':
        if (this.standIns >= STAND_INS) {
          this.marker(CIRCULAR)
          return
        }
        this.standIns += 1
        this.value(shape.value, depth)
        this.standIns -= 1
        return
      case 'list':
        this.path.push(object)
        this.list(shape.length, shape.items, depth)
        break
      case 'entries':
        this.path.push(object)
        this.entries(shape.length, shape.entries, depth)
        break
      default:
        this.path.push(object)
        this.fields(object as Record<string, unknown>, shape.keys, depth)
    }
    this.path.pop()
  }

  /** Whether an array or map that stands in `depth` others may be opened. */
  private opens(depth: number): boolean {
    this.spent += LEAST
    if (depth <= this.bounds.depth) return true
    this.cuts.limited += 1
    this.marker(MAX_DEPTH)
    return false
  }

  private list(length: number, items: Iterable<unknown>, depth: number): void {
    if (!this.opens(depth)) return
    const place = this.out.open(7)
    let written = 0
    let left = length
    if (length > 0) {
      const { length: above } = this.path
      let end = this.out.at
      try {
        for (const item of items) {
          if (written >= this.bounds.arrayItems || this.room === 0 || left === 0) break
          this.value(item, depth + 1)
          written += 1
          left -= 1
          end = this.out.at
        }
      } catch (error) {
        this.unreadable(end, above, error)
        written += 1
        left = 0
      }
    }
    if (left > 0 && (written >= this.bounds.arrayItems || this.room === 0)) {
      this.cuts.altered += written < this.bounds.arrayItems ? 1 : 0
      this.marker(`[…${left} more items]`)
      written += 1
    }
    this.out.close(place, written)
  }

  /** What an iterator of the application threw, in place of what it had not given by then. */
  private unreadable(end: number, above: number, error: unknown): void {
    this.out.at = end
    this.path.length = above
    this.cuts.altered += 1
    this.marker(`[unreadable: ${error instanceof Error ? error.name : typeof error}]`)
  }

  private key(name: string): void {
    const start = this.out.at
    if (name.length > MAX_INLINE || this.out.inlineKey(name)) this.longKey(name, start)
    this.spent += this.out.at - start - 2
  }

  private longKey(name: string, start: number): void {
    this.cuts.altered += 1
    this.out.at = start
    this.out.inlineKey(name.slice(0, MAX_INLINE))
  }

  private endMap(place: number, written: number, left: number): void {
    let count = written
    if (left > 0) {
      this.cuts.altered += written < this.bounds.objectKeys ? 1 : 0
      this.key(TRUNCATED_KEY)
      this.marker(`${left} more keys omitted`)
      count += 1
    }
    this.out.close(place, count)
  }

  private entries(length: number, entries: Iterable<readonly [unknown, unknown]>, depth: number): void {
    if (!this.opens(depth)) return
    const place = this.out.open(8)
    let written = 0
    if (length > 0) {
      const { length: above } = this.path
      let end = this.out.at
      try {
        for (const [key, item] of entries) {
          if (written >= this.bounds.objectKeys || this.room === 0 || written >= length) break
          this.key(keyText(key))
          this.value(item, depth + 1)
          written += 1
          end = this.out.at
        }
      } catch (error) {
        this.out.at = end
        this.key(UNREADABLE_KEY)
        this.unreadable(this.out.at, above, error)
        written += 1
      }
    }
    const full = written >= this.bounds.objectKeys || this.room === 0
    this.endMap(place, written, full ? length - written : 0)
  }

  private fields(object: Record<string, unknown>, keys: string[], depth: number): void {
    if (!this.opens(depth)) return
    const place = this.out.open(8)
    let written = 0
    for (const key of keys) {
      if (written >= this.bounds.objectKeys || this.room === 0) break
      this.key(key)
      this.value(fieldOf(object, key), depth + 1)
      written += 1
    }
    this.endMap(place, written, keys.length - written)
  }
}

/** A property, or what its getter threw. */
function fieldOf(object: Record<string, unknown>, key: string): unknown {
  try {
    return object[key]
  } catch (error) {
    return `[getter threw ${error instanceof Error ? error.name : typeof error}]`
  }
}

/** A key of a `Map` as text. */
export function keyText(key: unknown): string {
  if (typeof key === 'string') return key
  try {
    return typeof key === 'object' && key !== null ? `[${key.constructor?.name ?? 'object'}]` : String(key)
  } catch {
    return '[object]'
  }
}

function functionText(value: unknown): string {
  const name = (value as { name?: unknown }).name
  return typeof name === 'string' && name ? `[Function ${name}]` : '[Function]'
}
