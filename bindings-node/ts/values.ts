// Values that come from the addon, as JavaScript has them.

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Value[]
  | { [key: string]: Value }

/** Reads one value that stands alone. */
export function readValue(bytes: Buffer): Value {
  return new Reader(bytes).value()
}

class Reader {
  private at = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  value(): Value {
    const kind = this.bytes[this.at++]
    switch (kind) {
      case 0:
        return null
      case 1:
        return false
      case 2:
        return true
      case 3:
        return this.int()
      case 4:
        this.at += 8
        return this.bytes.readDoubleLE(this.at - 8)
      case 5:
        return this.text(this.u32())
      case 6: {
        const length = this.u32()
        this.at += length
        return new Uint8Array(this.bytes.subarray(this.at - length, this.at))
      }
      case 7: {
        const items: Value[] = []
        for (let left = this.count(); left > 0; left--) items.push(this.value())
        return items
      }
      case 8: {
        const entries: { [key: string]: Value } = {}
        for (let left = this.count(); left > 0; left--) {
          const length = this.bytes.readUInt16LE(this.at)
          this.at += 2
          // A key such as `__proto__` is a key like any other.
          const key = this.text(length)
          Object.defineProperty(entries, key, {
            value: this.value(),
            enumerable: true,
            writable: true,
            configurable: true,
          })
        }
        return entries
      }
      default:
        throw new RangeError(`polyspan: a value of kind ${kind}`)
    }
  }

  private u32(): number {
    this.at += 4
    return this.bytes.readUInt32LE(this.at - 4)
  }

  private count(): number {
    this.at += 8
    return this.bytes.readUInt32LE(this.at - 4)
  }

  private int(): number | bigint {
    const value = this.bytes.readBigInt64LE(this.at)
    this.at += 8
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  private text(length: number): string {
    this.at += length
    return this.bytes.utf8Slice(this.at - length, this.at)
  }
}
