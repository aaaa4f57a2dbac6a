// A program that a bundler made of the application and the entries: they share one current span.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(__dirname, '..', '..', '..')
const folder = join(__dirname, 'bundled')

const program = `
  import { flush, init, MemoryExporter, span } from 'polyspan'
  import { handler } from 'polyspan/http'
  import { PolyspanBridge } from 'polyspan/mastra'

  const exporter = new MemoryExporter()
  init('bundled', { exporter })
  const serve = handler(async () => span('inside', () => Response.json({})))
  await (await serve(new Request('http://localhost/'))).json()
  const bridge = new PolyspanBridge()
  span('around', () => bridge.createSpan({ name: 'agent', type: 'agent_run' }))
  await flush()
  const [inside, request, around] = exporter.spans
  console.log(JSON.stringify([inside.parentSpanId === request.spanId, around.name]))
`

for (const conditions of [['module'], []]) {
  test(`bundled with the conditions [${conditions}]`, () => {
    mkdirSync(folder, { recursive: true })
    const source = join(folder, 'program.mjs')
    const outfile = join(folder, `bundle${conditions.length}.mjs`)
    writeFileSync(source, program)
    const esbuild: typeof import('esbuild') = createRequire(join(root, 'package.json'))('esbuild')
    esbuild.buildSync({
      entryPoints: [source],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions,
      // What a bundler of servers does with a package that is not to be bundled.
      external: conditions.length === 0 ? ['polyspan'] : [],
    })
    const ran = spawnSync(process.execPath, [outfile], {
      cwd: root,
      encoding: 'utf8',
      timeout: 120_000,
      killSignal: 'SIGKILL',
    })
    assert.equal(ran.status, 0, ran.stderr)
    assert.deepEqual(JSON.parse(ran.stdout), [true, 'around'])
  })
}
