// The end of a program with span processors of the OpenTelemetry SDK, of both generations: they are flushed while the
// bound of the exit lasts, and nothing hangs.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  out: string[]
  err: string
}

const HEAD = `
  const say = (...words) => require('fs').writeSync(1, words.join(' ') + '\\n')
  const { span } = require('polyspan')
  const { TracerProvider } = require('polyspan/opentelemetry')
  const provided = (processor, exitTimeout = 20) =>
    new TracerProvider({ service: 'x', exporter: 'none', exitTimeout, spanProcessors: [processor] })
  const exporter = (exported) => ({
    export(spans, done) {
      Promise.resolve(exported(spans.map((span) => span.name))).then(() => done({ code: 0 }))
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  })
  const own = (forceFlush) =>
    ({ onStart() {}, onEnd: (span) => say('ended', span.name), forceFlush, shutdown: async () => undefined })
`

/** Runs a program in a process of its own, which is killed if it does not end by itself. */
function run(program: string, signal?: NodeJS.Signals): Promise<Ended> {
  const child = spawn(process.execPath, ['-e', `${HEAD}\n${program}`], {
    cwd: join(__dirname, '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (part) => {
    // Once: what it says first it says when all is set up.
    if (out === '' && signal !== undefined) child.kill(signal)
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  return new Promise((resolve) => {
    child.on('close', (code, by) => resolve({ code, signal: by, out: out.split('\n').filter(Boolean), err }))
  })
}

const SDKS = [
  { generation: '2', folder: process.env.POLYSPAN_SDK2, sdk: '@opentelemetry/sdk-trace-base' },
  { generation: '3', folder: process.env.POLYSPAN_SDK3, sdk: '@opentelemetry/sdk-trace' },
]

for (const { generation, folder, sdk } of SDKS) {
  const skip = folder === undefined ? 'the SDK is not installed: run `cargo xtask test node`' : false
  const batch = `
    const { BatchSpanProcessor } = require('module').createRequire(${JSON.stringify(join(folder ?? '', 'x.js'))})('${sdk}')
    const given = (exporter) => ${generation === '2' ? 'exporter' : '({ exporter })'}
    const slow = exporter(async (names) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      say('exported', names)
    })
  `

  test(`generation ${generation}: a program that runs to its end`, { skip }, async () => {
    const ended = await run(`${batch}
      provided(new BatchSpanProcessor(given(slow)))
      span('last', () => 1)
      process.exitCode = 4
    `)
    assert.deepEqual([ended.code, ended.out, ended.err], [4, ['exported last'], ''])
  })

  test(`generation ${generation}: a signal`, { skip }, async () => {
    const program = `${batch}
      provided(new BatchSpanProcessor(given(slow)))
      setInterval(() => undefined, 1000)
      span('last', () => 1)
      say('ready')
    `
    const ended = await run(program, 'SIGTERM')
    assert.deepEqual([ended.signal, ended.out], ['SIGTERM', ['ready', 'exported last']], ended.err)
  })

  test(`generation ${generation}: process.exit and errors, as far as nothing waits`, { skip }, async () => {
    const quick = `${batch}
      provided(new BatchSpanProcessor(given(exporter((names) => say('exported', names)))))
      span('last', () => 1)
    `
    const left = await run(`${quick} process.exit(3)`)
    assert.deepEqual([left.code, left.out, left.err], [3, ['exported last'], ''])
    const thrown = await run(`${quick} throw new Error('unexpected')`)
    assert.deepEqual([thrown.code, thrown.out], [1, ['exported last']])
    assert.match(thrown.err, /unexpected/)
  })
}

test('a flush that hangs is left after the bound', async () => {
  const hanging =
    'own(() => { say("flushing"); return new Promise(() => setInterval(() => undefined, 1000)) })'
  const ended = await run(`provided(${hanging}, 0.2); span('last', () => 1); process.exitCode = 4`)
  assert.deepEqual([ended.code, ended.signal, ended.out], [4, null, ['ended last', 'flushing']], ended.err)
  const program = `setInterval(() => undefined, 1000); provided(${hanging}, 0.2); span('last', () => 1)`
  const killed = await run(program, 'SIGINT')
  assert.equal(killed.signal, 'SIGINT', killed.err)
})

test('one that fails is said, and costs nothing else', async () => {
  const ended = await run(`
    provided(own(async () => { throw new RangeError('no disk') }))
    span('last', () => 1)
  `)
  assert.equal(ended.code, 0)
  assert.match(ended.err, /forceFlush threw RangeError: no disk/)
})

test('one that was shut down is not asked again', async () => {
  const ended = await run(`
    const provider = provided(own(async () => say('flushed')))
    span('last', () => 1)
    provider.shutdown()
  `)
  assert.deepEqual([ended.code, ended.out], [0, ['ended last']], ended.err)
})
