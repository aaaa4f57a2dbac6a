// Next.js on Node.js: `export { register } from 'polyspan/next'` in `instrumentation.ts`.
//
// The engine is the provider of the OpenTelemetry API, so that Next's own spans are recorded by it; the calls of `fetch`
// take the trace along, which Next does not do itself. `next_edge.ts` is the same entry for the edge runtime.

import { dirname, join, relative, sep } from 'node:path'
import { _door, _opentelemetry, currentSpan, event, type InitOptions, init, inject } from './index'
import { headersOf, withHeaders } from './outgoing_fetch'
import type { PageTerms } from './page/terms'

/** Begins to record. Next calls it without options, which then come from `OTEL_*`; to give some, export a function of
 * your own that calls this one. A second call changes nothing. Throws for options that cannot be used; where the
 * environment is to blame it says so, and the server starts without its telemetry. */
export function register(options: InitOptions & { fetch?: boolean } = {}): void {
  const { fetch: fetches = true, ...given } = options
  try {
    start(given)
  } catch (error) {
    const { code } = error as { code?: string }
    if (Object.keys(given).length > 0 && code !== 'resource') throw error
    _door.say(`polyspan: nothing is recorded: ${error instanceof Error ? error.message : String(error)}`)
    return
  }
  if (fetches) continueFetch()
}

function start(given: InitOptions): void {
  let provider: InstanceType<ReturnType<typeof _opentelemetry>['TracerProvider']>
  try {
    const { TracerProvider } = _opentelemetry()
    provider = new TracerProvider(given)
  } catch (error) {
    // Without the API there are no spans of Next's, and everything else.
    if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error
    init(given)
    _door.sayOnce('api', "Next's own spans are not recorded, since @opentelemetry/api is not installed")
    return
  }
  provider.register()
}

const CONTINUES = Symbol.for('polyspan.next.fetch')

/** Has `fetch` take the trace along, unless the caller has set a `traceparent` already. */
function continueFetch(): void {
  const plain = globalThis.fetch as typeof fetch & { [CONTINUES]?: true }
  if (plain[CONTINUES]) return
  const continued: typeof fetch & { [CONTINUES]?: true } = (...given) => {
    if (!currentSpan().context.isValid) return plain(...given)
    let asked = given
    try {
      const headers = headersOf(...given)
      if (!headers.has('traceparent')) asked = withHeaders(given, inject(headers))
    } catch {
      // The platform says what is wrong with it.
    }
    return plain(...asked)
  }
  continued[CONTINUES] = true
  globalThis.fetch = Object.assign(continued, plain)
}

interface FailedRequest {
  path: string
  method: string
}
interface FailedIn {
  routerKind?: string
  routePath?: string
  routeType?: string
}

/** Records what failed while the server rendered or handled a request: on the current span, or as an event of its own.
 * Export it from `instrumentation.ts`. */
export function onRequestError(error: unknown, request: FailedRequest, where: FailedIn = {}): void {
  const attributes = {
    'http.request.method': request?.method,
    'url.path': request?.path?.split('?')[0],
    'next.route': where.routePath,
    'next.route_type': where.routeType,
  }
  const current = currentSpan()
  if (current.isRecording) {
    current.set(attributes)
    current.recordException(error)
    current.status(
      'error',
      error instanceof Error ? error.message : typeof error === 'string' ? error : undefined,
    )
  } else {
    const named =
      error instanceof Error ? { 'error.type': error.name, 'exception.message': error.message } : {}
    event('next.request_error', { attributes: { ...attributes, ...named } })
  }
}

/** What pages are told, to be handed to `<Polyspan terms={pageTerms()} />`: the sampling and the limits of the engine.
 * Pages record nothing where no engine runs. */
export function pageTerms(more: Partial<PageTerms> = {}): PageTerms {
  if (_door.engine() === undefined && more.threshold === undefined)
    _door.sayOnce(
      'pageTerms',
      'pageTerms: no engine runs here, so the page that is rendered now records nothing. Where pages are prerendered, give the terms yourself: <Polyspan terms={{ threshold: \'\' }} /> (docs/next.md, "Static pages")',
    )
  return { ..._door.pageTerms(), ...more }
}

type NextConfig = Record<string, unknown> & {
  outputFileTracingIncludes?: Record<string, string[]>
  env?: Record<string, string | undefined>
}
type NextConfigInput = NextConfig | ((...given: unknown[]) => NextConfig | Promise<NextConfig>)

/** The configuration of Next with what `standalone` output needs: the files of the package and its addon, which are found
 * when the program runs and not when it is built. Without it everything else works as well. */
export function withPolyspan<C>(config?: C): C {
  const given = (config ?? {}) as NextConfigInput
  if (typeof given !== 'function') return extended(given) as C
  return (async (...more: unknown[]) => extended(await given(...more))) as C
}

function extended(config: NextConfig): NextConfig {
  const { outputFileTracingIncludes = {}, env } = config
  const every = outputFileTracingIncludes['/**'] ?? []
  return {
    ...config,
    // Next writes it into the bundles of the server (`tools/pages.mjs`).
    env: { ...env, POLYSPAN_PACKAGE: fromHere(dirname(__dirname)) },
    outputFileTracingIncludes: { ...outputFileTracingIncludes, '/**': [...every, ...filesOfPackages()] },
  }
}

/** What is needed of the package, of the packages with its addon, and of the OpenTelemetry API: patterns relative to the
 * application. */
function filesOfPackages(): string[] {
  const own = dirname(__dirname)
  const among = dirname(own)
  const api = join(among, '@opentelemetry', 'api')
  const folders = [join(own, 'dist'), join(api, 'dist'), join(api, 'build', 'src')]
  const patterns = folders.map((folder) => `${folder}/**/*.{js,cjs,mjs}`)
  // The packages with the addon may be links, which no pattern goes through.
  patterns.push(join(own, '*.{json,node}'), join(among, '@polyspan', '*', '*.{json,node}'))
  patterns.push(join(api, 'package.json'))
  return patterns.map(fromHere)
}

/** A path from the application, whose folder Next is started in. */
function fromHere(path: string): string {
  return relative(process.cwd(), path).split(sep).join('/')
}
