// Records the workload with one library, in a process of its own, and prints what it cost as a line of JSON.
//
// `benches/run.py` calls it, with the peers in turn:
//
//     subject.cjs SUBJECT bursts|one|pauses|serving|import [--sink URL] [--export null|otlp] [--unsampled]
//                 [--traces N] [--burst N] [--pause-us N]
//
// Libraries come from the folder that BENCH_MODULES names.

const { openSync, readSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')

/** Traces before anything is measured, as servers run for long: so many at once, as the peers' queues hold no more. */
const WARM_UP = 256
const WARM_UPS = 16
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

/** Kept open, as opening it costs more than a burst of spans that are not sampled. */
const schedstat = process.threadCpuUsage === undefined ? openSync('/proc/thread-self/schedstat') : -1
const line = Buffer.alloc(64)

/** CPU time of this thread in nanoseconds. */
function threadTime() {
  if (process.threadCpuUsage !== undefined) {
    const { user, system } = process.threadCpuUsage()
    return (user + system) * 1000
  }
  // The file alone is as old as the last tick of the scheduler; asking for the process's time brings it up to date.
  process.cpuUsage()
  return Number.parseInt(line.latin1Slice(0, readSync(schedstat, line, 0, line.length, 0)), 10)
}

/** What `work` costs this thread. Reading the clock is not among it: after a pause that alone takes as long as a hundred
 * spans that are not sampled. */
function cost(work) {
  threadTime()
  const first = threadTime()
  const started = threadTime()
  work()
  return threadTime() - started - (started - first)
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

/** A subject that has warmed up, and what records the next trace, or span alone. */
async function warm(name, setup, single) {
  const { turns } = require('./workload.cjs')
  const subject = subjectOf(name, setup)
  const data = single ? turns().map((turn) => turn.agent) : turns()
  let next = 0
  const record = single
    ? () => subject.one(data[next++ % data.length])
    : () => subject.trace(data[next++ % data.length])
  for (let round = 0; round < WARM_UPS; round++) {
    for (let i = 0; i < WARM_UP; i++) record()
    await subject.flush()
  }
  return { subject, record }
}

/** Bursts with a pause after each, so that nothing is dropped, or with a flush that is not measured where the pause is none;
 * the caller's time is read around each. */
async function bursts(name, setup, single) {
  const { SPANS_PER_TRACE } = require('./workload.cjs')
  const spansEach = single ? 1 : SPANS_PER_TRACE
  const { subject, record } = await warm(name, setup, single)
  const before = processTime()
  let [cpu, wall, done] = [0, 0, 0]
  while (done < setup.traces) {
    cpu += cost(() => {
      const wallStarted = performance.now()
      for (let i = 0; i < setup.burst; i++) record()
      wall += (performance.now() - wallStarted) * 1e6
    })
    done += setup.burst
    await (setup.pause > 0 ? sleep(setup.pause) : subject.flush())
  }
  await subject.flush()
  const whole = processTime() - before
  const account = await subject.stop()
  const spans = done * spansEach
  return {
    spans,
    spans_with_warm_up: spans + WARM_UPS * WARM_UP * spansEach,
    warm_up_traces: WARM_UPS * WARM_UP,
    call_cpu_ns: cpu / spans,
    call_wall_ns: wall / spans,
    process_cpu_ns: whole / spans,
    account,
  }
}

/** The longest that the main thread was busy at a stretch: with one trace, or with whatever runs between the bursts. In
 * CPU time, so that other programs do not count. */
async function pauses(name, setup) {
  const { SPANS_PER_TRACE } = require('./workload.cjs')
  const { subject, record } = await warm(name, setup, false)
  let longest = 0
  let before = threadTime()
  const lap = () => {
    const now = threadTime()
    longest = Math.max(longest, now - before)
    before = now
  }
  for (let done = 0; done < setup.traces; done += setup.burst) {
    for (let i = 0; i < setup.burst; i++) {
      record()
      lap()
    }
    // Turns of the event loop, until what the library had to do between has had its chance.
    const ends = performance.now() + setup.pause
    while (performance.now() < ends) {
      await sleep(1)
      lap()
    }
  }
  await subject.flush()
  await subject.stop()
  return { spans: setup.traces * SPANS_PER_TRACE, pause_ms: longest / 1e6 }
}

async function main() {
  const [name, drive, ...words] = process.argv.slice(2)
  const setup = setupOf(words)
  const drives = {
    import: () => importToFirstSpan(name, setup),
    pauses: () => pauses(name, setup),
    serving: () => require('./serving.cjs').serving(setup, (given) => subjectOf(name, given)),
    one: () => bursts(name, setup, true),
    bursts: () => bursts(name, setup, false),
  }
  const result = await drives[drive]()
  console.log(JSON.stringify(result))
  process.exit(0)
}

main()
