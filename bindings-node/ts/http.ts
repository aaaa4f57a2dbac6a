// HTTP servers of handlers in the manner of `fetch`, a `Request` to a `Response`: Bun, Deno, Next.js, React Router,
// workers. What is for Hono and React Router uses `record`.

import {
  currentExchange,
  Exchange,
  firstName,
  type HttpOptions,
  type Incoming,
  isTraced,
  spanOptions,
} from './http_exchange'
import { type Span, span } from './index'

/** What is used of a `Request`. */
interface WebRequest {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null }
}

/**
 * Records every call of a handler as the span of an HTTP request: continues the caller's trace, is current inside, and
 * ends when the body of the response was read to its end, failed, or was cancelled.
 */
export function handler<R extends WebRequest, A extends unknown[], T extends Response | undefined = Response>(
  serve: (request: R, ...rest: A) => T | PromiseLike<T>,
  options: HttpOptions = {},
): (request: R, ...rest: A) => Promise<T> {
  return (request, ...rest) =>
    record(request, options, async (exchange) => {
      try {
        const response = await serve(request, ...rest)
        // Bun has none where a connection becomes a WebSocket.
        if (response !== undefined) exchange?.answered(response.status)
        return response
      } catch (error) {
        // What servers make of it.
        exchange?.answered(500)
        throw error
      }
    })
}

/** Names the span of the current request by the pattern that its path matched, such as `/users/:id`. */
export function setRoute(pattern: string): void {
  currentExchange()?.route(pattern)
}

/** Runs `body` in the span of a request, which ends with what the body gives. */
export function record<T>(
  request: WebRequest,
  options: HttpOptions,
  body: (exchange: Exchange | undefined) => Promise<T>,
): Promise<T> {
  const incoming = incomingOf(request)
  if (!isTraced(incoming, options)) return body(undefined)
  return span(firstName(incoming), spanOptions(incoming), (current: Span) => {
    const exchange = new Exchange(current, incoming)
    return exchange.run(() => body(exchange)).finally(() => exchange.settle())
  })
}

function incomingOf({ method, url, headers }: WebRequest): Incoming {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return {
    method,
    path: parsed?.pathname ?? (url.split(/[?#]/, 1)[0] as string),
    scheme: parsed?.protocol.replace(/:$/, '') ?? 'http',
    host: parsed?.host ?? headers.get('host') ?? undefined,
    userAgent: headers.get('user-agent') ?? undefined,
    protocolVersion: undefined,
    headers,
  }
}
