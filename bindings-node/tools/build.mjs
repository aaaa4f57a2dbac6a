// Builds the package: TypeScript to `lib`, one file of code and one of types per entry to `dist`, and the addon beside it.
//
//     node tools/build.mjs [ADDON]
//
// ADDON is the library that cargo built; without it the addon that is there stays. There is one copy of the code,
// CommonJS, so that `import` and `require` share the current span, and so do the entries; it is one file because
// loading forty takes longer than everything else that happens until the first span. Tests of inner parts use `lib`.
// The OpenTelemetry API's side is a file beside it that shares its parts (`ts/parts.ts`).
// What is for a framework is one more, which uses it as the application does: by its public names.

import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, buildSync } from 'esbuild'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { minify } from 'terser'
import { forEverybody } from './declarations.mjs'
import { buildEntries, ENTRIES } from './pages.mjs'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const [lib, dist] = ['lib', 'dist'].map((folder) => join(here, folder))
const addon = process.argv[2]
/** Entries on top of the package's own interface, each a file of CommonJS whose names `import` finds too. */
const ON_TOP = ['ai_sdk', 'frameworks']

rmSync(lib, { recursive: true, force: true })
rmSync(dist, { recursive: true, force: true })
mkdirSync(dist)
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const compiled = spawnSync(process.execPath, [tsc, '--project', join(here, 'tsconfig.json')], {
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(1)

buildSync({
  entryPoints: [join(here, 'ts', 'index.ts')],
  outfile: join(dist, 'index.js'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['@opentelemetry/api', './opentelemetry.js'],
  minifySyntax: true,
  logLevel: 'warning',
})
await shorten(join(dist, 'index.js'))
await build({
  entryPoints: ON_TOP.map((entry) => join(here, 'ts', `${entry}.ts`)),
  outdir: dist,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
  plugins: [
    {
      name: 'the one copy',
      setup: ({ onResolve }) =>
        onResolve({ filter: /^\.\/index$/ }, () => ({ path: './index.js', external: true })),
    },
  ],
})
await build({
  entryPoints: [join(here, 'ts', 'opentelemetry.ts')],
  outdir: dist,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['@opentelemetry/api'],
  logLevel: 'warning',
  plugins: [{ name: 'parts of the one copy', setup: shareParts }],
})
const entries = ['index', 'opentelemetry', ...ON_TOP, ...ENTRIES]
await bundleDeclarations(entries)

/** V8 reads all of it before the first span: without comments and indents, and with short names for what is local to a
 * function, it has nearly half less to read. Functions and classes keep their names, and lines are such as a stack trace
 * can show. */
async function shorten(file) {
  const { code } = await minify(readFileSync(file, 'utf8'), {
    compress: false,
    mangle: { keep_fnames: true, keep_classnames: true },
    format: { ascii_only: true, max_line_len: 160 },
  })
  writeFileSync(file, code)
}

/** Everything but the files in `otel` comes out of the main file, where `parts.ts` offers it. */
function shareParts({ onResolve, onLoad }) {
  const offered = Object.keys(require(join(lib, 'parts.js')))
  onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
    const file = join(resolveDir, path)
    if (kind === 'entry-point' || file.includes(join('ts', 'otel'))) return undefined
    if (path === './index.js') return { path, external: true }
    return { path: file.slice(join(here, 'ts').length + 1), namespace: 'part' }
  })
  onLoad({ filter: /.*/, namespace: 'part' }, ({ path }) => {
    const names = Object.keys(require(join(lib, `${path}.js`))).filter((name) => offered.includes(name))
    return {
      contents: `export const { ${names.join(', ')} } = require('./index.js')._parts`,
      resolveDir: here,
    }
  })
}

/** Not one chunk for every set of entries that share something. What pages use needs no types of Node, and only the
 * entry of that name those of OpenTelemetry. */
function manualChunks(id, { getModuleInfo }) {
  if (getModuleInfo(id).isEntry || id.startsWith(join(lib, 'otel'))) return undefined
  return id.startsWith(join(lib, 'core')) ? 'core' : 'shared'
}

/** The declarations of the entries, and a file or two of what they share; tests hold the package to a number of files. */
async function bundleDeclarations(entries) {
  const input = Object.fromEntries(entries.map((entry) => [entry, join(lib, `${entry}.d.ts`)]))
  const bundle = await rollup({
    input,
    plugins: [dts()],
    external: /^(@|node:|[a-z-]+$)/,
    // That some types of the shared files have no public name is as it was meant.
    onLog: (_level, log) => log.message.includes('no public re-export') || console.warn(log.message),
  })
  const names = { entryFileNames: '[name].d.ts', chunkFileNames: '[name].d.ts', manualChunks }
  await bundle.write({ dir: dist, format: 'es', ...names })
  await bundle.close()
  for (const file of readdirSync(dist).filter((name) => name.endsWith('.d.ts')))
    write(file, forEverybody(file, readFileSync(join(dist, file), 'utf8')))
}

function write(file, text) {
  writeFileSync(join(dist, file), text)
}
/** What `import` finds in an entry: Node, Deno and bundlers read the names of CommonJS out of a line like this. */
function names(module) {
  const public_ = Object.keys(require(join(lib, module))).filter((name) => !name.startsWith('_'))
  return `0 && (module.exports = { ${public_.sort().join(', ')} })\n`
}
appendFileSync(join(dist, 'index.js'), names('index.js'))
write(
  'register.js',
  `let found = true
try {
  require.resolve('@opentelemetry/api')
} catch {
  found = false
  const line = 'polyspan: nothing is recorded: polyspan/register needs the package @opentelemetry/api, which is not installed'
  process.emitWarning(line, 'PolyspanWarning')
}
if (found) require('./opentelemetry.js').register()
`,
)

await buildEntries(dist, lib)

if (addon !== undefined) {
  // Renamed into place: a process that has the old one loaded keeps it.
  const target = join(here, 'polyspan.node')
  copyFileSync(addon, `${target}.new`)
  renameSync(`${target}.new`, target)
}
console.log('polyspan is built')
