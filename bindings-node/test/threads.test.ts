// Worker threads: who flushes asks the others, and starting and stopping them leaves nothing behind.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { engines, flush, init, MemoryExporter, setLogger, shutdown, span } from 'polyspan'

setLogger(() => undefined)
const entry = join(__dirname, '..', 'dist', 'index.js')
const { native } = require('../lib/native.js') as {
  native(): { recordingThreads(): number }
}

function started(program: string, workerData?: unknown): Worker {
  return new Worker(`const { span, flush } = require(${JSON.stringify(entry)})\n${program}`, {
    eval: true,
    workerData,
  })
}

function told(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
}

function ended(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve))
}

const PARKED = `
  const { parentPort } = require('node:worker_threads')
  span('held', () => 1)
  parentPort.on('message', () => process.exit())
  parentPort.postMessage('recorded')`

test('a flush takes what other threads hold', async () => {
  const exporter = new MemoryExporter()
  const engine = init('asked', { exporter })
  const workers = Array.from({ length: 3 }, () => started(PARKED))
  await Promise.all(workers.map(told))
  span('own', () => 1)
  await engine.flush()
  assert.deepEqual(exporter.spans.map((one) => one.name).sort(), ['held', 'held', 'held', 'own'])

  const flusher = started(`
    span('in worker', () => 1)
    flush().then(() => require('node:worker_threads').parentPort.postMessage('flushed'))`)
  span('held by main', () => 1)
  await told(flusher)
  assert.deepEqual(
    exporter.spans
      .slice(4)
      .map((one) => one.name)
      .sort(),
    ['held by main', 'in worker'],
  )
  const ends = [...workers, flusher].map(ended)
  for (const worker of workers) worker.postMessage('end')
  await Promise.all(ends)
  assert.equal(native().recordingThreads(), 1)
  await shutdown()
})

test('a thread that never answers holds nobody up for longer than the timeout', async () => {
  const engine = init('busy', { exporter: new MemoryExporter() })
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const busy = started(
    `
    const { parentPort, workerData } = require('node:worker_threads')
    span('busy', () => 1)
    parentPort.postMessage('recorded')
    Atomics.wait(workerData, 0, 0)`,
    flag,
  )
  await told(busy)
  await engine.flush({ timeout: 2 })
  const end = ended(busy)
  Atomics.store(flag, 0, 1)
  Atomics.notify(flag, 0)
  await end
  await flush()
  assert.equal(engine.stats().exported, 1)
  await shutdown()
})

test('two hundred workers, started and stopped', async (context) => {
  const engine = init('churn', { exporter: new MemoryExporter(1000) })
  const round = async (number: number): Promise<void> => {
    const worker = started(PARKED)
    await told(worker)
    const end = ended(worker)
    // Every other one is killed where it stands, after it has been asked.
    if (number % 2 === 0) worker.postMessage('end')
    else {
      await engine.flush()
      await worker.terminate()
    }
    await end
  }
  const memory = async (): Promise<number> => {
    await new Promise((resolve) => setImmediate(resolve))
    gc?.()
    return process.memoryUsage().rss / 2 ** 20
  }
  for (let number = 0; number < 100; number++) await round(number)
  const before = await memory()
  for (let number = 100; number < 200; number++) await round(number)
  const grown = (await memory()) - before
  context.diagnostic(`${grown.toFixed(1)} MiB more after the second hundred`)
  // A worker that is left behind takes 3 MiB or more.
  assert.ok(grown < 100, `${grown} MiB`)
  assert.equal(native().recordingThreads(), 1)
  await engine.flush()
  const stats = engine.stats()
  assert.ok(stats.addsUp && stats.panics === 0)
  assert.equal(stats.exported, 200)
  await shutdown()
  assert.deepEqual(engines(), [])
})
