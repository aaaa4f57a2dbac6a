// Requests as Node's own servers have them, under Express, Fastify, NestJS and Hono on Node.

import { errorMonitor } from 'node:events'
import { Exchange, type HttpOptions, type Incoming, isTraced } from './http_exchange'

/** What is used of `http.IncomingMessage`. */
export interface NodeRequest {
  method?: string
  url?: string
  /** What Express keeps while a router is mounted at a part of the path. */
  originalUrl?: string
  httpVersion?: string
  headers: { [name: string]: string | string[] | undefined }
  socket?: unknown
}

/** What is used of `http.ServerResponse`. */
export interface NodeResponse {
  readonly statusCode: number
  readonly headersSent: boolean
  readonly writableFinished: boolean
  /** What it was destroyed with. */
  readonly errored?: unknown
  on(event: string | symbol, listener: (error?: unknown) => void): unknown
}

/** What is used of `http.Server`. */
export interface NodeServer {
  prependListener?(
    event: 'request',
    listener: (request: NodeRequest, response: NodeResponse) => void,
  ): unknown
}

/** The request that each message of Node is part of, for those that get the same message later. */
const exchanges = new WeakMap<object, Exchange>()

export function exchangeOf(request: object): Exchange | undefined {
  return exchanges.get(request)
}

/** Begins the span of a request, which ends with its response: when that is sent, breaks, or the client has gone.
 * `undefined` where it gets none. */
export function receive(
  request: NodeRequest,
  response: NodeResponse,
  options: HttpOptions,
): Exchange | undefined {
  if (exchanges.has(request)) return undefined
  const incoming = incomingOf(request)
  if (!isTraced(incoming, options)) return undefined
  const exchange = Exchange.begin(incoming)
  exchanges.set(request, exchange)
  // A monitor is no handler: an error that nobody handles still is one.
  response.on(errorMonitor, (error) => exchange.failed(error))
  response.on('close', () => {
    if (response.errored) exchange.failed(response.errored)
    if (response.headersSent) exchange.answered(response.statusCode)
    exchange.finish(response.writableFinished && !response.errored)
  })
  return exchange
}

/** Begins the spans of all requests of a server before its framework gets them, which refuses some by itself. */
export function watchServer(server: NodeServer | undefined, options: HttpOptions): void {
  server?.prependListener?.('request', (request, response) => void receive(request, response, options))
}

function incomingOf(request: NodeRequest): Incoming {
  const { headers, method = 'GET', httpVersion } = request
  const target = request.originalUrl ?? request.url ?? '/'
  const encrypted = (request.socket as { encrypted?: unknown } | undefined)?.encrypted === true
  return {
    method,
    path: pathOf(target),
    scheme: encrypted ? 'https' : 'http',
    host: one(headers.host) ?? one(headers[':authority']),
    userAgent: one(headers['user-agent']),
    protocolVersion: httpVersion === '2.0' ? '2' : httpVersion,
    headers,
  }
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

/** The path of a request target, which may be a whole URL as proxies are sent. */
function pathOf(target: string): string {
  if (!target.startsWith('/') && URL.canParse(target)) return new URL(target).pathname
  return target.split(/[?#]/, 1)[0] as string
}
