// Programs without any code for telemetry, under `--import polyspan/register` and OpenTelemetry's instrumentation
// packages.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

const packages = process.env.POLYSPAN_AUTOMATIC
const skip = packages === undefined ? 'they are not installed: run `cargo xtask test node`' : false

let folder: string
before(() => {
  if (packages === undefined) return
  // Below them, so that the programs find them.
  folder = mkdtempSync(join(packages, 'program-'))
  cpSync(join(__dirname, '..', 'test', 'automatic'), folder, {
    recursive: true,
    filter: (file) => !file.endsWith('packages'),
  })
})
after(() => folder && rmSync(folder, { recursive: true }))

/** What a program prints, its spans among it. */
function printed(...args: string[]): { out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, NODE_OPTIONS: '', OTEL_TRACES_EXPORTER: 'console' },
  })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /answered 7/)
  return { out: stdout, err: stderr }
}

const REGISTER = require.resolve('polyspan/register')
/** Of each what the client, the server and the framework record, once. */
const RECORDED = [/GET \/users\/:id \[server\]/g, /GET \[client\]/g, /express\.type=request_handler/g]

function recordsOnce({ out, err }: { out: string; err: string }): void {
  const text = out + err
  assert.deepEqual(
    RECORDED.map((line) => text.match(line)?.length),
    [1, 1, 1],
    text,
  )
  assert.doesNotMatch(err, /Warning/)
}

test('their modules are instrumented', { skip }, () => {
  recordsOnce(printed('--import', REGISTER, 'server.mjs'))
})

test('in worker threads, too', { skip }, () => {
  recordsOnce(printed('--import', REGISTER, 'worker.mjs'))
})

test('preloaded as CommonJS is', { skip }, () => {
  recordsOnce(printed('--require', REGISTER, 'server.mjs'))
})

test('what a program makes itself takes the place of what was made for it', { skip }, () => {
  const found = printed('--import', REGISTER, '--import', './own.mjs', 'server.mjs')
  recordsOnce(found)
  assert.match(found.out + found.err, /made\.by/)
})
