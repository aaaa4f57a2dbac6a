// Options as TypeScript spells them, and as the engine does: `maxQueueSpans` and `max_queue_spans`.

/** Maps whose keys belong to the application. */
const OWN_KEYS = new Set([
  'resource',
  'headers',
  'attributes',
  'metadata',
  'patterns',
  'prices',
  'requestContext',
])

export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

export function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** A description of an engine, exporter or sampler with the engine's names. */
export function described(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(described)
  if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== Object.prototype)
    return given
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) out[snake(name)] = OWN_KEYS.has(name) ? value : described(value)
  }
  return out
}

/** Options of `init` of which the engine is not told. */
const OURS = ', processors, spanFilter, handleSignals'

/** A message about an option as TypeScript spells it: the path that it begins with, and the names where it lists them. */
export function camelNames(message: string): string {
  const end = message.indexOf(':')
  if (end < 0) return message
  const [path, rest] = [camel(message.slice(0, end)), message.slice(end)]
  if (!rest.includes('; expected only ')) return path + rest
  return path + camel(rest) + (path === 'options' ? OURS : '')
}
