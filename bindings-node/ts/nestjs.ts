// NestJS on Express or Fastify: a module that makes the span of every HTTP request. `imports: [PolyspanModule.forRoot()]`
// in the module of the application.

import { errorMonitor } from 'node:events'
import type { Exchange, HttpOptions } from './http_exchange'
import {
  exchangeOf,
  type NodeRequest,
  type NodeResponse,
  type NodeServer,
  receive,
  watchServer,
} from './http_node'
import { watchRoute } from './http_route'

interface Observer {
  next(value: unknown): void
  error(error: unknown): void
  complete(): void
}
/** What is used of RxJS, which Nest has. */
interface Observable {
  subscribe(observer: Observer): unknown
  constructor: unknown
}
interface ExecutionContext {
  getType(): string
  switchToHttp(): { getRequest(): unknown }
}
interface NestRequest {
  /** Fastify's request has Node's inside. */
  readonly raw?: NodeRequest
  readonly route?: { readonly path?: unknown }
  readonly routeOptions?: { readonly url?: string }
}
interface Consumer {
  getHttpAdapter?(): { getHttpServer?(): NodeServer | undefined }
  apply(middleware: (request: NodeRequest, response: NodeResponse, next: () => void) => void): {
    forRoutes(...routes: string[]): unknown
  }
}

/** The span of the request, called by the route of its handler; nothing where it is no HTTP, or is ignored. */
function exchangeIn(context: ExecutionContext): Exchange | undefined {
  if (context.getType() !== 'http') return undefined
  const request = context.switchToHttp().getRequest() as NestRequest
  const exchange = exchangeOf(request.raw ?? request)
  const pattern = request.routeOptions?.url ?? request.route?.path
  if (pattern !== undefined) exchange?.route(String(pattern))
  return exchange
}

/** Names the span before a guard of the application refuses: Fastify's request tells its route to nobody else. */
const guard = {
  canActivate(context: ExecutionContext): boolean {
    exchangeIn(context)
    return true
  },
}

/** Runs the handler inside the span, and notes what it throws. */
const interceptor = {
  // biome-ignore lint/suspicious/noExplicitAny: an observable of whichever RxJS the application has.
  intercept(context: ExecutionContext, next: { handle(): any }): any {
    const exchange = exchangeIn(context)
    if (exchange === undefined) return next.handle()
    const source = exchange.run(() => next.handle()) as Observable
    const Result = source.constructor as new (subscribe: (observer: Observer) => unknown) => Observable
    return new Result((observer) =>
      exchange.run(() =>
        source.subscribe({
          next: (value) => {
            watchStream(value, exchange)
            observer.next(value)
          },
          error: (error) => {
            exchange.failed(error)
            observer.error(error)
          },
          complete: () => observer.complete(),
        }),
      ),
    )
  },
}

/** Has the exchange know when the stream of a `StreamableFile` breaks, which Nest keeps to itself. */
function watchStream(value: unknown, exchange: Exchange): void {
  const file = value as { getStream?(): { on(event: symbol, listener: (error: unknown) => void): unknown } }
  if (typeof file?.getStream === 'function')
    file.getStream().on(errorMonitor, (error) => exchange.failed(error))
}

let chosen: HttpOptions = {}

/** The module; it needs no provider of the application's. */
export class PolyspanModule {
  /** The module with what Nest has to be told about it. */
  static forRoot(options: HttpOptions = {}): {
    module: typeof PolyspanModule
    global: boolean
    providers: { provide: string; useValue: unknown }[]
  } {
    chosen = options
    // As `@nestjs/core` calls them.
    return {
      module: PolyspanModule,
      global: true,
      providers: [
        { provide: 'APP_GUARD', useValue: guard },
        { provide: 'APP_INTERCEPTOR', useValue: interceptor },
      ],
    }
  }

  /** Called by Nest. */
  configure(consumer: Consumer): void {
    const options = chosen
    // A malformed URL matches no pattern.
    watchServer(consumer.getHttpAdapter?.().getHttpServer?.(), options)
    consumer
      .apply((request, response, next) => {
        const exchange = exchangeOf(request) ?? receive(request, response, options)
        if (exchange === undefined) return next()
        watchRoute(request, exchange)
        exchange.run(next)
      })
      .forRoutes('{*path}')
  }
}
