// Options as TypeScript spells them, and as the engine does: `maxQueueSpans` and `max_queue_spans`.

/** Maps whose keys belong to the application. */
const OWN_KEYS = new Set(['resource', 'headers', 'attributes', 'patterns', 'prices', 'requestContext'])

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

/** A message that begins with the path of an option, as TypeScript spells it. */
export function camelPath(message: string): string {
  const end = message.indexOf(':')
  return end < 0 ? message : camel(message.slice(0, end)) + message.slice(end)
}
