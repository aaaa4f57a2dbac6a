// Finding the native addon: the file beside the code in a checkout, else the package of this platform.
//
// `native.ts` calls it once, with the first thing that needs the engine. It uses the real `require` of Node, with names
// that are put together when the program runs: bundlers turn a plain `require('./x.node')` into something that fails
// (docs/node.md, "Bundlers").

import type * as Fs from 'node:fs'
import type * as Module from 'node:module'
import { PolyspanError } from './error'

const FILE = 'polyspan.node'
const SCOPE = '@polyspan/'

/** For each platform the endings that its packages may have; `platforms.json` says what they hold. */
const PLATFORMS: Record<string, string[]> = {
  darwin: [''],
  // Which C library there is would take longer to ask than a package that fits takes to load, and another
  // library's addon does not load.
  linux: ['-gnu', '-musl'],
  win32: ['-msvc'],
}
const PROCESSORS = ['x64', 'arm64']

/** The addon's exports. Throws `PolyspanError` (`resource`) that says what to install. */
export function loadAddon(): unknown {
  const here = typeof __filename === 'string' ? __filename : undefined
  if (here !== undefined) {
    const own = `${__dirname}/../${FILE}`
    if (exists(own)) return open(own)
  }
  const failures: string[] = []
  for (const name of packages()) {
    if (here !== undefined) {
      // Where `createRequire(here)(name)` would find it first, in fewer steps: inside this package, or beside it.
      const place = [`${__dirname}/../node_modules/`, `${__dirname}/../../`].find((place) =>
        exists(`${place}${name}/${FILE}`),
      )
      try {
        if (place !== undefined) return open(`${place}${name}/${FILE}`)
      } catch {
        // It is said below why not.
      }
    }
    const { createRequire } = builtin('module') as typeof Module
    // Where this code is part of a bundle its own place is not that of the package: the program's may be.
    for (const from of [here, process.argv[1]]) {
      if (from === undefined) continue
      try {
        return createRequire(from)(name)
      } catch (error) {
        if (!isMissing(error)) failures.push(`${name}: ${error instanceof Error ? error.message : error}`)
      }
    }
  }
  throw new PolyspanError('resource', unavailable(failures))
}

/** What `require` makes of an addon, in fewer steps. On Windows it puts the path in order first. */
function open(file: string): unknown {
  if (process.platform === 'win32') return (builtin('module') as typeof Module).createRequire(file)(file)
  const module = { exports: {} }
  process.dlopen(module, file)
  return module.exports
}

function exists(file: string): boolean {
  return (builtin('fs') as typeof Fs).existsSync(file)
}

/** A module of Node's own, without a `require` that bundlers would follow where there is another way. */
export function builtin(name: 'fs' | 'module' | 'worker_threads'): unknown {
  const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown }
  if (getBuiltinModule !== undefined) return getBuiltinModule(`node:${name}`)
  if (name === 'worker_threads') return require('node:worker_threads')
  return name === 'fs' ? require('node:fs') : require('node:module')
}

/** The packages that may hold the addon for this platform. */
function packages(): string[] {
  const { platform, arch } = process
  const endings = PROCESSORS.includes(arch) ? PLATFORMS[platform] : undefined
  return (endings ?? []).map((ending) => `${SCOPE}${platform}-${arch}${ending}`)
}

function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  // A made-up file name is what some bundlers have for `__filename`.
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_INVALID_ARG_VALUE'
}

function unavailable(failures: string[]): string {
  const { platform, arch } = process
  const named = packages()
  const place =
    platform === 'linux' ? `linux ${arch} (${isGlibc() ? 'glibc' : 'musl'})` : `${platform} ${arch}`
  if (failures.length > 0) {
    return `addon: the native addon for ${place} cannot be loaded:\n  ${failures.join('\n  ')}`
  }
  if (named.length === 0) {
    const systems = 'Linux (glibc or musl), macOS and Windows on x64 and arm64'
    return `addon: there is none for ${place}; polyspan runs on ${systems}`
  }
  const wanted = named.length === 1 || isGlibc() ? named[0] : named[1]
  return (
    `addon: ${wanted}, the native addon for ${place}, is not installed. It is an optional dependency of polyspan: ` +
    'install without `--omit=optional`, on the platform where the program runs, or name it in package.json. A program ' +
    'that is bundled has to leave polyspan out of the bundle (docs/node.md, "Bundlers")'
  )
}

function isGlibc(): boolean {
  const { report } = process as { report?: { excludeNetwork?: boolean; getReport(): unknown } }
  if (report === undefined) return true
  report.excludeNetwork = true
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime !== undefined
}
