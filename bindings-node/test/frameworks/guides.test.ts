// The examples of the guides for frameworks compile, run, and print what they say.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const GUIDES = ['ai-sdk', 'web-frameworks', 'mastra']
const docs = join(__dirname, '..', '..', '..', '..', 'docs')
const folder = join(__dirname, 'guides')

test('the examples do what the guides say', () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const examples = GUIDES.flatMap((guide) => {
    const text = readFileSync(join(docs, `${guide}.md`), 'utf8')
    const found = [...text.matchAll(/^```ts\n(.*?)^```/gms)]
    assert.ok(found.length > 0, guide)
    return found.map((match, at) => ({ name: `${guide}-${at}`, code: match[1] as string }))
  })
  for (const { name, code } of examples) writeFileSync(join(folder, `${name}.mts`), code)
  const compilerOptions = { rootDir: '.', outDir: 'out' }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.mts'], exclude: [] }),
  )
  const find = createRequire(join(__dirname, '..', '..', '..', 'package.json'))
  const tsc = join(dirname(find.resolve('typescript/package.json')), 'bin', 'tsc')
  const compiled = spawnSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8' })
  assert.equal(compiled.status, 0, compiled.stdout)
  for (const { name, code } of examples) {
    const ran = spawnSync(process.execPath, [join(folder, 'out', `${name}.mjs`)], {
      encoding: 'utf8',
      timeout: 240_000,
      killSignal: 'SIGKILL',
    })
    assert.equal(ran.status, 0, `${name}: ${ran.stderr}`)
    // What is printed stands behind the call, or on the lines after it.
    const expected = [...code.matchAll(/console\.log\(.*\)(?: \/\/ (.*)$|((?:\n *\/\/ .*)+))/gm)].flatMap(
      ([, behind, below]) =>
        behind ??
        (below as string)
          .trim()
          .split(/\n *\/\/ |^\/\/ /)
          .filter(Boolean),
    )
    assert.ok(expected.length > 0, name)
    const printed = ran.stdout.trim().split('\n')
    assert.deepEqual(printed, expected, name)
  }
})
