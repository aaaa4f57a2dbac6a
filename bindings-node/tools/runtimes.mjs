// The JavaScript runtimes that the package is tried in, from npm, in a folder of the cache.
//
// `runtimes(cache)` installs them unless that has been done, and returns for each its name and the command that runs a
// program.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NODE = { node20: '20.20.2', node22: '22.23.3', node24: '24.21.0', node26: '26.10.0' }
const BUN = '1.4.5'
const DENO = '2.9.6'

/** What each is called in the registry for a platform, and where its program lies. */
function wanted() {
  const { platform, arch } = process
  const ending = platform === 'win32' ? '.exe' : ''
  const os = platform === 'win32' ? 'win' : platform
  const found = Object.entries(NODE).map(([name, version]) => ({
    name,
    source: `npm:node-${os}-${arch}@${version}`,
    program: `bin/node${ending}`,
    flags: [],
  }))
  const bun = `${platform === 'win32' ? 'windows' : platform}-${arch === 'arm64' ? 'aarch64' : arch}`
  found.push({ name: 'bun', source: `npm:@oven/bun-${bun}@${BUN}`, program: `bin/bun${ending}`, flags: [] })
  const deno = `${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`
  found.push({
    name: 'deno',
    source: `npm:@deno/${deno}@${DENO}`,
    program: `deno${ending}`,
    flags: ['run', '-A'],
  })
  return found
}

export function runtimes(cache) {
  const chosen = wanted()
  const dependencies = Object.fromEntries(chosen.map(({ name, source }) => [name, source]))
  const manifest = JSON.stringify({ private: true, dependencies })
  const key = createHash('sha256').update(manifest).digest('hex').slice(0, 12)
  const folder = join(cache, `node-runtimes-${key}`)
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true })
    // Moved to its name when it is complete; another run may be doing the same.
    const place = mkdtempSync(`${folder}-`)
    writeFileSync(join(place, 'package.json'), manifest)
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const installed = spawnSync(npm, ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
      cwd: place,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    })
    if (installed.status !== 0) {
      rmSync(place, { recursive: true, force: true })
      throw new Error(`the runtimes cannot be installed: ${installed.error ?? installed.stderr}`)
    }
    try {
      renameSync(place, folder)
    } catch (error) {
      if (!existsSync(folder)) throw error
      rmSync(place, { recursive: true, force: true })
    }
  }
  return chosen.map(({ name, program, flags }) => ({
    name,
    command: [join(folder, 'node_modules', name, program), ...flags],
  }))
}
