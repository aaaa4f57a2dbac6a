// What a span is given when it starts, and reading it.

import { momentOf, type TimeInput } from './clock'
import { type Attributes, text } from './given'
import { host } from './host'
import { INHERITED, type Inherited } from './inherited'
import { refuse } from './log'
import type { ParentInput } from './span_context'

/** The kinds of spans, as OpenTelemetry has them. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'

export interface SpanOptions extends Inherited {
  /** What the span stands for, for example `'tool'` or `'agent'`; `'generic'` by default. */
  type?: string
  /** The role in a request; by default what the type has, and `'internal'` for generic spans. */
  kind?: SpanKind
  attributes?: Attributes
  input?: unknown
  /** For this span and everything inside. */
  metadata?: Attributes
  /** Tags of the trace; only its first span in this process carries them. */
  tags?: Iterable<string>
  /** A span, span context, context or `traceparent` text, instead of the current span. */
  parent?: ParentInput
  links?: Iterable<ParentInput | readonly [ParentInput, Attributes]>
  /** When it started: a `Date`, milliseconds since the epoch, nanoseconds as a bigint, or `[seconds, nanos]`. */
  startTime?: TimeInput
  /** Begins a new trace, whatever is current. */
  root?: boolean
  /** The trace id of a root, as 1 to 32 hex digits. A bad one is replaced by a random one. */
  traceId?: string
  /** The span is internal to a framework, and hidden unless asked for. */
  internal?: boolean
}

/** The number of a kind; `undefined` if it is none. */
export function kindNumber(kind: unknown): number | undefined {
  switch (kind) {
    case 'internal':
      return 1
    case 'server':
      return 2
    case 'client':
      return 3
    case 'producer':
      return 4
    case 'consumer':
      return 5
  }
  const lower = text(kind).toLowerCase()
  return lower === kind ? undefined : kindNumber(lower)
}

export const NO_OPTIONS: SpanOptions = {}

/** Options of one group are treated alike. */
export const INHERITS = 1

export const ASKS = 2

export const CONTENT = 4

export const PARENT = 8

export const TRACE_ID = 16

/** Those that make a difference for spans inside, or for whose child it is. */
export const CHANGES = INHERITS | ASKS | PARENT

const GROUPS = new Map<string, number>(INHERITED.map((name) => [name, INHERITS]))

/** The group of an option; the most usual ones first. */
function groupOf(name: string): number {
  switch (name) {
    case 'type':
    case 'kind':
    case 'input':
      return 0
    case 'attributes':
    case 'links':
      return CONTENT
    case 'parent':
    case 'root':
      return PARENT
    case 'metadata':
    case 'requestContext':
    case 'internal':
      return ASKS
    case 'traceId':
      return TRACE_ID
  }
  return GROUPS.get(name) ?? 0
}

/** The groups that some options are of. */
export function groupsOf(given: SpanOptions): number {
  let groups = 0
  for (const name in given) {
    const group = groupOf(name)
    if (group === 0) continue
    const value = given[name as keyof SpanOptions]
    if (value !== undefined && value !== null && value !== false) groups |= group
  }
  return groups
}

/** Whether some options are of the groups `CHANGES`. */
export function changes(given: SpanOptions): boolean {
  for (const name in given) {
    if ((groupOf(name) & CHANGES) === 0) continue
    const value = given[name as keyof SpanOptions]
    if (value !== undefined && value !== null && value !== false) return true
  }
  return false
}

/** What of a span's options holds for everything inside; its own attributes do not, and the rest goes another way. */
export function inheritedOf(given: SpanOptions): Inherited {
  const { attributes: _, metadata: __, tags: ___, requestContext: ____, ...inherited } = given
  return inherited
}

const types = new Map<string, number | null>()

/** Links given at the start at most. */
const LINKS = 1000

export function linksOf(
  given: Iterable<ParentInput | readonly [ParentInput, Attributes]>,
): [ParentInput, Attributes?][] {
  const found: [ParentInput, Attributes?][] = []
  try {
    for (const link of given) {
      if (found.length === LINKS) break
      found.push(Array.isArray(link) ? [link[0], link[1]] : [link as ParentInput])
    }
  } catch {
    refuse('links')
  }
  return found
}

export function moment(time: TimeInput): ReturnType<typeof momentOf> {
  const found = momentOf(time)
  if (found === undefined && time !== null) refuse('time')
  return found
}

/** The number of a span type by any of its names. */
export function typeOf(name: string): number {
  let number = types.get(name)
  if (number === undefined) {
    number = typeof name === 'string' ? host.spanType(name) : null
    if (types.size < 256) types.set(name, number)
  }
  if (number === null) refuse('span type', name)
  return number ?? 0
}
