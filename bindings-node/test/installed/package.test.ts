// The package as npm installs it: what it takes, its types, bundlers, and what it says where its addon is missing.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { before, test } from 'node:test'
import { type BuildOptions, build } from 'esbuild'
import { rollup } from 'rollup'
import { application, folder, here, PACKAGE, run } from './program'

const MOST_BYTES = 8_000_000
const MOST_FILES = 40

let app: string
before(() => {
  app = application(false)
})

function files(place: string): string[] {
  return readdirSync(place, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(place, entry.name)) : [join(place, entry.name)],
  )
}

test('it is small', (context) => {
  const installed = ['polyspan', '@polyspan'].flatMap((name) => files(join(app, 'node_modules', name)))
  const bytes = installed.reduce((sum, file) => sum + lstatSync(file).size, 0)
  context.diagnostic(`${bytes} bytes in ${installed.length} files`)
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`)
  assert.ok(installed.length <= MOST_FILES, installed.join('\n'))
})

test('it names every platform, and each of its entries is there', () => {
  const root = join(app, 'node_modules', 'polyspan')
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const platforms = JSON.parse(readFileSync(join(PACKAGE, 'platforms.json'), 'utf8')) as { name: string }[]
  const expected = Object.fromEntries(platforms.map(({ name }) => [`@polyspan/${name}`, manifest.version]))
  assert.deepEqual(manifest.optionalDependencies, expected)
  assert.deepEqual([manifest.dependencies, manifest.scripts], [undefined, undefined])
  const targets = (of: unknown): string[] =>
    typeof of === 'string' ? [of] : Object.values(of as object).flatMap(targets)
  for (const target of targets(manifest.exports)) assert.ok(lstatSync(join(root, target)).isFile(), target)
})

/** As strict as programs are. */
const STRICT = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
}

/** Compiles programs in a folder of the application. */
function compiles(name: string, programs: Record<string, string>, options: object): void {
  const place = join(app, name)
  mkdirSync(place)
  for (const [file, text] of Object.entries(programs)) writeFileSync(join(place, file), text)
  const typeRoots = [join(PACKAGE, 'node_modules', '@types')]
  const compilerOptions = { ...STRICT, typeRoots, ...options }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const find = createRequire(__filename)
  const tsc = join(dirname(find.resolve('typescript/package.json')), 'bin', 'tsc')
  const checked = spawnSync(process.execPath, [tsc, '--project', place], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(checked.status, 0, checked.stdout)
}

const IMPORTED = `
  import { context, type Engine, extract, init, type InitOptions, MemoryExporter, PolyspanError, span, type SpanOptions, tool } from 'polyspan'
  import { telemetry } from 'polyspan/ai-sdk'
  import { init as start, extract as read, type PageTerms, span as record } from 'polyspan/edge'
  import { polyspanExpress } from 'polyspan/express'
  import { polyspanFastify } from 'polyspan/fastify'
  import { polyspanHono } from 'polyspan/hono'
  import { handler } from 'polyspan/http'
  import { PolyspanBridge, PolyspanExporter } from 'polyspan/mastra'
  import { PolyspanModule } from 'polyspan/nestjs'
  import { pageTerms, register, withPolyspan } from 'polyspan/next'
  import { POST } from 'polyspan/next/relay'
  import { polyspanReactRouter } from 'polyspan/react-router'
  import { relay, type RelayOptions } from 'polyspan/relay'
  // What a program does not have: nothing that can be left out may not be undefined.
  const { env } = process
  const headers: Headers | undefined = undefined
  const given: InitOptions = { service: env.SERVICE, exporter: undefined }
  const engine: Engine = init('typed', { ...given, exporter: new MemoryExporter() })
  const options: SpanOptions = { type: 'tool', input: { any: 1 }, parent: undefined, sessionId: env.SESSION }
  const length: number = span('text', options, (each) => each.traceId.length)
  const later: Promise<string> = tool('search', { toolCallId: env.CALL }, async () => 'found')
  const inside: number = context({ userId: env.USER, tags: undefined }, () => length)
  // @ts-expect-error: a type of span that is none.
  span('wrong', { type: 7 }, () => length)
  const terms: PageTerms = { token: env.TOKEN, ...pageTerms({ token: env.TOKEN }) }
  start({ ...terms, relay: 'https://shop.example/api/polyspan' })
  record('read', { parent: read(headers ?? {}) }, () => undefined)
  const relaying: RelayOptions = { token: env.TOKEN, client: undefined }
  const middleware = [polyspanExpress, polyspanFastify, polyspanHono].map((make) => make({ ignore: undefined }))
  register({ service: env.SERVICE, fetch: undefined })
  const config: { output: 'standalone' } = withPolyspan({ output: 'standalone' })
  const bridged = [new PolyspanBridge(), new PolyspanExporter(), PolyspanModule.forRoot(), polyspanReactRouter()]
  export { bridged, config, engine, extract, handler, inside, later, middleware, PolyspanError, POST, telemetry }
  export const serve = relay(relaying)\n`
const REQUIRED = `import polyspan = require('polyspan')\n polyspan.init({ service: 'x' })\n`
const PAGE = `
  import { extract, init, instrument, type InstrumentOptions, type PageTerms, span } from 'polyspan/browser'
  import { Polyspan, useSpan } from 'polyspan/react'
  declare const told: { terms?: PageTerms; to?: string[] }
  const options: InstrumentOptions = { propagateTo: told.to, fetch: undefined }
  init({ ...told.terms, token: told.terms?.token })
  instrument(options)
  span('read', { parent: extract({}) }, (one) => one.update({ name: undefined }))
  export { Polyspan, useSpan }\n`

for (const [moduleResolution, module] of [
  ['node16', 'node16'],
  ['bundler', 'esnext'],
]) {
  test(`its types, with moduleResolution ${moduleResolution}`, () => {
    const programs = {
      'imported.mts': IMPORTED,
      ...(module === 'node16' ? { 'required.cts': REQUIRED } : {}),
    }
    compiles(`types-${moduleResolution}`, programs, { module, moduleResolution, types: ['node'] })
  })
}

test('its types in a page, which has neither those of Node nor the newest library', () => {
  compiles('types-page', { 'page.mts': PAGE }, { module: 'esnext', moduleResolution: 'bundler', types: [] })
})

const PROGRAM = `
  import { init, MemoryExporter, shutdown, span } from 'polyspan'
  const exporter = new MemoryExporter()
  init('bundled', { exporter })
  span('in a bundle', () => undefined)
  shutdown().then(() => console.log(exporter.spans.map((each) => each.name).join()))\n`

/** Runs a bundle in a copy of the application, or in a folder where nothing is installed. */
async function runs(
  bundle: string,
  installed: boolean,
): Promise<{ status: number | null; out: string; err: string }> {
  const place = installed ? join(app, 'out') : folder()
  mkdirSync(place, { recursive: true })
  const file = join(place, bundle.endsWith('.mjs') ? 'bundle.mjs' : 'bundle.cjs')
  cpSync(bundle, file)
  const { status, stdout, stderr } = await run([process.execPath, file], place)
  return { status, out: stdout, err: stderr }
}

test('bundled by esbuild, outside of the bundle and inside', async () => {
  const source = join(app, 'program.mjs')
  writeFileSync(source, PROGRAM)
  const shared: BuildOptions = { entryPoints: [source], bundle: true, platform: 'node', logLevel: 'silent' }
  for (const [format, ending] of [
    ['cjs', 'cjs'],
    ['esm', 'mjs'],
  ] as const) {
    const outfile = join(app, `esbuild-external.${ending}`)
    await build({ ...shared, format, outfile, external: ['polyspan'] })
    const ran = await runs(outfile, true)
    assert.deepEqual([ran.status, ran.out], [0, 'in a bundle\n'], ran.err)

    const inside = join(app, `esbuild-inside.${ending}`)
    await build({ ...shared, format, outfile: inside })
    const found = await runs(inside, true)
    assert.deepEqual([found.status, found.out], [0, 'in a bundle\n'], found.err)
    const moved = await runs(inside, false)
    assert.equal(moved.status, 1)
    assert.match(moved.err, /polyspan is not installed beside the running program.*out of the bundle/s)
  }
})

test('bundled by rollup, outside of the bundle', async () => {
  const source = join(app, 'program.mjs')
  writeFileSync(source, PROGRAM)
  const bundle = await rollup({ input: source, external: ['polyspan'] })
  for (const [format, ending] of [
    ['cjs', 'cjs'],
    ['es', 'mjs'],
  ] as const) {
    const file = join(app, `rollup.${ending}`)
    await bundle.write({ format, file })
    const ran = await runs(file, true)
    assert.deepEqual([ran.status, ran.out], [0, 'in a bundle\n'], ran.err)
  }
  await bundle.close()
})

test('without its addon `init` says what to install, and nothing else fails', async () => {
  const bare = application(false)
  rmSync(join(bare, 'node_modules', '@polyspan'), { recursive: true })
  const program = `
    const { context, extract, flush, init, inject, span, stats } = require('polyspan')
    try {
      init('x')
    } catch (error) {
      console.log(error.name, error.code, error.message)
    }
    const { register } = require('polyspan/next')
    register()
    const parent = extract({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
    const inside = () => span('goes on', { parent, metadata: { a: 1 } }, () => inject({}))
    console.log(context({ sessionId: 's', tags: ['t'] }, inside), stats().ended)
    flush().then(() => console.log('went on'))`
  const { status, stdout, stderr } = await run([process.execPath, '-e', program], bare)
  assert.equal(status, 0, stderr)
  assert.match(stdout, new RegExp(`^PolyspanError resource addon: @polyspan/${here()}, .* is not installed`))
  assert.match(stdout, /\n{} 0\nwent on\n$/)
  // A server goes on without its telemetry.
  assert.match(stderr, /polyspan: nothing is recorded: addon: /)
})

test('in Next.js without the OpenTelemetry API it records, and says what is missing', async () => {
  const program = `
    const { MemoryExporter, shutdown, span } = require('polyspan')
    const exporter = new MemoryExporter()
    require('polyspan/next').register({ exporter })
    span('own', () => undefined)
    shutdown().then(() => console.log(exporter.spans.map((each) => each.name).join()))`
  const { status, stdout, stderr } = await run([process.execPath, '-e', program], app)
  assert.deepEqual([status, stdout], [0, 'own\n'], stderr)
  assert.match(stderr, /Next's own spans are not recorded, since @opentelemetry\/api is not installed/)
})
