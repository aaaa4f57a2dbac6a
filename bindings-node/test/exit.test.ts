// Ends of processes and threads: what had ended arrives, and exit codes stay what they were.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { engines, init, MemoryExporter, setLogger, shutdown } from 'polyspan'

setLogger(() => undefined)
const entry = join(__dirname, '..', 'dist', 'index.js')
let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  status: number | null
  signal: string | null
  names: string[]
  stderr: string
}

interface RunOptions {
  module?: boolean
  flags?: string[]
  exitTimeout?: number
  /** What runs before the engine is started. */
  first?: string
}

/** Runs a program that records to a file, and reads what arrived there. */
function run(name: string, body: string, options: RunOptions = {}): Ended {
  const path = join(folder, `${name}.jsonl`)
  const load = options.module
    ? `import { init, span, flush } from ${JSON.stringify(entry)}`
    : `const { init, span, flush } = require(${JSON.stringify(entry)})`
  const init = { exporter: { type: 'file', path }, exitTimeout: options.exitTimeout }
  const program = `${load}\n${options.first ?? ''}\ninit('x', ${JSON.stringify(init)})\n${body}`
  const flags = [...(options.flags ?? []), options.module ? '--input-type=module' : '--input-type=commonjs']
  const ended = spawnSync(process.execPath, [...flags, '-e', program], { encoding: 'utf8', timeout: 60_000 })
  let written = ''
  try {
    written = readFileSync(path, 'utf8')
  } catch {
    // Nothing arrived.
  }
  const lines = written.split('\n').filter(Boolean)
  const spans = lines.flatMap((line) => JSON.parse(line).resourceSpans[0].scopeSpans[0].spans)
  const names = spans.map((span: { name: string }) => span.name)
  return { status: ended.status, signal: ended.signal, names, stderr: ended.stderr }
}

test('a program that just ends', () => {
  const ended = run('ends', `span('one', () => 1)`)
  assert.deepEqual([ended.status, ended.names], [0, ['one']], ended.stderr)
})

test('a program of modules', () => {
  const ended = run('module', `await span('one', async () => 1)`, { module: true })
  assert.deepEqual([ended.status, ended.names], [0, ['one']], ended.stderr)
})

test('process.exit inside a span', () => {
  const ended = run('exit', `span('one', () => 1); span('open', () => process.exit(3))`)
  assert.deepEqual([ended.status, ended.names], [3, ['one']], ended.stderr)
})

test('an exception that nobody catches', () => {
  const ended = run('uncaught', `span('one', () => { throw new Error('uncaught here') })`)
  assert.deepEqual([ended.status, ended.names], [1, ['one']])
  assert.match(ended.stderr, /uncaught here/)
})

test('a rejection that nobody handles', () => {
  const ended = run('unhandled', `span('one', async () => { throw new Error('unhandled here') })`)
  assert.deepEqual([ended.status, ended.names], [1, ['one']])
  assert.match(ended.stderr, /unhandled here/)
})

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} without a handler`, { skip: process.platform === 'win32' }, () => {
    const ended = run(
      signal,
      `span('one', () => 1); setInterval(() => {}, 1000); process.kill(process.pid, '${signal}')`,
    )
    assert.deepEqual([ended.signal, ended.names], [signal, ['one']], ended.stderr)
  })

  test(`${signal} that the application handles`, { skip: process.platform === 'win32' }, () => {
    const handler = `process.on('${signal}', () => { span('two', () => 2); process.exit(7) })`
    const ended = run(
      `${signal}-handled`,
      `span('one', () => 1); ${handler}; process.kill(process.pid, '${signal}'); setInterval(() => {}, 1000)`,
    )
    assert.deepEqual([ended.status, ended.names], [7, ['one', 'two']], ended.stderr)
  })

  test(`${signal} that the application handles once`, { skip: process.platform === 'win32' }, () => {
    const first = `process.once('${signal}', () => setTimeout(() => { span('two', () => 2); process.exit(7) }, 20))`
    const body = `span('one', () => 1); process.kill(process.pid, '${signal}'); setInterval(() => {}, 1000)`
    const ended = run(`${signal}-once`, body, { first })
    assert.deepEqual([ended.status, ended.names], [7, ['one', 'two']], ended.stderr)
  })

  test(`${signal} beside signal-exit, which many packages bring`, {
    skip: process.platform === 'win32',
  }, () => {
    // As version 4 of it does: it ends the process where nobody else listens.
    const first = `
      const emitter = globalThis[Symbol.for('signal-exit emitter')] = { count: 1 }
      const listener = () => {
        if (process.listeners('${signal}').length !== emitter.count) return
        process.removeListener('${signal}', listener)
        process.kill(process.pid, '${signal}')
      }
      process.on('${signal}', listener)`
    const body = `span('one', () => 1); process.kill(process.pid, '${signal}'); setInterval(() => {}, 1000)`
    const ended = run(`${signal}-onlooker`, body, { first })
    assert.deepEqual([ended.signal, ended.names], [signal, ['one']], ended.stderr)
  })
}

for (const [how, end, status] of [
  ['process.exit', 'process.exit(4)', 4],
  ['an exception', `throw new Error('ends here')`, 1],
  ['SIGTERM', `process.kill(process.pid, 'SIGTERM')`, null],
] as const) {
  test(`${how} while workers hold spans`, { skip: process.platform === 'win32' }, () => {
    const body = `
      const { Worker } = require('node:worker_threads')
      const program = ${JSON.stringify(`
        const { span } = require(${JSON.stringify(entry)})
        span('held', () => 1)
        require('node:worker_threads').parentPort.on('message', () => undefined).postMessage('recorded')`)}
      let recorded = 0
      for (let i = 0; i < 3; i++) new Worker(program, { eval: true }).on('message', () => {
        recorded += 1
        if (recorded === 3) ${end}
      })`
    // The threads are given a quarter of it.
    const ended = run(`workers-${how}`, body, { exitTimeout: 60 })
    assert.deepEqual([ended.status, ended.names], [status, ['held', 'held', 'held']], ended.stderr)
  })
}

test('importing does nothing: no thread, no addon, no listener', () => {
  const program = `
    const before = process.eventNames().length
    const { dlopen } = process
    let opened = 0
    process.dlopen = (...given) => {
      opened += 1
      return dlopen.apply(process, given)
    }
    const { init } = require(${JSON.stringify(entry)})
    const listeners = process.eventNames().length - before
    console.log(JSON.stringify([opened, listeners]))
    init({ exporters: [] })
    console.log(opened)`
  const ended = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  assert.equal(ended.stdout, '[0,0]\n1\n', ended.stderr)
})

test('worker threads record to the engine of their process', async () => {
  const exporter = new MemoryExporter()
  const engine = init('workers', { exporter })
  const program = `
    const { span, init, stats } = require(${JSON.stringify(entry)})
    const { workerData } = require('node:worker_threads')
    span('in worker', { attributes: { number: workerData } }, () => span('child', () => 1))`
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      Array.from({ length: 4 }, (_, at) => {
        const worker = new Worker(program, { eval: true, workerData: round * 4 + at })
        return new Promise<void>((resolve, reject) => worker.on('error', reject).on('exit', () => resolve()))
      }),
    )
  }
  await engine.flush()
  const counted = engine.stats()
  assert.ok(counted.addsUp)
  assert.equal(counted.exported, 40)
  const numbers = exporter.spans
    .filter((span) => span.name === 'in worker')
    .map((span) => span.attributes.number)
  assert.deepEqual(
    numbers.sort((a, b) => Number(a) - Number(b)),
    Array.from({ length: 20 }, (_, at) => at),
  )
  await shutdown()
  assert.deepEqual(engines(), [])
})

test('a worker that is terminated in the middle harms nobody', async () => {
  const engine = init('terminated', { exporter: new MemoryExporter() })
  const program = `
    const { span } = require(${JSON.stringify(entry)})
    const { parentPort } = require('node:worker_threads')
    setInterval(() => { for (let i = 0; i < 200; i++) span('busy', () => 1); parentPort.postMessage('on') }, 1)`
  for (let round = 0; round < 8; round++) {
    const worker = new Worker(program, { eval: true })
    // Enough of them for whole frames to have gone to the engine.
    for (let messages = 0; messages < 5; messages++) {
      await new Promise((resolve) => worker.once('message', resolve))
    }
    await worker.terminate()
  }
  await engine.flush()
  const counted = engine.stats()
  assert.ok(counted.addsUp && counted.panics === 0)
  assert.ok(counted.exported > 0)
  await shutdown()
})
