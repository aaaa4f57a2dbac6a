// Results that go on after their function has returned: streams, responses, iterators. Their span ends when they
// end, fail or are cancelled, or when nobody can read them any more; until then it is current in each step.

import { host } from './host'
import { OPEN } from './kept_span'
import { inside } from './slot'
import type { Span } from './span'

/** Items that are kept as the output. */
const KEPT = 1000

type Done = ((value: unknown) => void) | undefined
type Step = 'next' | 'return' | 'throw'

/** Spans whose result was thrown away unread. Whoever has taken the body out of a response holds the response by that. */
const unread = new FinalizationRegistry<Span>((span) => {
  if (span._canEnd) span.end()
})

interface NodeReadable {
  on(event: string | symbol, listener: (error?: unknown) => void): unknown
  pipe: unknown
  readable?: boolean
}

/** Whether a span has to wait for more than what it got. What somebody reads already, or has read, is nobody's to wait
 * for: `if (!r.ok) log(await r.text()); return r`. */
export function keepsGoing(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  try {
    if (value instanceof Response) {
      if (host.isWhole?.(value) === true) return false
      return value.body !== null && !value.bodyUsed && !value.body.locked
    }
    if (value instanceof ReadableStream) return !value.locked
    return isNodeReadable(value) || isIterator(value) || isAsyncIterable(value)
  } catch {
    return false
  }
}

/** Not the response of a server, which inherits `pipe` and is only written to. */
function isNodeReadable(value: object): value is NodeReadable {
  const stream = value as Partial<NodeReadable>
  return typeof stream.pipe === 'function' && typeof stream.on === 'function' && stream.readable === true
}

function isIterator(value: object): boolean {
  const name = Object.prototype.toString.call(value)
  return name === '[object Generator]' || name === '[object AsyncGenerator]'
}

function isAsyncIterable(value: object): boolean {
  return typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
}

/** What stands for the result while its span is open. What cannot be followed is handed on as it is. */
export function observe(span: Span, value: unknown, done: Done): unknown {
  try {
    const found = wrapped(span, value as object, done)
    unread.register(found as object, span)
    return found
  } catch {
    span.end()
    return value
  }
}

function wrapped(span: Span, value: object, done: Done): unknown {
  if (value instanceof Response) return response(span, value)
  if (value instanceof ReadableStream) return readable(span, value, done)
  if (isIterator(value)) return iterator(span, value as never, done)
  if (isNodeReadable(value)) return nodeStream(span, value)
  return iterable(span, value as AsyncIterable<unknown>, done)
}

function nodeStream(span: Span, stream: NodeReadable): NodeReadable {
  const { errorMonitor } = host
  // A monitor is no handler: an error that nobody handles still is one.
  if (errorMonitor !== undefined) stream.on(errorMonitor, (error) => void (span._canEnd && span.error(error)))
  stream.on('end', () => void (span._canEnd && span.end()))
  stream.on('close', () => void (span._canEnd && span.end()))
  return stream
}

function response(span: Span, original: Response): Response {
  const held: { by?: Response } = {}
  const body = readable(span, original.body as ReadableStream, undefined, held)
  const copy = new Response(body, host.headOf?.(original) ?? original)
  held.by = copy
  for (const name of ['url', 'redirected', 'type'] as const) {
    Object.defineProperty(copy, name, { value: original[name], configurable: true })
  }
  const prototype = Object.getPrototypeOf(original)
  if (!Object.prototype.isPrototypeOf.call(Response.prototype, prototype)) return copy
  // A class of its own, as Next.js has one, with what its constructor gave it; the runtime's own state stays apart.
  Object.setPrototypeOf(copy, prototype)
  for (const name of Reflect.ownKeys(original)) {
    const property = Object.getOwnPropertyDescriptor(original, name)
    if (property !== undefined && !Object.hasOwn(copy, name)) Object.defineProperty(copy, name, property)
  }
  return copy
}

/** Keeps the first items for the output. */
class Items {
  private readonly list: unknown[] = []
  private readonly done: Done

  constructor(done: Done) {
    this.done = done
  }

  add(item: unknown): void {
    if (this.done !== undefined && this.list.length < KEPT && !(item instanceof Uint8Array))
      this.list.push(item)
  }

  finish(span: Span): void {
    if (span._state === OPEN && this.list.length > 0) this.done?.(this.list)
    if (span._canEnd) span.end()
  }
}

/** Whether its readers may bring buffers of their own. */
function isOfBytes(source: ReadableStream): boolean {
  try {
    source.getReader({ mode: 'byob' }).releaseLock()
    return true
  } catch {
    return false
  }
}

/** The stream, and whoever reads it, holds `held`. */
function readable(span: Span, source: ReadableStream, done: Done, held?: object): ReadableStream {
  const bytes = isOfBytes(source)
  const reader: ReadableStreamDefaultReader = source.getReader()
  const items = new Items(done)
  const read = async (controller: ReadableStreamController<unknown>): Promise<void> => {
    try {
      let step = await inside(span, () => reader.read())
      // A byte stream hands on no empty pieces.
      while (bytes && !step.done && step.value.byteLength === 0)
        step = await inside(span, () => reader.read())
      if (step.done) {
        items.finish(span)
        controller.close()
        if ('byobRequest' in controller) controller.byobRequest?.respond(0)
      } else {
        items.add(step.value)
        controller.enqueue(step.value)
      }
    } catch (error) {
      span.error(error)
      controller.error(error)
    }
  }
  const steps = {
    ...(bytes ? { type: 'bytes' as const } : {}),
    held,
    pull: read,
    async cancel(reason: unknown) {
      try {
        await inside(span, () => reader.cancel(reason))
      } finally {
        items.finish(span)
      }
    },
  }
  return new ReadableStream(steps, { highWaterMark: 0 }) as ReadableStream
}

type AnyIterator = Record<Step, ((value?: unknown) => unknown) | undefined> & object

/** A generator of either kind, each of whose steps runs inside the span. */
function iterator(span: Span, source: AnyIterator, done: Done): unknown {
  const items = new Items(done)
  const isAsync = isAsyncIterable(source)
  const stepped = (step: IteratorResult<unknown>): IteratorResult<unknown> => {
    if (step.done) items.finish(span)
    else items.add(step.value)
    return step
  }
  const failed = (error: unknown): never => {
    if (span._canEnd) span.error(error)
    throw error
  }
  const take = (name: Step) => (value?: unknown) => {
    let step: unknown
    try {
      step = inside(span, () => (source[name] as (value?: unknown) => unknown).call(source, value))
    } catch (error) {
      return failed(error)
    }
    // `for await` takes steps that are no promises, too.
    return isAsync
      ? Promise.resolve(step as IteratorResult<unknown>).then(stepped, failed)
      : stepped(step as IteratorResult<unknown>)
  }
  const outer = Object.create(Object.getPrototypeOf(source)) as Record<string | symbol, unknown>
  for (const name of ['next', 'return', 'throw'] as const) {
    if (typeof source[name] === 'function') outer[name] = take(name)
  }
  outer[isAsync ? Symbol.asyncIterator : Symbol.iterator] = () => outer
  return outer
}

/** An object that can be iterated once or more: its first iteration is the span's. */
function iterable(span: Span, source: AsyncIterable<unknown>, done: Done): AsyncIterable<unknown> {
  const begin = source[Symbol.asyncIterator]
  let begun = false
  const first = (): AsyncIterator<unknown> => {
    let inner: AsyncIterator<unknown>
    try {
      inner = inside(span, () => begin.call(source))
    } catch (error) {
      if (span._canEnd) span.error(error)
      throw error
    }
    if (begun) return inner
    begun = true
    return iterator(span, { ...bindAll(inner), [Symbol.asyncIterator]: () => inner } as never, done) as never
  }
  try {
    Object.defineProperty(source, Symbol.asyncIterator, { value: first, configurable: true, writable: true })
  } catch {
    span.end()
  }
  return source
}

function bindAll(inner: AsyncIterator<unknown>): Partial<AnyIterator> {
  const bound: Partial<AnyIterator> = {}
  for (const name of ['next', 'return', 'throw'] as const) {
    const method = inner[name] as ((value?: unknown) => unknown) | undefined
    if (method !== undefined) bound[name] = method.bind(inner)
  }
  return bound
}
