// One HTTP request that is being answered, and its span, under the names of OpenTelemetry's HTTP conventions. Shared
// by the entries for web frameworks, each of which says what it knows: the route, the status, what failed.

import { AsyncLocalStorage } from 'node:async_hooks'
import { type Attributes, currentSpan, extract, type Span, type SpanOptions, span } from './index'

/** Options of every web framework. */
export interface HttpOptions {
  /** Requests that get no span, such as those for the health of the server. */
  ignore?: (request: { readonly method: string; readonly path: string }) => boolean
}

/** What a framework knows of a request when it arrives. */
export interface Incoming {
  readonly method: string
  /** The path alone, without the query. */
  readonly path: string
  readonly scheme: string
  /** The header `Host`, or what stands for it. */
  readonly host: string | undefined
  readonly userAgent: string | undefined
  /** `1.1`, `2`; `undefined` where nobody says. */
  readonly protocolVersion: string | undefined
  /** The headers, as a carrier. */
  readonly headers: unknown
}

const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
])
const SERVER = 2
const open = new AsyncLocalStorage<Exchange>()

/** The request that is being answered here. */
export function currentExchange(): Exchange | undefined {
  return open.getStore()
}

/** Whether a request gets a span here: one that has one already, or that is ignored, gets none. */
export function isTraced(incoming: Incoming, options: HttpOptions): boolean {
  if (open.getStore()?.isOpen === true) return false
  try {
    return options.ignore?.(incoming) !== true
  } catch {
    return true
  }
}

/** The options that the span of a request starts with. */
export function spanOptions(incoming: Incoming): SpanOptions {
  return { kind: 'server', parent: parentOf(incoming.headers), attributes: attributesOf(incoming) }
}

/** The name of the span until the route is known. */
export function firstName(incoming: Incoming): string {
  const method = incoming.method.toUpperCase()
  return METHODS.has(method) ? method : 'HTTP'
}

export class Exchange {
  readonly span: Span
  private readonly method: string
  private error: unknown
  private hasFailed = false
  private status: number | undefined
  private isSettled = false
  private look: (() => void) | undefined

  constructor(span: Span, incoming: Incoming) {
    this.span = span
    this.method = firstName(incoming)
  }

  /** Starts the span of a request; it is ended by `finish`. */
  static begin(incoming: Incoming): Exchange {
    return new Exchange(span.start(firstName(incoming), spanOptions(incoming)), incoming)
  }

  /** Whether it is still being answered. */
  get isOpen(): boolean {
    return !this.isSettled
  }

  /** Runs `body` with the span current. */
  run<R>(body: () => R): R {
    return open.run(this, () => this.span.run(body))
  }

  /** Names the span by the pattern that the path matched. */
  route(pattern: string): void {
    this.span.set('http.route', pattern).rename(`${this.method} ${pattern}`)
  }

  /** Has `look` say what it knows when the request ends before anything else was said: its client may leave early. */
  lastly(look: () => void): void {
    this.look = look
  }

  /** Notes what went wrong; whether it is an error of the server is known by the status. */
  failed(error: unknown): void {
    this.hasFailed = true
    this.error = error
  }

  /** Notes the status of the answer, and with it whether the server failed. */
  answered(status: number): void {
    this.status = status
    this.span.set('http.response.status_code', status)
    if (status >= 500 && !this.hasFailed) this.span.set('error.type', String(status)).status('error')
  }

  /** Records what was noted. Clients are to blame for statuses below 500, but not for what broke after the status. */
  settle(isWhole = true): void {
    this.isSettled = true
    if (!this.hasFailed) return
    const ofClient = isWhole && this.status !== undefined && this.status < 500
    if (ofClient) this.span.recordException(this.error)
    else this.span.error(this.error, { end: false })
  }

  /** Ends the span; `isWhole` says whether all of the answer was sent. */
  finish(isWhole: boolean): void {
    this.look?.()
    this.settle(isWhole)
    this.span.end()
  }
}

/** What of a span tells whether it is part of a request. */
interface Placed {
  readonly _kind: number
  readonly _above: Placed | undefined
}

/** The caller's span: that of an instrumentation that has taken the request already, or what the headers bring. */
function parentOf(headers: unknown): SpanOptions['parent'] {
  const brought = extract(headers)
  const outer = currentSpan()
  const caller = brought.spanContext
  const isSame = caller === undefined || caller.traceId === outer.traceId
  return isSame && outer.context.isValid && isInRequest(outer as unknown as Placed) ? outer : brought
}

/** Not every span that is current is of this request: a server may have been started inside one. */
function isInRequest(span: Placed): boolean {
  for (let each: Placed | undefined = span; each !== undefined; each = each._above)
    if (each._kind === SERVER) return true
  return false
}

function attributesOf(incoming: Incoming): Attributes {
  const method = incoming.method.toUpperCase()
  const known = METHODS.has(method)
  const [address, port] = hostParts(incoming.host)
  return {
    'http.request.method': known ? method : '_OTHER',
    'http.request.method_original': known && method === incoming.method ? undefined : incoming.method,
    'url.path': incoming.path,
    'url.scheme': incoming.scheme,
    'server.address': address,
    'server.port': port,
    'user_agent.original': incoming.userAgent,
    'network.protocol.version': incoming.protocolVersion,
  }
}

/** Name and port out of a header `Host`. */
function hostParts(host: string | undefined): [string | undefined, number | undefined] {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host ?? '')
  if (parts === null || parts[1] === '') return [undefined, undefined]
  const name = (parts[1] as string).replace(/^\[(.*)\]$/, '$1')
  return [name, parts[2] === undefined ? undefined : Number(parts[2])]
}
