// Hono on any runtime: a middleware that makes the span of every request. `app.use(polyspanHono())` before the routes.

import { record } from './http'
import type { Exchange, HttpOptions } from './http_exchange'
import { type NodeRequest, type NodeResponse, receive } from './http_node'

/** What is used of the context of Hono. */
interface HonoContext {
  readonly req: {
    readonly raw: Request
    readonly routeIndex: number
    readonly matchedRoutes: readonly { readonly method: string; readonly path: string }[]
  }
  readonly env: unknown
  readonly error: Error | undefined
  // biome-ignore lint/suspicious/noExplicitAny: Hono takes `undefined` as well, to forget what it had.
  get res(): any
  set res(response: Response | undefined)
}

/** Records every request that passes as a span. */
export function polyspanHono(
  options: HttpOptions = {},
): (context: HonoContext, next: () => Promise<void>) => Promise<void> {
  return async (context, next) => {
    const { incoming, outgoing } = (context.env ?? {}) as { incoming?: NodeRequest; outgoing?: NodeResponse }
    if (incoming !== undefined && outgoing !== undefined) {
      // On Node its own response tells when it was sent, and Hono's stays what it is.
      const exchange = receive(incoming, outgoing, options)
      if (exchange === undefined) return next()
      exchange.lastly(() => noteRoute(context, exchange))
      await exchange.run(next)
      note(context, exchange)
      return
    }
    const answer = await record(context.req.raw, options, async (exchange) => {
      await next()
      if (exchange === undefined) return undefined
      note(context, exchange)
      return context.res as Response
    })
    if (answer !== undefined && answer !== context.res) {
      // Without this Hono would take the headers twice.
      context.res = undefined
      context.res = answer
    }
  }
}

function note(context: HonoContext, exchange: Exchange): void {
  noteRoute(context, exchange)
  if (context.error !== undefined) exchange.failed(context.error)
  exchange.answered((context.res as Response).status)
}

function noteRoute(context: HonoContext, exchange: Exchange): void {
  const route = context.req.matchedRoutes[context.req.routeIndex]
  // A middleware is found for every path.
  if (route !== undefined && !(route.method === 'ALL' && route.path.endsWith('*'))) exchange.route(route.path)
}
