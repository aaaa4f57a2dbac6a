// Builds the package: TypeScript to `lib`, one file of code with its types to `dist`, and the addon beside it.
//
//     node tools/build.mjs [ADDON]
//
// ADDON is the library that cargo built; without it the addon that is there stays. There is one copy of the code,
// CommonJS, so that `import` and `require` share the current span, and so do the entries; it is one file because
// loading forty takes longer than everything else that happens until the first span. Tests of inner parts use `lib`.
// What is for a framework is a file beside it, which uses it as the application does: by its public names.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, buildSync } from 'esbuild'
import { buildEntries, ENTRIES } from './pages.mjs'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const [lib, dist] = ['lib', 'dist'].map((folder) => join(here, folder))
const addon = process.argv[2]
/** Entries on top of the package's own interface, each a file of CommonJS whose names `import` finds too. */
const ON_TOP = ['ai_sdk', 'express', 'fastify', 'hono', 'http', 'nestjs', 'react_router']

rmSync(lib, { recursive: true, force: true })
rmSync(dist, { recursive: true, force: true })
mkdirSync(dist)
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const compiled = spawnSync(process.execPath, [tsc, '--project', join(here, 'tsconfig.json')], {
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(1)

buildSync({
  entryPoints: [join(lib, 'index.js')],
  outfile: join(dist, 'index.js'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['@opentelemetry/api'],
  logLevel: 'warning',
})
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
        onResolve({ filter: /^\.\/(index|http)$/ }, ({ path }) => ({ path: `${path}.js`, external: true })),
    },
  ],
})
for (const file of reachable(['index', 'opentelemetry', ...ON_TOP, ...ENTRIES])) {
  mkdirSync(dirname(join(dist, file)), { recursive: true })
  copyFileSync(join(lib, file), join(dist, file))
}

/** The declarations that those of the entries refer to; the others are nobody's business. */
function reachable(entries) {
  const found = new Set(entries.map((entry) => `${entry}.d.ts`))
  for (const file of found) {
    const text = readFileSync(join(lib, file), 'utf8')
    for (const [, name] of text.matchAll(/(?:from|import\()\s*['"](\.{1,2}\/[^'"]+)['"]/g)) {
      found.add(join(dirname(file), `${name}.d.ts`))
    }
  }
  return found
}

function write(file, text) {
  writeFileSync(join(dist, file), text)
}
function names(module) {
  const public_ = Object.keys(require(join(lib, module))).filter((name) => !name.startsWith('_'))
  return public_
    .sort()
    .map((name) => `  ${name},\n`)
    .join('')
}
write('index.mjs', `import loaded from './index.js'\n\nexport const {\n${names('index.js')}} = loaded\n`)
write('index.d.mts', `export * from './index.js'\n`)
write('opentelemetry.js', `module.exports = require('./index.js')._opentelemetry()\n`)
write(
  'opentelemetry.mjs',
  `import loaded from './opentelemetry.js'\n\nexport const {\n${names('opentelemetry.js')}} = loaded\n`,
)
write('opentelemetry.d.mts', `export * from './opentelemetry.js'\n`)
write('register.js', `require('./opentelemetry.js').register()\n`)

await buildEntries(dist, lib)

if (addon !== undefined) {
  // Renamed into place: a process that has the old one loaded keeps it.
  const target = join(here, 'polyspan.node')
  copyFileSync(addon, `${target}.new`)
  renameSync(`${target}.new`, target)
}
console.log('polyspan is built')
