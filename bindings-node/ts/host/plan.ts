// Options of `init` that hold the application's code: checking them, and handing them to the addon.

import { wholeValue } from '../context'
import { PolyspanError } from '../error'
import { MemoryExporter } from '../memory'
import type { NativeOptions } from '../native'
import { described } from '../options'
import { Exporter, type SpanExporter, takesAnything } from './exporter'
import { type Formatter, nameOf } from './handler'
import { register } from './stage'
import { Filter, Formatters, type Processor, type ProcessorFunction, Processors } from './taps'

/** Puts an exporter among the options. False for a name or a plain description, which are data. */
export function addExporter(options: NativeOptions, given: unknown, at: string, signal = ''): boolean {
  if (given instanceof MemoryExporter) {
    options.memory(given._native, signal)
    return true
  }
  if (typeof given === 'function') throw unusable(at, given, 'an exporter, not its class')
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  if (takesAnything(given)) {
    const exporter = given as SpanExporter
    const name = nameOf(exporter)
    const handler = new Exporter(exporter, formattersOf(exporter.formatters, `${name}.formatters`))
    const { atOnce, events } = handler
    options.exporter({ handler: register(handler), name: handler.name, atOnce, events: [...events] }, signal)
    return true
  }
  const { formatters, ...rest } = given as { formatters?: unknown }
  const isPlain = Object.getPrototypeOf(given) === Object.prototype
  if (!isPlain) {
    const expected = 'an object with export(spans), exportEvent(event), or a method such as onSpanEnded(span)'
    throw unusable(at, given, expected)
  }
  if (formatters === undefined) return false
  if (signal !== '') throw unusable(`${at}.formatters`, formatters, 'formatters of an exporter of spans')
  const chain = formattersOf(formatters, `${at}.formatters`)
  options.formatted(register(new Formatters(chain)), wholeValue(described(rest)), at)
  return true
}

function formattersOf(given: unknown, at: string): Formatter[] {
  if (given === undefined || given === null) return []
  const listed: unknown[] = Array.isArray(given) ? given : [given]
  return listed.map((formatter, place) => {
    if (typeof formatter === 'function' && !isClass(formatter)) return formatter as Formatter
    throw unusable(`${at}[${place}]`, formatter, 'a function of a span')
  })
}

/** Puts a chain of processors among the options: a list, or one alone. */
export function addProcessors(options: NativeOptions, given: unknown): void {
  const listed: unknown[] = Array.isArray(given) ? given : [given]
  listed.forEach((processor, at) => {
    const process =
      typeof processor === 'function' ? processor : (processor as Partial<Processor> | null)?.process
    if (typeof process !== 'function' || isClass(processor)) {
      const expected = 'a function of a span, or an object with process(span)'
      throw unusable(`processors[${at}]`, processor, expected)
    }
  })
  if (listed.length > 0) {
    options.processors(register(new Processors(listed as (Processor | ProcessorFunction)[])))
  }
}

/** Puts a span filter among the options. */
export function addFilter(options: NativeOptions, given: unknown): void {
  if (typeof given !== 'function' || isClass(given))
    throw unusable('spanFilter', given, 'a function of a span')
  options.filter(register(new Filter(given as () => unknown)))
}

function isClass(given: unknown): boolean {
  return typeof given === 'function' && /^class\b/.test(Function.prototype.toString.call(given))
}

function unusable(option: string, found: unknown, expected: string): PolyspanError {
  return new PolyspanError('invalid_option', `${option}: ${shown(found)} is not usable; expected ${expected}`)
}

function shown(found: unknown): string {
  if (typeof found === 'function') return `${isClass(found) ? 'class' : 'function'} ${found.name}`.trim()
  if (typeof found === 'object' && found !== null) return `an object of ${nameOf(found)}`
  return JSON.stringify(String(found))
}
