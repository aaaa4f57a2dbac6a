// The examples of docs/node.md compile, run, and print what they say.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(__dirname, '..')
const guide = readFileSync(join(root, '..', 'docs', 'node.md'), 'utf8')
const examples = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1] as string)

test('the examples do what the guide says', () => {
  // Inside the package, so that its own name is known.
  const folder = join(root, 'build', 'guide')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  examples.forEach((example, at) => {
    writeFileSync(join(folder, `example${at}.mts`), example)
  })
  const compilerOptions = { rootDir: '.', outDir: 'out', noUnusedLocals: false, noEmit: false }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.test.json', compilerOptions, include: ['*.mts'] }),
  )
  const find = createRequire(__filename)
  const tsc = join(dirname(find.resolve('typescript/package.json')), 'bin', 'tsc')
  const compiled = spawnSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8' })
  assert.equal(compiled.status, 0, compiled.stdout)
  examples.forEach((example, at) => {
    const program = join(folder, 'out', `example${at}.mjs`)
    const ran = spawnSync(process.execPath, [program], { encoding: 'utf8' })
    assert.equal(ran.status, 0, ran.stderr)
    const printed = ran.stdout.split('\n')
    for (const [, expected] of example.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)) {
      assert.ok(printed.includes(expected as string), `${expected} is not in ${ran.stdout}`)
    }
  })
  assert.ok(examples.length >= 4)
})
