// Express 4 and 5: a middleware that makes the span of every request, and one at the end that notes what failed.

import type { HttpOptions } from './http_exchange'
import { exchangeOf, type NodeResponse, receive } from './http_node'
import { type ExpressRequest, watchRoute } from './http_route'

export type { ExpressRequest } from './http_route'

type Next = (error?: unknown) => void

/** Records every request that passes as a span: `app.use(polyspanExpress())`, before everything else. */
export function polyspanExpress(
  options: HttpOptions = {},
): (request: ExpressRequest, response: NodeResponse, next: Next) => void {
  return (request, response, next) => {
    const exchange = receive(request, response, options)
    if (exchange === undefined) return next()
    watchRoute(request, exchange)
    exchange.run(() => next())
  }
}

/** Notes the errors of handlers for their spans and hands them on: `app.use(polyspanErrors())`, after all routes. */
export function polyspanErrors(): (
  error: unknown,
  request: ExpressRequest,
  response: NodeResponse,
  next: Next,
) => void {
  return (error, request, _response, next) => {
    exchangeOf(request)?.failed(error)
    next(error)
  }
}
