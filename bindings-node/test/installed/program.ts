// What the tests of the installed package share: an application that has it installed, programs that run there, and the
// receiver that their spans arrive at.
//
// `cargo xtask test npm` sets what they need: POLYSPAN_PACKED, the folder of the tarballs; POLYSPAN_TEST_RECEIVER, the
// receiver's program; POLYSPAN_RUNTIMES, the cache folder for other runtimes.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** `bindings-node` in the checkout. */
export const PACKAGE = join(__dirname, '..', '..')
export const PROGRAMS = join(PACKAGE, 'test', 'installed', 'programs')
/** After so long something hangs, in milliseconds. */
const BOUND = 60_000

export function given(name: string): string {
  const value = process.env[name]
  assert.ok(value, `${name} is not set: these tests are started by \`cargo xtask test npm\``)
  return value
}

/** A folder that is removed when the tests have ended. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'polyspan-installed-'))
  process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  return made
}

/** An application in a folder of its own with the packed package, as `npm install` leaves it, and the OpenTelemetry API
 * where it is asked for. Nothing is fetched: other platforms' packages are left out as optional ones are. */
export function application(withApi: boolean): string {
  const app = folder()
  writeFileSync(join(app, 'package.json'), '{ "private": true }')
  const packed = given('POLYSPAN_PACKED')
  const tarballs = readdirSync(packed).filter((file) => file.endsWith('.tgz'))
  // All of them: npm takes the one of this platform.
  const fitting = tarballs.filter((file) => file.startsWith('polyspan-0') || file.includes(here()))
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  const installed = spawnSync('npm', ['install', ...flags, ...fitting.map((file) => join(packed, file))], {
    cwd: app,
    encoding: 'utf8',
    timeout: BOUND,
  })
  assert.equal(installed.status, 0, installed.stderr)
  const api = join('node_modules', '@opentelemetry', 'api')
  if (withApi) cpSync(join(PACKAGE, api), join(app, api), { recursive: true })
  return app
}

/** What the package of this platform is called, without the scope. */
export function here(): string {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  const ending = { linux: header.glibcVersionRuntime ? '-gnu' : '-musl', win32: '-msvc' }[
    process.platform as string
  ]
  return `${process.platform}-${process.arch}${ending ?? ''}`
}

export interface Arrived {
  name: string
  spanId: string
  parentSpanId: string
  traceId: string
}

/** The receiver of the tests, a process of its own. */
export class Receiver {
  private readonly process: ChildProcess
  private readonly lines: Record<string, unknown>[] = []
  private wake: () => void = () => undefined

  private constructor() {
    this.process = spawn(given('POLYSPAN_TEST_RECEIVER'), [], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line))
      this.wake()
    })
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver()
    await receiver.until(() => receiver.of('listening').length > 0)
    return receiver
  }

  get endpoint(): string {
    return this.of('listening')[0]?.endpoint as string
  }

  private of(event: string): Record<string, unknown>[] {
    return this.lines.filter((line) => line.event === event)
  }

  private async until(enough: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(BOUND)
    while (!enough() && !late.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
        late.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  /** The spans whose resource has that service name, once there are so many; those that there are after a while. */
  async spans(service: string, count: number): Promise<Arrived[]> {
    await this.until(() => this.arrived(service).length >= count)
    return this.arrived(service)
  }

  private arrived(service: string): Arrived[] {
    type Resource = {
      resource: { attributes: { key: string; value: { stringValue?: string } }[] }
      scopeSpans: { spans: Arrived[] }[]
    }
    const resources = this.of('request').flatMap(
      ({ request }) => (request as { resourceSpans: Resource[] } | null)?.resourceSpans ?? [],
    )
    return resources
      .filter(({ resource }) =>
        resource.attributes.some(({ key, value }) => key === 'service.name' && value.stringValue === service),
      )
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  }

  /** Kills it; the ids of the spans that it had taken. */
  async kill(): Promise<Set<string>> {
    this.process.stdin?.write('summary\n')
    await this.until(() => this.of('summary').length > 0)
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await ended
    return new Set(Object.keys(this.of('summary')[0]?.arrivals as object))
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.stdin?.end()
    await ended
  }
}

export interface Ended {
  status: number | null
  signal: string | null
  stdout: string
  stderr: string
}

/** Runs a program to its end, which it has to reach within a minute. */
export function run(
  command: string[],
  cwd: string,
  variables: Record<string, string | undefined> = {},
): Promise<Ended> {
  const [program, ...words] = command as [string, ...string[]]
  const clean = Object.entries(process.env).filter(([name]) => !/^(OTEL_|NODE_OPTIONS|NODE_TEST)/.test(name))
  const child = spawn(program, words, {
    cwd,
    env: { ...Object.fromEntries(clean), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text
  })
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      output.stderr += '\n(killed: it did not end)'
      // With everything that it has started.
      if (child.pid !== undefined)
        process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL')
    }, BOUND)
    child.on('error', reject).on('close', (status, signal) => {
      clearTimeout(late)
      resolve({ status, signal, ...output })
    })
  })
}
