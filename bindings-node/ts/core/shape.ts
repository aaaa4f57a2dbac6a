// How an object is taken apart: what of it is worth showing.
//
// Called by `capture.ts`. Nothing is used up (iterators, streams) or converted as a whole.

export type Shape =
  | { is: 'text'; text: string }
  | { is: 'bytes'; bytes: Uint8Array }
  /** Another value stands for it. */
  | { is: 'other'; value: unknown }
  | { is: 'list'; length: number; items: Iterable<unknown> }
  | { is: 'entries'; length: number; entries: Iterable<readonly [unknown, unknown]> }
  | { is: 'fields'; keys: string[] }

/** What an error says of itself; its own further properties follow. */
const ERROR_PARTS = ['name', 'message', 'stack', 'cause', 'errors']

export function shapeOf(object: object): Shape {
  try {
    return look(object)
  } catch (error) {
    // A proxy may refuse anything.
    return { is: 'text', text: `[unreadable: ${error instanceof Error ? error.name : typeof error}]` }
  }
}

function look(object: object): Shape {
  if (Array.isArray(object)) return { is: 'list', length: object.length, items: object }
  const prototype = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) {
    const known = builtIn(object)
    if (known) return known
  }
  const own = (object as { toJSON?: unknown }).toJSON
  if (typeof own === 'function') return asJson(object as { toJSON(): unknown })
  return { is: 'fields', keys: Object.keys(object) }
}

function asJson(object: { toJSON(): unknown }): Shape {
  try {
    const value = object.toJSON()
    if (value !== object) return { is: 'other', value }
  } catch (error) {
    return { is: 'text', text: `[toJSON threw ${error instanceof Error ? error.name : typeof error}]` }
  }
  return { is: 'fields', keys: Object.keys(object) }
}

/** Objects of the language: by their tag, so that those of other realms count, and by what only they can do. */
function builtIn(object: object): Shape | undefined {
  if (ArrayBuffer.isView(object)) return view(object)
  const tag = Object.prototype.toString.call(object).slice(8, -1)
  switch (tag) {
    case 'Date':
      return dateOf(object as Date)
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return { is: 'bytes', bytes: new Uint8Array(object as ArrayBuffer) }
    case 'RegExp':
      return { is: 'text', text: String(object) }
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'Symbol':
    case 'BigInt':
      return { is: 'other', value: object.valueOf() }
    case 'Promise':
      return { is: 'text', text: '[Promise]' }
    case 'WeakMap':
    case 'WeakSet':
      return { is: 'text', text: '[weak collection]' }
    case 'Generator':
    case 'AsyncGenerator':
      return { is: 'text', text: '[Generator]' }
  }
  if (tag === 'Map' || object instanceof Map) return collection(object, mapSize, 'entries')
  if (tag === 'Set' || object instanceof Set) return collection(object, setSize, 'list')
  if (tag === 'Error' || object instanceof Error) return { is: 'fields', keys: errorKeys(object) }
  return webObject(object)
}

function dateOf(date: Date): Shape {
  return { is: 'text', text: Number.isNaN(date.getTime()) ? 'Invalid Date' : date.toISOString() }
}

const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get as (this: object) => number
const setSize = Object.getOwnPropertyDescriptor(Set.prototype, 'size')?.get as (this: object) => number

/** A map or set; nothing special where it only calls itself one. */
function collection(
  object: object,
  size: (this: object) => number,
  is: 'entries' | 'list',
): Shape | undefined {
  let length: number
  try {
    length = size.call(object)
  } catch {
    return undefined
  }
  return is === 'entries'
    ? { is, length, entries: object as Map<unknown, unknown> }
    : { is, length, items: object as Set<unknown> }
}

function view(object: ArrayBufferView): Shape {
  if (object instanceof Uint8Array || object instanceof Uint8ClampedArray || object instanceof DataView) {
    return { is: 'bytes', bytes: new Uint8Array(object.buffer, object.byteOffset, object.byteLength) }
  }
  const items = object as unknown as ArrayLike<unknown> & Iterable<unknown>
  return { is: 'list', length: items.length, items }
}

function errorKeys(error: object): string[] {
  const own = Object.keys(error).filter((key) => !ERROR_PARTS.includes(key))
  return ERROR_PARTS.filter((key) => key in error).concat(own)
}

/** What the web platform has, which shows nothing as plain properties. */
function webObject(object: object): Shape | undefined {
  if (object instanceof URL) return { is: 'text', text: object.href }
  if (object instanceof URLSearchParams) return { is: 'text', text: object.toString() }
  if (object instanceof Headers) {
    const entries = [...object]
    return { is: 'entries', length: entries.length, entries }
  }
  if (object instanceof Request) {
    const { method, url, headers } = object
    return { is: 'other', value: { method, url, headers } }
  }
  if (object instanceof Response) {
    const { status, statusText, url, headers } = object
    return { is: 'other', value: { status, statusText, url, headers } }
  }
  if (object instanceof ReadableStream || object instanceof WritableStream) {
    return { is: 'text', text: `[${object.constructor.name}]` }
  }
  if (object instanceof AbortSignal)
    return { is: 'text', text: object.aborted ? '[aborted]' : '[AbortSignal]' }
  if (object instanceof Blob) return { is: 'text', text: `[${object.constructor.name} size=${object.size}]` }
  return undefined
}
