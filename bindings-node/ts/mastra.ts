// Mastra (`@mastra/core` 1.x with `@mastra/observability`): its spans as ours.
//
// `bridge: new PolyspanBridge()` makes our spans where Mastra makes its own, which take their ids: what is around an
// agent or workflow, and what happens inside, is one trace. `exporters: [new PolyspanExporter()]` takes what Mastra
// tells afterwards, in traces of Mastra's own. The types are those parts of Mastra's own that are used.

import { currentSpan, flush, type ParentInput, Span, SpanContext, type SpanOptions, span } from './index'

/** Spans that are open at the same time, and ended ones that are remembered as parents, at most. */
const MOST = 10_000

/** What Mastra knows of a span when it starts. */
interface Described {
  readonly name: string
  readonly type: string
  readonly entityType?: string
  readonly entityId?: string
  readonly entityName?: string
  readonly metadata?: Record<string, unknown>
  readonly startTime?: Date
  readonly traceId?: string
  readonly parentSpanId?: string
  readonly externalParentSpanId?: string
}

/** A span of Mastra, as its exporters get it. */
interface ExportedSpan extends Described {
  readonly id: string
  readonly traceId: string
  readonly startTime: Date
  readonly endTime?: Date
  readonly attributes?: object
  readonly tags?: string[]
  readonly input?: unknown
  readonly output?: unknown
  readonly errorInfo?: ErrorInfo
  readonly isEvent: boolean
}

interface ErrorInfo {
  readonly message: string
  readonly name?: string
  readonly stack?: string
  readonly id?: string
  readonly domain?: string
  readonly category?: string
  readonly details?: unknown
}

interface Ancestor {
  readonly id: string
  readonly parent?: Ancestor
}

interface CreateOptions extends Described {
  readonly parent?: Ancestor
}

/** The ids of a new span. Each form for itself: Mastra takes no member that is `undefined`. */
type Ids = { spanId: string; traceId: string } & (
  | { parentSpanId: string }
  | { externalParentSpanId: string }
  | object
)

interface TracingEvent {
  readonly type: string
  readonly exportedSpan: ExportedSpan
}

/** What everything inside a span inherits; Mastra has them among the metadata. */
const IDS = [
  'sessionId',
  'userId',
  'organizationId',
  'resourceId',
  'runId',
  'threadId',
  'requestId',
  'environment',
] as const

/** The attribute that says what a span stands for, by type. */
const STANDS_FOR: Record<string, string> = {
  agent_run: 'agentName',
  workflow_run: 'workflowName',
  workflow_step: 'stepId',
  tool_call: 'toolName',
  mcp_tool_call: 'toolName',
  provider_tool_call: 'toolName',
  client_tool_call: 'toolName',
}

/** Our spans by the ids of Mastra's. */
class Spans {
  private readonly open = new Map<string, Span>()
  /** Spans that have ended; late ones may still be below them. */
  private readonly ended = new Map<string, SpanContext>()
  /** Those below other spans of this process, which tags are not for. */
  private readonly below = new WeakSet<Span>()

  add(id: string, started: Span, isBelow: boolean): void {
    this.open.set(id, started)
    if (isBelow) this.below.add(started)
    limit(this.open)
  }

  get(id: string | undefined): Span | undefined {
    return id === undefined ? undefined : this.open.get(id)
  }

  /** What a span of Mastra is as a parent. */
  parent(id: string | undefined): ParentInput | undefined {
    return this.get(id) ?? (id === undefined ? undefined : this.ended.get(id))
  }

  /** Forgets an open span, which is not exported. */
  release(id: string): void {
    this.open.delete(id)
  }

  /** Ends the span of one of Mastra's, which is started now if Mastra did not tell. */
  end(from: ExportedSpan, end: Date | undefined): void {
    const known = this.open.get(from.id)
    // The first end counts.
    if (known === undefined && this.ended.has(from.id)) return
    const found = known ?? span.start(from.name, optionsOf(from, this.parentOf(from), from.startTime))
    this.open.delete(from.id)
    this.ended.set(from.id, found.context)
    limit(this.ended)
    fill(found, from, this.below.has(found))
    found.end(known === undefined ? (from.endTime ?? from.startTime) : end)
  }

  parentOf(from: Described): ParentInput | undefined {
    const { traceId, parentSpanId, externalParentSpanId } = from
    const known = this.parent(parentSpanId)
    if (known !== undefined) return known
    const spanId = parentSpanId ?? externalParentSpanId
    if (traceId === undefined || spanId === undefined) return undefined
    return SpanContext.of({ traceId: traceId.padStart(32, '0'), spanId: spanId.padStart(16, '0') })
  }
}

/** Takes what Mastra tells of its spans: `exporters: [new PolyspanExporter()]`. Traces keep Mastra's ids, spans get
 * ids of their own. */
export class PolyspanExporter {
  readonly name = 'polyspan'
  private readonly spans = new Spans()

  onTracingEvent({ type, exportedSpan: from }: TracingEvent): void {
    if (type === 'span_ended') this.spans.end(from, from.endTime)
    if (type !== 'span_started') return
    const parent = this.spans.parentOf(from)
    const started = span.start(from.name, optionsOf(from, parent, from.startTime))
    this.spans.add(from.id, started, parent instanceof Span)
  }

  async exportTracingEvent(event: TracingEvent): Promise<void> {
    this.onTracingEvent(event)
  }

  /** Flushes the engine. */
  flush(): Promise<void> {
    return flush()
  }

  /** Flushes the engine, which is the application's to stop. */
  shutdown(): Promise<void> {
    return flush()
  }
}

/** Makes the spans of Mastra where Mastra does: `bridge: new PolyspanBridge()`. Spans around an agent or workflow are
 * above its spans, and spans made inside steps and tools below theirs. */
export class PolyspanBridge {
  readonly name = 'polyspan'
  private readonly spans = new Spans()

  createSpan(options: CreateOptions): Ids | undefined {
    const above = this.above(options.parent)
    const parent = above ?? this.spans.parentOf(options)
    const outer = parent === undefined ? currentSpan() : undefined
    const joins = outer?.context.isValid === true
    const started = span.start(options.name, optionsOf(options, parent, options.startTime, joins))
    const { spanId, traceId, context } = started
    if (!context.isValid) return undefined
    this.spans.add(spanId, started, joins || parent instanceof Span)
    const ids = { spanId, traceId }
    if (above !== undefined) return { ...ids, parentSpanId: above.spanId }
    return joins ? { ...ids, externalParentSpanId: outer.spanId } : ids
  }

  onTracingEvent({ type, exportedSpan }: TracingEvent): void {
    if (type === 'span_ended') this.spans.end(exportedSpan, undefined)
  }

  async exportTracingEvent(event: TracingEvent): Promise<void> {
    this.onTracingEvent(event)
  }

  executeInContext<T>(spanId: string, body: () => Promise<T>): Promise<T> {
    return this.executeInContextSync(spanId, body)
  }

  executeInContextSync<T>(spanId: string, body: () => T): T {
    const found = this.spans.get(spanId)
    return found === undefined ? body() : found.run(body)
  }

  /** A span that Mastra's configuration leaves out. */
  releaseSpan(spanId: string): void {
    this.spans.release(spanId)
  }

  /** Flushes the engine. */
  flush(): Promise<void> {
    return flush()
  }

  /** Flushes the engine, which is the application's to stop. */
  shutdown(): Promise<void> {
    return flush()
  }

  /** The nearest span above that was made here; those that are internal to Mastra are not. */
  private above(parent: Ancestor | undefined): Span | undefined {
    for (let each = parent; each; each = each.parent) {
      const found = this.spans.get(each.id)
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** The options that a span starts with. Without a parent it is below what is current where `joins`. */
function optionsOf(
  from: Described,
  parent: ParentInput | undefined,
  startTime: Date | undefined,
  joins = false,
): SpanOptions {
  const { type, entityType, entityId, entityName } = from
  const options: Record<string, unknown> = { type, parent, startTime, entityType, entityId, entityName }
  if (parent === undefined && !joins) options.root = true
  if (parent === undefined && from.traceId !== undefined) options.traceId = from.traceId
  for (const id of IDS) {
    const value = from.metadata?.[id]
    if (typeof value === 'string') options[id] = value
  }
  return options
}

/** Sets all that is known at the end. */
function fill(target: Span, from: ExportedSpan, isBelow: boolean): void {
  const { attributes, errorInfo, tags, input, output } = from
  if (attributes) target.set(attributes as Record<string, unknown>)
  const attribute = STANDS_FOR[from.type]
  if (attribute !== undefined) target.set(attribute, entityOf(from))
  const metadata = Object.entries(from.metadata ?? {}).filter(([key]) => !IDS.includes(key as never))
  target.update({ name: from.name, input, output, metadata })
  if (tags && tags.length > 0) target.update(isBelow ? { metadata: { tags } } : { tags })
  if (!errorInfo) return
  const { id, domain, category, details } = errorInfo
  target.error(errorOf(errorInfo), { end: false, id, domain, category, details })
}

/** What Mastra has between quotes in the name, as in `tool: 'search'`: the entity may be that of a span above. */
function entityOf({ name, entityName }: Described): string {
  return /'(.*)'$/.exec(name)?.[1] ?? entityName ?? name
}

/** The error that Mastra took apart. */
function errorOf({ message, name = 'Error', stack }: ErrorInfo): Error {
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}

function limit<V>(map: Map<string, V>): void {
  if (map.size <= MOST) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    break
  }
}
