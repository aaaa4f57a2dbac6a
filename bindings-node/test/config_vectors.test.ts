// `tests/vectors/config_env.json`: what options and the environment make of an engine, as far as a program can see it:
// errors and warnings, what is sent where and how, what is recorded, kept and carried along.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import {
  context,
  type Engine,
  init,
  inject,
  log,
  MemoryExporter,
  type PolyspanError,
  SpanContext,
  setLogger,
} from 'polyspan'
import { TracerProvider } from 'polyspan/opentelemetry'
import type { NativeEngine } from '../lib/native'
import { Receiver } from './receiving'
import { camel, type Json, only, under, vectors } from './vectors'

// It is not in the package's types.
const { _door } = require('polyspan') as { _door: { engineOf(engine: Engine): NativeEngine } }
const { readValue } = require('../lib/values') as typeof import('../lib/values')

const receiver = new Receiver()
let folder = ''
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'polyspan-'))
  await receiver.open()
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await receiver.close()
})

let lines: string[] = []
setLogger((line) => lines.push(line))
/** Each of these is said once in the life of a process. */
const said = new Set<string>()

/** The case with our receiver in the place of every other one, and our folder. */
function here(entry: Json): Json {
  const given = JSON.stringify(entry)
    .replaceAll('"/tmp/', `"${folder}/`)
    .replace(/https?:\/\/[a-z.]+(:\d+)?(?=[/"?])/g, (host) =>
      host.startsWith('http://localhost') ? host : receiver.endpoint,
    )
  return JSON.parse(given)
}

/** Options as TypeScript spells them; maps of the application's own keys stay. */
function spelled({ provider, ...options }: Json): Json {
  const { resource, headers, metrics } = options
  const own = { ...(resource && { resource }), ...(headers && { headers }) }
  const prices = metrics?.prices && { metrics: { ...camel(metrics), prices: metrics.prices } }
  return { ...camel(options), ...own, ...prices }
}

const SIGNALS = ['', 'log_', 'metric_']
const IN_STATS: Json = {
  '': (stats: Json) => stats,
  log_: (stats: Json) => stats.logs,
  metric_: (stats: Json) => stats.metrics,
}

/** Starts the engine of a case. What is not asked about goes nowhere. */
function started({ options, expect }: Json): Engine {
  const asks = (...names: string[]): boolean => names.some((name) => name in expect)
  const logs = asks(...about('log_'))
  const spans = logs || asks('exporters', 'console_fallback', ...about('metric_'))
  const quiet = { ...(spans ? {} : { exporters: [] }), ...(logs ? {} : { logsExporter: 'none' }) }
  const given = { ...quiet, ...spelled(options) }
  return options.provider === true ? new TracerProvider(given).engine : init(given)
}

const about = (signal: string): string[] => [`${signal}exporters`, `${signal}endpoints`]

/** Headers that requests have whatever the options say. */
const STANDARD = /^(host|user-agent|content-.*|accept.*|connection|traceparent|tracestate|transfer-encoding)$/

/** The exporters by their types, and what those that send were given. */
async function exported(engine: Engine, { expect }: Json): Promise<void> {
  const stats = engine.stats()
  for (const signal of SIGNALS) {
    const wanted: Json[] | undefined = expect[`${signal}exporters`]
    if (wanted === undefined) continue
    // The second of a type has a number.
    const types = Object.keys(IN_STATS[signal](stats).exporters).map((name) => name.replace(/#\d+$/, ''))
    assert.deepEqual(types.sort(), wanted.map(({ type }) => type).sort())
  }
  const otlp = SIGNALS.flatMap((signal) => [
    ...(expect[`${signal}exporters`] ?? []).filter(({ type }: Json) => type === 'otlp_http'),
    ...(expect[`${signal}endpoints`] ?? []).map((endpoint: string) => ({ endpoint })),
  ])
  // Nobody listens at the usual place, nobody has certificates, and a millisecond is none to wait for.
  const unsendable = ({ endpoint, certificate, timeout_ms: timeout = 10_000 }: Json): boolean =>
    !endpoint.startsWith(receiver.endpoint) || certificate != null || timeout < 1000
  if (otlp.length === 0 || otlp.some(unsendable)) return
  receiver.take()
  engine.span('sent', () => log('error', 'sent too'))
  await engine.flush()
  const received = receiver.take().map(({ path, headers }) => ({
    path,
    compression: headers['content-encoding'] ?? 'none',
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !STANDARD.test(name))),
  }))
  for (const { endpoint, compression, headers } of otlp) {
    const path = endpoint.slice(receiver.endpoint.length)
    const found = received.filter((one) => one.path === path)
    assert.ok(found.length > 0, `${path} among ${received.map((one) => one.path)}`)
    if (compression === undefined) continue
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
    const wanted = { path, compression, headers: Object.fromEntries(lower) }
    assert.ok(
      found.some((one) => isDeepStrictEqual(one, wanted)),
      JSON.stringify([wanted, found]),
    )
  }
}

/** What a sampler that is described so says of a root at the edge, of one below it, and of children. */
function samples(engine: Engine, description: string): void {
  const root = /^ParentBased\{root=([^,]*),/.exec(description)?.[1] ?? description
  const ratio = Number(/^ProbabilitySampler\{(.*)\}$/.exec(root)?.[1])
  const start = (randomness: bigint): Json =>
    engine.start('root', { traceId: `${'1'.repeat(18)}${randomness.toString(16).padStart(14, '0')}` }).context
  const threshold = Number.isNaN(ratio) ? 0n : BigInt(Math.round((1 - ratio) * 2 ** 56))
  const isOff = root === 'AlwaysOffSampler' || ratio === 0
  const last = (1n << 56n) - 1n
  assert.equal(start(isOff ? last : threshold).isSampled, !isOff)
  if (!isOff && threshold > 0n) assert.equal(start(threshold - 1n).isSampled, false)
  const digits = threshold.toString(16).padStart(14, '0').replace(/0+$/, '') || '0'
  assert.equal(start(last).traceState, Number.isNaN(ratio) || isOff ? '' : `ot=th:${digits}`)
  for (const traceFlags of [0, 1]) {
    const parent = { traceId: `${'1'.repeat(18)}${last.toString(16)}`, spanId: '2'.repeat(16), traceFlags }
    const child = engine.start('child', { parent: SpanContext.of({ ...parent, isRemote: true }) })
    assert.equal(child.context.isSampled, description === root ? !isOff : traceFlags === 1)
  }
}

/** How much of a span is kept, where each part of it is one longer than it may be. */
async function limits(entry: Json): Promise<void> {
  const { attributes, attribute_value_length: length, events, links, ...inside } = entry.expect.limits
  const exporter = new MemoryExporter()
  const engine = init({ ...spelled(entry.options), exporter, replace: true })
  const many = (count: number): Json =>
    Object.fromEntries(
      Array.from({ length: count + 1 }, (_, at) => [`k${at}`, 'x'.repeat((length ?? 99) + 1)]),
    )
  const span = engine.start('long', { attributes: many(attributes) })
  for (let at = 0; at <= events; at++) span.event('e', at === 0 ? many(inside.event_attributes) : {})
  const linked = SpanContext.of({ traceId: '1'.repeat(32), spanId: '2'.repeat(16) })
  for (let at = 0; at <= links; at++) span.link(linked, at === 0 ? many(inside.link_attributes) : {})
  span.end()
  await engine.flush()
  const { attributes: kept, ...found } = only(exporter)
  await engine.shutdown()
  const counts = [kept, found.events, found.links, found.events[0]?.attributes, found.links[0]?.attributes]
  assert.deepEqual(
    counts.map((part) => Object.keys(part as object).length),
    [attributes, events, links, inside.event_attributes, inside.link_attributes],
  )
  for (const one of Object.values(kept)) assert.equal((one as string).length, length ?? 100)
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

async function levels(entry: Json): Promise<void> {
  const engine = init({ ...spelled(entry.options), exporter: new MemoryExporter(), replace: true })
  const least = LEVELS.indexOf(entry.expect.log_level)
  const kept = LEVELS.map((level) => log(level, 'said'))
  await engine.shutdown()
  assert.deepEqual(
    kept,
    LEVELS.map((_, at) => least >= 0 && at >= least),
  )
}

/** The rest of what an engine shows of itself. */
function shown(engine: Engine, { env, expect }: Json): void {
  const { name, service, resource, disabled, capture, memory, propagators } = expect
  if (name !== undefined) assert.equal(engine.name, name)
  const unnamed = `unknown_service:${basename(process.execPath)}`
  if (service !== undefined) assert.equal(engine.resource['service.name'], unnamed)
  if (resource !== undefined) {
    const { 'telemetry.sdk.version': _, ...found } = engine.resource
    const wanted = { ...resource, 'telemetry.sdk.language': 'nodejs' }
    if (wanted['service.name'] === 'unknown_service:vectors') wanted['service.name'] = unnamed
    // The variable of each language goes first in it.
    const place = 'deployment.environment.name'
    if (wanted[place] === env.APP_ENV && env.NODE_ENV !== undefined) wanted[place] = env.NODE_ENV
    assert.deepEqual(found, wanted)
  }
  if (disabled !== undefined) assert.equal(engine.start('recorded').isRecording, !disabled)
  const terms = readValue(_door.engineOf(engine).terms()) as Json
  if (capture !== undefined)
    assert.deepEqual([terms.valueBytes, terms.spanBytes], [capture.value_bytes, capture.span_bytes])
  if (memory !== undefined) assert.equal(terms.openSpans, memory.open_spans)
  if (expect.exit_timeout_ms !== undefined) assert.equal(terms.exitTimeout * 1000, expect.exit_timeout_ms)
  if (propagators !== undefined) {
    const carried = context({ baggage: { tenant: 'acme' } }, () =>
      engine.span('caller', () => inject<Record<string, string>>({})),
    )
    const names = { traceparent: 'tracecontext', baggage: 'baggage' } as Record<string, string>
    const found = Object.keys(carried).flatMap((field) => names[field] ?? [])
    assert.deepEqual(found.sort(), [...propagators].sort())
  }
}

async function comesOut(entry: Json): Promise<void> {
  const { expect } = entry
  if (expect.limits !== undefined) await limits(entry)
  if (expect.log_level !== undefined) await levels(entry)
  const engine = started(entry)
  try {
    shown(engine, entry)
    if (expect.sampler !== undefined) samples(engine, expect.sampler)
    await exported(engine, entry)
    assert.ok(engine.stats().addsUp)
  } finally {
    // Those at the usual place have no receiver.
    await engine.shutdown({ timeout: 0 }).catch(() => undefined)
  }
}

function isRefused({ options, error: option }: Json): void {
  const wanted = camel({ [option]: 0 })
  assert.throws(
    () => init(spelled(options)),
    ({ code, message }: PolyspanError) => {
      assert.equal(code, 'invalid_option')
      assert.equal(message.split(': ')[0], Object.keys(wanted)[0])
      assert.match(message, /expected/)
      return true
    },
  )
}

for (const entry of vectors('config_env.json').cases as Json[]) {
  // What products' variables set is in `presets.json`, and would be sent to them.
  const products = Object.keys(entry.env).some((name) => /_KEY$|_TOKEN$/.test(name))
  if (products && entry.error === undefined) continue
  test(`config: ${entry.name}`, async () => {
    const given = here(entry)
    lines = []
    await under(given.env, async () => (given.error === undefined ? comesOut(given) : isRefused(given)))
    assert.ok(!lines.join().includes('s3cret'))
    for (const { variable, value, fallback } of given.warnings) {
      const key = `${variable} ${value}`
      const found = lines.some((line) => line.includes(`${variable}: `) && line.endsWith(`; ${fallback}`))
      if (!said.has(key)) assert.ok(found, `${key}; ${fallback} in ${lines}`)
      said.add(key)
    }
    // And nothing else of variables.
    const warned = lines.filter((line) => /^polyspan: OTEL_\w+: /.test(line))
    assert.ok(warned.length <= given.warnings.length, warned.join())
  })
}
