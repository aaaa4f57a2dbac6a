// How an object is taken apart in a page: `../core/shape.ts` without what pages seldom record. The bundle of a page
// has this in its place (`tools/pages.mjs`); whatever both know they take apart alike, which a test holds them to.

import type { Shape } from '../core/shape'

const ERROR_PARTS = ['name', 'message', 'stack', 'cause', 'errors']

export function shapeOf(object: object): Shape {
  try {
    return look(object)
  } catch (error) {
    return { is: 'text', text: `[unreadable: ${error instanceof Error ? error.name : typeof error}]` }
  }
}

function look(object: object): Shape {
  if (Array.isArray(object)) return { is: 'list', length: object.length, items: object }
  if (object instanceof ArrayBuffer) return { is: 'bytes', bytes: new Uint8Array(object) }
  if (ArrayBuffer.isView(object))
    return { is: 'bytes', bytes: new Uint8Array(object.buffer, object.byteOffset, object.byteLength) }
  if (object instanceof Map) return { is: 'entries', length: object.size, entries: object }
  if (object instanceof Set) return { is: 'list', length: object.size, items: object }
  if (object instanceof Error) {
    const own = Object.keys(object).filter((key) => !ERROR_PARTS.includes(key))
    return { is: 'fields', keys: ERROR_PARTS.filter((key) => key in object).concat(own) }
  }
  if (object instanceof RegExp || object instanceof Promise) return { is: 'text', text: String(object) }
  const { toJSON } = object as { toJSON?: unknown }
  if (typeof toJSON === 'function') {
    const value: unknown = toJSON.call(object)
    if (value !== object) return { is: 'other', value }
  }
  return { is: 'fields', keys: Object.keys(object) }
}
