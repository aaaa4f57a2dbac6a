// Compiles the tests with the real frameworks and runs them with Node's own runner.
//
//     node tools/frameworks.mjs FOLDER [NAME...]
//
// FOLDER has the `node_modules` of `test/frameworks/packages`. With names only the test files that are called so.

import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const [folder, ...names] = process.argv.slice(2)
const tests = join(here, 'test', 'frameworks')
const build = join(tests, 'build')
const packages = join(tests, 'node_modules')

rmSync(build, { recursive: true, force: true })
rmSync(packages, { force: true })
symlinkSync(resolve(folder, 'node_modules'), packages, 'junction')
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
// What fits the frameworks fits them in the strictest programs as well.
for (const project of [tests, join(tests, 'exact')]) {
  const compiled = spawnSync(process.execPath, [tsc, '--project', project], { stdio: 'inherit' })
  if (compiled.status !== 0) process.exit(1)
}

const files = readdirSync(build).filter((file) => file.endsWith('.test.js'))
const chosen = files.filter((file) => names.length === 0 || names.includes(file.replace('.test.js', '')))
const run = spawnSync(
  process.execPath,
  [
    '--expose-gc',
    '--test',
    '--test-reporter=spec',
    '--test-timeout=600000',
    ...chosen.map((file) => join(build, file)),
  ],
  { stdio: 'inherit', cwd: here },
)
process.exit(run.status ?? 1)
