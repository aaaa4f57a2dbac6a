// `traced` for functions of every kind, and the decorators for methods and classes.

import { OPEN } from './core/kept_span'
import { runSpan } from './core/run'
import { currentAt, placeOfCurrent } from './core/slot'
import type { SpanOptions } from './core/span_options'
import type { Engine } from './engine'
import { startSpan } from './start'

export interface TracedOptions
  extends Omit<SpanOptions, 'input' | 'parent' | 'startTime' | 'traceId' | 'links'> {
  /** The span's name; by default the function's. */
  name?: string
  /** Records the arguments as the span's input: the argument itself where there is one, else a list. */
  captureInput?: boolean
  /** Records what the function returns, or what a generator yields, as its output. */
  captureOutput?: boolean
  /** The engine that records; by default the one that is current when the function is called. */
  engine?: Engine
}

export interface InstrumentOptions extends TracedOptions {
  /** Only these methods; by default all that the class itself defines, but the constructor. */
  methods?: readonly string[]
  /** Methods left alone. */
  exclude?: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: whatever arguments a function has.
type AnyFunction = (...args: any[]) => any

/** Records every call of a function as a span. */
export function traced<F extends AnyFunction>(name: string, options: TracedOptions, body: F): F
export function traced<F extends AnyFunction>(name: string | TracedOptions, body: F): F
export function traced<F extends AnyFunction>(body: F): F
export function traced<F extends AnyFunction>(
  first: string | TracedOptions | F,
  second?: TracedOptions | F,
  third?: F,
): F {
  const parts = [first, second, third]
  const body = parts.find((part) => typeof part === 'function') as F | undefined
  if (body === undefined) throw new TypeError(NO_BODY)
  const options = parts.find((part) => typeof part === 'object' && part !== null) as TracedOptions | undefined
  return wrap(body, typeof first === 'string' ? first : undefined, options ?? {})
}

const NO_BODY = 'polyspan: traced(name, options, body) is given the function whose calls it records, last'

function wrap<F extends AnyFunction>(body: F, named: string | undefined, given: TracedOptions): F {
  const { name, captureInput = true, captureOutput = true, engine, ...options } = given
  const label = named ?? name ?? (body.name || 'anonymous')
  const hasOptions = Object.keys(options).length > 0
  const recorder = engine?._recorder
  const outer = function (this: unknown, ...args: unknown[]): unknown {
    const place = placeOfCurrent()
    const slot = currentAt(place)
    const span = startSpan(label, hasOptions ? options : undefined, recorder, false, slot)
    watching?.(span._trace.isSampled ? span.traceId : undefined)
    watching = undefined
    if (captureInput && args.length > 0 && span._state === OPEN)
      span._input(args.length === 1 ? args[0] : args)
    const done = captureOutput
      ? (value: unknown): void => {
          if (value !== undefined) span._output(value)
        }
      : undefined
    return runSpan(span, () => body.apply(this, args), slot, place, done)
  }
  Object.defineProperty(outer, 'name', { value: body.name, configurable: true })
  Object.defineProperty(outer, 'length', { value: body.length, configurable: true })
  return outer as F
}

/** A decorator of methods: a standard one, and one of those before them (`experimentalDecorators`). */
export interface SpanDecorator {
  <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F
  <F extends AnyFunction>(
    holder: object,
    key: string | symbol,
    property: TypedPropertyDescriptor<F>,
  ): TypedPropertyDescriptor<F>
}

/** Records every call of a method as a span: `@withSpan`, `@withSpan('name')`, `@withSpan({ type: 'tool' })` or
 * `@withSpan('name', { type: 'tool' })`. */
export function withSpan<F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F
export function withSpan<F extends AnyFunction>(
  holder: object,
  key: string | symbol,
  property: TypedPropertyDescriptor<F>,
): TypedPropertyDescriptor<F>
export function withSpan(name: string, options?: TracedOptions): SpanDecorator
export function withSpan(options?: TracedOptions): SpanDecorator
export function withSpan(first: unknown = {}, second?: unknown, property?: PropertyDescriptor): unknown {
  // Without brackets it is the decorator itself.
  if (typeof first === 'function' || property !== undefined) return decorated({}, first, second, property)
  const options =
    typeof first === 'string' ? { name: first, ...(second as TracedOptions) } : (first as TracedOptions)
  return (...given: [unknown, unknown, PropertyDescriptor?]) => decorated(options, ...given)
}

/** A method, or the property that holds one, as a decorator of either kind is given it. */
function decorated(
  options: TracedOptions,
  first: unknown,
  second: unknown,
  property?: PropertyDescriptor,
): unknown {
  const named = (method: unknown, key: string | symbol): AnyFunction => {
    if (typeof method !== 'function') throw new TypeError(`polyspan: @withSpan: ${String(key)} is no method`)
    return wrap(method as AnyFunction, options.name ?? String(key), options)
  }
  return typeof second === 'object'
    ? named(first, (second as ClassMethodDecoratorContext).name)
    : { ...property, value: named(property?.value, second as string | symbol) }
}

// biome-ignore lint/suspicious/noExplicitAny: any class.
type AnyClass = abstract new (...args: any[]) => any

/** Records every call of a class's own methods as a span named `Class.method`; `name` stands for the class's. */
export function InstrumentClass(
  given?: InstrumentOptions,
): <C extends AnyClass>(target: C, context?: ClassDecoratorContext) => C
export function InstrumentClass<C extends AnyClass>(target: C, context?: ClassDecoratorContext): C
export function InstrumentClass(given: InstrumentOptions | AnyClass = {}): unknown {
  // Without brackets it is the decorator itself.
  if (typeof given === 'function') return instrument(given)
  return (target: AnyClass) => instrument(target, given)
}

/** The same for a class that is there already. */
export function instrument<C extends AnyClass>(target: C, given: InstrumentOptions = {}): C {
  const { methods, exclude = [], name = target.name, ...options } = given
  for (const holder of [target.prototype, target]) {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
      const { value } = property as PropertyDescriptor
      const wanted = methods === undefined ? !key.startsWith('_') : methods.includes(key)
      if (typeof value !== 'function' || key === 'constructor' || !wanted || exclude.includes(key)) continue
      if (isClass(value) || !property.configurable) continue
      Object.defineProperty(holder, key, { ...property, value: wrap(value, `${name}.${key}`, options) })
    }
  }
  return target
}

function isClass(value: AnyFunction): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value))
}

/** Calls a function that is `traced` and returns its result with the id of the trace that it recorded. */
export function withTraceId<A extends unknown[], R>(
  body: (...args: A) => R,
  ...args: A
): R extends PromiseLike<infer V> ? Promise<[V, string | undefined]> : [R, string | undefined]
export function withTraceId(body: AnyFunction, ...args: unknown[]): unknown {
  let traceId: string | undefined
  const noted = watch((id) => {
    traceId ??= id
  })
  let result: unknown
  try {
    result = body(...args)
  } finally {
    noted()
  }
  if (result instanceof Promise) return result.then((value) => [value, traceId])
  return [result, traceId]
}

let watching: ((id: string | undefined) => void) | undefined

/** Has the first span of a call that is traced tell its trace. */
function watch(tell: (id: string | undefined) => void): () => void {
  const before = watching
  watching = tell
  return () => {
    watching = before
  }
}
