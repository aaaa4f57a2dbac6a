// Compiles the tests and runs them with Node's own runner.
//
//     node tools/test.mjs [NAME...]
//     node tools/test.mjs --installed FOLDER [NAME...]
//     node tools/test.mjs --servers [NAME...]
//
// With names only the test files that are called so. With `--installed` the tests of what `tools/pack.mjs` has put into
// the folder: they need the variables that `test/installed/program.ts` names. With `--servers` those with real servers.

import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const build = join(here, 'build')
const installed = process.argv[2] === '--installed'
const servers = process.argv[2] === '--servers'
const names = process.argv.slice(installed ? 4 : servers ? 3 : 2)

rmSync(build, { recursive: true, force: true })
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
// The span path is held to what every platform has.
for (const project of ['tsconfig.core.json', 'tsconfig.test.json']) {
  const compiled = spawnSync(process.execPath, [tsc, '--project', join(here, project)], { stdio: 'inherit' })
  if (compiled.status !== 0) process.exit(1)
}

const folder = join(build, installed ? 'installed' : servers ? 'servers' : '')
const files = readdirSync(folder).filter((file) => file.endsWith('.test.js'))
const chosen = files.filter((file) => names.length === 0 || names.includes(file.replace('.test.js', '')))
/** A long run of the test of the heap, `POLYSPAN_TEST_SPANS`, takes as long as it takes. */
const limit = process.env.POLYSPAN_TEST_SPANS ? 7_200_000 : servers ? 240_000 : 120_000
const run = spawnSync(
  process.execPath,
  [
    '--expose-gc',
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${limit}`,
    ...chosen.map((file) => join(folder, file)),
  ],
  {
    stdio: 'inherit',
    cwd: here,
    env: installed ? { ...process.env, POLYSPAN_PACKED: resolve(process.argv[3]) } : process.env,
  },
)
process.exit(run.status ?? 1)
