// Records the workload with one library, in a process of its own, and prints what it cost as a line of JSON.
//
// `benches/run.py` calls it, with the peers in turn:
//
//     subject.cjs SUBJECT bursts|one|import [--sink URL] [--export null|otlp] [--unsampled]
//                 [--traces N] [--burst N] [--pause-us N]
//
// Libraries come from the folder that BENCH_MODULES names.

const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')

const WARM_UP = 256
const SWITCHES = ['unsampled']

/** The words of the command line. */
function setupOf(words) {
  const options = {}
  for (let at = 0; at < words.length; at++) {
    const name = words[at].replace(/^--/, '')
    options[name] = SWITCHES.includes(name) ? true : words[++at]
  }
  return {
    sink: options.sink ?? '',
    export: options.export ?? 'null',
    sampled: options.unsampled !== true,
    traces: Number(options.traces ?? 2000),
    burst: Number(options.burst ?? 16),
    pause: Number(options['pause-us'] ?? 5000) / 1000,
    load: createRequire(join(process.env.BENCH_MODULES, 'node_modules', '_')),
  }
}

/** What the first span of the import row carries. */
const FIRST = {
  request: 'twenty characters ok',
  component: 'twenty characters ok',
  region: 'twenty characters ok',
  attempt: 1,
  score: 0.5,
  cached: true,
}

/** CPU time of this thread in nanoseconds. */
function threadTime() {
  if (process.threadCpuUsage !== undefined) {
    const { user, system } = process.threadCpuUsage()
    return (user + system) * 1000
  }
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0])
}

function processTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

function subjectOf(name, setup) {
  return new (require(`./subjects/${name}.cjs`))(setup)
}

/** From before the library is loaded to after the first span has ended. */
function importToFirstSpan(name, setup) {
  const started = performance.now()
  const subject = subjectOf(name, setup)
  subject.one(FIRST)
  return { spans: 1, import_ms: performance.now() - started }
}

/** Bursts with a pause after each, so that nothing is dropped; the caller's time is read around each. */
async function bursts(name, setup, single) {
  const { SPANS_PER_TRACE, turns } = require('./workload.cjs')
  const subject = subjectOf(name, setup)
  const data = single ? turns().map((turn) => turn.agent) : turns()
  const spansEach = single ? 1 : SPANS_PER_TRACE
  const record = single ? (datum) => subject.one(datum) : (datum) => subject.trace(datum)
  let next = 0
  const burst = (count) => {
    for (let i = 0; i < count; i++) record(data[next++ % data.length])
  }
  burst(WARM_UP)
  await subject.flush()
  const before = processTime()
  let [cpu, wall, done] = [0, 0, 0]
  while (done < setup.traces) {
    const [cpuStarted, wallStarted] = [threadTime(), performance.now()]
    burst(setup.burst)
    wall += (performance.now() - wallStarted) * 1e6
    cpu += threadTime() - cpuStarted
    done += setup.burst
    await sleep(setup.pause)
  }
  await subject.flush()
  const whole = processTime() - before
  const account = await subject.stop()
  const spans = done * spansEach
  return {
    spans,
    spans_with_warm_up: spans + WARM_UP * spansEach,
    call_cpu_ns: cpu / spans,
    call_wall_ns: wall / spans,
    process_cpu_ns: whole / spans,
    account,
  }
}

async function main() {
  const [name, drive, ...words] = process.argv.slice(2)
  const setup = setupOf(words)
  const result =
    drive === 'import' ? importToFirstSpan(name, setup) : await bursts(name, setup, drive === 'one')
  console.log(JSON.stringify(result))
  process.exit(0)
}

main()
