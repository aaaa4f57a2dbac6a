// Builds the package: TypeScript to `dist`, the entry for `import`, and the addon beside it.
//
//     node tools/build.mjs [ADDON]
//
// ADDON is the library that cargo built; without it the addon that is there stays. There is one copy of the code,
// CommonJS, so that `import` and `require` share the current span; `index.mjs` gives its names.

import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const addon = process.argv[2]

rmSync(join(here, 'dist'), { recursive: true, force: true })
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const compiled = spawnSync(process.execPath, [tsc, '--project', join(here, 'tsconfig.json')], {
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(1)

for (const entry of ['index', 'opentelemetry']) {
  const names = Object.keys(require(join(here, 'dist', `${entry}.js`))).sort()
  const list = names.map((name) => `  ${name},\n`).join('')
  writeFileSync(
    join(here, 'dist', `${entry}.mjs`),
    `import loaded from './${entry}.js'\n\nexport const {\n${list}} = loaded\n`,
  )
  writeFileSync(join(here, 'dist', `${entry}.d.mts`), `export * from './${entry}.js'\n`)
}

if (addon !== undefined) {
  // Renamed into place: a process that has the old one loaded keeps it.
  const target = join(here, 'polyspan.node')
  copyFileSync(addon, `${target}.new`)
  renameSync(`${target}.new`, target)
}
const { version } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
console.log(`polyspan ${version} built`)
