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

for (const [resolution, module] of [
  ['node16', 'node16'],
  ['bundler', 'esnext'],
]) {
  test(`its types, with moduleResolution ${resolution}`, () => {
    const place = join(app, `types-${resolution}`)
    mkdirSync(place)
    const program = `
      import { type Engine, init, MemoryExporter, PolyspanError, span, tool } from 'polyspan'
      const engine: Engine = init('typed', { exporter: new MemoryExporter() })
      const length: number = span('text', { type: 'tool', input: { any: 1 } }, (each) => each.traceId.length)
      const later: Promise<string> = tool('search', { toolCallId: 'c1' }, async () => 'found')
      // @ts-expect-error: a type of span that is none.
      span('wrong', { type: 7 }, () => length)
      export { engine, later, PolyspanError }\n`
    writeFileSync(join(place, 'imported.mts'), program)
    if (resolution === 'node16') {
      writeFileSync(
        join(place, 'required.cts'),
        `import polyspan = require('polyspan')\n polyspan.init({ service: 'x' })\n`,
      )
    }
    const types = join(PACKAGE, 'node_modules', '@types')
    const compilerOptions = {
      ...{
        target: 'es2022',
        module,
        moduleResolution: resolution,
        strict: true,
        noEmit: true,
        skipLibCheck: false,
      },
      ...{ lib: ['es2023', 'esnext.disposable', 'dom'], types: ['node'], typeRoots: [types] },
    }
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    const find = createRequire(__filename)
    const tsc = join(dirname(find.resolve('typescript/package.json')), 'bin', 'tsc')
    const checked = spawnSync(process.execPath, [tsc, '--project', place], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(checked.status, 0, checked.stdout)
  })
}

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
    const parent = extract({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
    const inside = () => span('goes on', { parent, metadata: { a: 1 } }, () => inject({}))
    console.log(context({ sessionId: 's', tags: ['t'] }, inside), stats().ended)
    flush().then(() => console.log('went on'))`
  const { status, stdout, stderr } = await run([process.execPath, '-e', program], bare)
  assert.equal(status, 0, stderr)
  assert.match(stdout, new RegExp(`^PolyspanError resource addon: @polyspan/${here()}, .* is not installed`))
  assert.match(stdout, /\n{} 0\nwent on\n$/)
})
