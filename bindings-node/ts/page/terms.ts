// What a page is told about recording: how many traces are kept, how much of a span, and where frames go. The server
// renders it into the page (`pageTerms` of `polyspan/next`), so that one configuration holds for both.
//
// `tests/vectors/page.json` pins how the engine's options become these, and what they decide.

/** What comes with a page, as JSON. Absent members have their defaults. */
export interface PageTerms {
  /** The relay that takes frames; `/api/polyspan` by default. */
  relay?: string
  /** Of new traces those are kept whose randomness reaches this, as 14 hex digits: all of them where it is empty, and
   * none where it is `null`. */
  threshold?: string | null
  /** Bytes that are kept of one value, and of one span. */
  valueBytes?: number
  spanBytes?: number
  depth?: number
  arrayItems?: number
  objectKeys?: number
  /** Whether inputs and outputs are recorded; they are not by default. */
  io?: boolean
  /** Spans that may be open; more do not record. */
  openSpans?: number
  /** What the relay may ask for. It stands in the page, so it is no secret. */
  token?: string
}

export type Terms = Required<Omit<PageTerms, 'token'>> & Pick<PageTerms, 'token'>

export const DEFAULTS: Terms = {
  relay: '/api/polyspan',
  threshold: '',
  valueBytes: 16 * 1024,
  spanBytes: 48 * 1024,
  depth: 8,
  arrayItems: 100,
  objectKeys: 100,
  io: false,
  openSpans: 1000,
}

/** Terms with their defaults; what is of the wrong type is left out. */
export function termsOf(given: PageTerms | null | undefined): Terms {
  const terms: Record<string, unknown> = { ...DEFAULTS }
  for (const [name, value] of Object.entries(given ?? {})) {
    const usable =
      name === 'threshold' ? value === null || /^(?:[0-9a-f]{14})?$/.test(String(value)) : fits(name, value)
    if (usable) terms[name] = value
  }
  return terms as unknown as Terms
}

function fits(name: string, value: unknown): boolean {
  if (name === 'token') return typeof value === 'string'
  if (typeof value === 'number' && !(value >= 0)) return false
  return typeof value === typeof DEFAULTS[name as keyof typeof DEFAULTS]
}
