// React Router in framework mode (7.9 and later, and what was Remix): `instrumentations = [polyspanReactRouter()]` in
// `entry.server`, and `handler` around the request handler where no other server framework makes the span.

import { record } from './http'
import { currentExchange, type HttpOptions } from './http_exchange'
import { span } from './index'

interface ReadonlyRequest {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null }
}
interface Outcome {
  readonly status: 'success' | 'error'
  readonly error: Error | undefined
}
interface Answer extends Outcome {
  readonly statusCode: number
  readonly meta: { readonly pattern: string } | undefined
}
type Around<I, O> = (run: () => Promise<O>, about: I) => Promise<void>
interface Handler {
  instrument(given: { request: Around<{ readonly request: ReadonlyRequest }, Answer> }): void
}
interface Route {
  readonly id: string
  instrument(given: { [part in 'loader' | 'action' | 'middleware']: Around<unknown, Outcome> }): void
}

/**
 * What React Router is to be told: the span of a request gets the pattern of its route, and every loader, action and
 * middleware a span of its own. Where nothing else makes the span of the request, it is made here, and ends when the
 * answer begins.
 */
export function polyspanReactRouter(options: HttpOptions = {}): {
  handler(handler: Handler): void
  route(route: Route): void
} {
  return {
    handler(handler) {
      handler.instrument({
        request: async (run, { request }) => {
          const outer = currentExchange()
          if (outer?.isOpen === true) return note(await run(), outer)
          await record(request, options, async (exchange) => note(await run(), exchange))
        },
      })
    },
    route(route) {
      const around =
        (part: string): Around<unknown, Outcome> =>
        (run) =>
          span(`${part} ${route.id}`, async (current) => {
            const { status, error } = await run()
            if (status !== 'error') return
            current.error(error, { end: false })
            currentExchange()?.failed(error)
          })
      route.instrument({
        loader: around('loader'),
        action: around('action'),
        middleware: around('middleware'),
      })
    },
  }
}

function note(answer: Answer, exchange: ReturnType<typeof currentExchange>): void {
  if (exchange === undefined) return
  const { status, error, statusCode, meta } = answer
  if (meta !== undefined) exchange.route(meta.pattern.startsWith('/') ? meta.pattern : `/${meta.pattern}`)
  if (status === 'error') exchange.failed(error)
  exchange.answered(statusCode)
}
