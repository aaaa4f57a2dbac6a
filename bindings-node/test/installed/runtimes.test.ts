// The installed package in Node.js 20, 22, 24 and 26, in Bun and in Deno: recording, context, worker threads, the
// OpenTelemetry API, and the ends of processes. Every span has to arrive at a receiver.

import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { application, given, PACKAGE, PROGRAMS, Receiver, run } from './program'

interface Runtime {
  name: string
  command: string[]
}

let app: string
let receiver: Receiver
let runtimes: Runtime[]
before(async () => {
  app = application(true)
  // Inside the application, so that the package is found from there.
  cpSync(PROGRAMS, app, { recursive: true })
  receiver = await Receiver.start()
  const installer = await import(pathToFileURL(join(PACKAGE, 'tools', 'runtimes.mjs')).href)
  runtimes = installer.runtimes(given('POLYSPAN_RUNTIMES'))
})
after(() => receiver.close())

const RECORDING = {
  'recording.mjs': [
    'after a timer',
    'emitted',
    'execute_tool search',
    'failing',
    'fetched',
    'generator',
    'invoke_agent root',
    'job',
    'response',
    'stream',
  ],
  'required.cjs': ['imported', 'required'],
  'answering.mjs': ['GET', 'GET', 'GET', 'GET', 'GET'],
  'api.mjs': ['between', 'inner', 'request'],
  'workers.mjs': ['ends', 'ends', 'main', 'parks', 'parks'],
}
const ENDINGS: [string, number | null, string | null][] = [
  ['by itself', 0, null],
  ['exit', 3, null],
  ['uncaught', 1, null],
  ['SIGTERM', null, 'SIGTERM'],
]

for (const name of ['node20', 'node22', 'node24', 'node26', 'bun', 'deno']) {
  test(name, async (context) => {
    const runtime = runtimes.find((one) => one.name === name) as Runtime
    const service = (of: string) => `${name} ${of}`
    const start = (words: string[], of: string) =>
      run([...runtime.command, ...words], app, {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_SERVICE_NAME: service(of),
      })
    for (const [program, names] of Object.entries(RECORDING)) {
      // A server of Bun is asked for less.
      const expected = program === 'answering.mjs' && name === 'bun' ? names.slice(1) : names
      await context.test(program, async () => {
        const ended = await start([program], program)
        assert.equal(ended.status, 0, ended.stderr)
        assert.equal(ended.stdout, `recorded ${expected.length} true\n`)
        const arrived = await receiver.spans(service(program), expected.length)
        assert.deepEqual(arrived.map((span) => span.name).sort(), expected)
      })
    }
    for (const [how, status, signal] of ENDINGS) {
      if (signal !== null && process.platform === 'win32') continue
      await context.test(`ends: ${how}`, async () => {
        const ended = await start(['ending.mjs', how], how)
        assert.deepEqual([ended.status, ended.signal], [status, signal], ended.stderr)
        assert.equal((await receiver.spans(service(how), 50)).length, 50)
      })
    }
  })
}
