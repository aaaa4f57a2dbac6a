// Fastify 5: a plug-in that makes the span of every request. `app.register(polyspanFastify())` before the routes.

import { errorMonitor } from 'node:events'
import type { HttpOptions } from './http_exchange'
import {
  exchangeOf,
  type NodeRequest,
  type NodeResponse,
  type NodeServer,
  receive,
  watchServer,
} from './http_node'

type Done = (error?: Error) => void
interface FastifyRequest {
  readonly raw: NodeRequest
  readonly routeOptions: { readonly url?: string | undefined }
}
interface FastifyReply {
  readonly raw: NodeResponse
}
type Hook = (request: FastifyRequest, reply: FastifyReply, done: Done) => void
/** What is used of an application of Fastify. */
interface FastifyApplication {
  readonly server?: NodeServer
  addHook(name: 'onListen', hook: (done: Done) => void): unknown
  addHook(name: 'onRequest' | 'preValidation', hook: Hook): unknown
  addHook(
    name: 'onError',
    hook: (request: FastifyRequest, reply: FastifyReply, error: Error, done: () => void) => void,
  ): unknown
  addHook(
    name: 'onSend',
    hook: (
      request: FastifyRequest,
      reply: FastifyReply,
      payload: unknown,
      done: (error: null, payload: unknown) => void,
    ) => void,
  ): unknown
}

/** The servers of an application besides its first: for `localhost` it has one for each address. */
function othersOf(app: FastifyApplication): NodeServer[] {
  const name = Object.getOwnPropertySymbols(app).find((one) => one.description === 'fastify.serverBindings')
  return name === undefined ? [] : ((app as unknown as Record<symbol, NodeServer[]>)[name] ?? [])
}

/** The plug-in that records every request as a span. */
export function polyspanFastify(
  options: HttpOptions = {},
): (app: FastifyApplication, unused: object, done: Done) => void {
  const plugin = (app: FastifyApplication, _unused: object, ready: Done): void => {
    // What Fastify answers before it has a route, a malformed URL for one, meets no hook. Of a part of the application
    // nobody knows then whether it is meant.
    const isWhole = Object.hasOwn(app, 'server')
    if (isWhole) watchServer(app.server, options)
    app.addHook('onListen', (done) => {
      if (isWhole) for (const server of othersOf(app)) watchServer(server, options)
      done()
    })
    app.addHook('onRequest', (request, reply, done) => {
      // Requests that are injected come from no server.
      const exchange = exchangeOf(request.raw) ?? receive(request.raw, reply.raw, options)
      if (exchange === undefined) return done()
      const { url } = request.routeOptions
      if (url !== undefined) exchange.route(url)
      exchange.run(done)
    })
    // Reading the body is done by the events of the connection, where nothing is current.
    app.addHook('preValidation', (request, _reply, done) => {
      const exchange = exchangeOf(request.raw)
      if (exchange === undefined) done()
      else exchange.run(done)
    })
    app.addHook('onError', (request, _reply, error, done) => {
      exchangeOf(request.raw)?.failed(error)
      done()
    })
    app.addHook('onSend', (request, _reply, payload, done) => {
      const stream = payload as {
        pipe?: unknown
        on?(event: symbol, listener: (error: unknown) => void): void
      }
      if (typeof stream?.pipe === 'function')
        stream.on?.(errorMonitor, (error) => exchangeOf(request.raw)?.failed(error))
      done(null, payload)
    })
    ready()
  }
  // Its hooks are for the application that registers it, not for a context of its own.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'polyspan',
  })
}
