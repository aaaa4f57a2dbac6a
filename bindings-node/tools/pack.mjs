// Packs what npm publishes: the package, and one package for each platform whose addon is given.
//
//     node tools/pack.mjs FOLDER [PLATFORM=ADDON...]
//
// A PLATFORM is a name of `platforms.json`, or `here`. `tools/build.mjs` has built `dist` before. FOLDER gets one tarball per package, and the staged files in `staged/`.
// The package names every platform of `platforms.json` as an optional dependency, so that npm, pnpm and yarn install the
// one that fits; they stand only in what is published, because in a checkout the addon lies beside the code.

import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const [folder, ...given] = process.argv.slice(2)
if (folder === undefined) throw new Error('which folder?')
const out = resolve(folder)
const platforms = JSON.parse(readFileSync(join(here, 'platforms.json'), 'utf8'))
const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
const addonName = (platform) => `@polyspan/${platform.name}`
const shared = ['version', 'license', 'author', 'repository']

rmSync(out, { recursive: true, force: true })
for (const pair of given) {
  const [name, addon] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
  const platform = platforms.find((one) => (name === 'here' ? isHere(one) : one.name === name))
  if (platform === undefined) throw new Error(`there is no platform ${name}`)
  const staged = stage(platform.name)
  copyFileSync(addon, join(staged, 'polyspan.node'))
  const { os, cpu, libc } = platform
  pack(staged, {
    name: addonName(platform),
    description: `The native addon of polyspan for ${platform.name}`,
    ...Object.fromEntries(shared.map((key) => [key, manifest[key]])),
    main: 'polyspan.node',
    files: ['polyspan.node'],
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    engines: manifest.engines,
  })
}

const staged = stage('polyspan')
cpSync(join(here, 'dist'), join(staged, 'dist'), { recursive: true })
copyFileSync(join(here, 'README.md'), join(staged, 'README.md'))
const { devDependencies, scripts, ...published } = manifest
pack(staged, {
  ...published,
  files: ['dist'],
  optionalDependencies: Object.fromEntries(platforms.map((one) => [addonName(one), manifest.version])),
})

function isHere({ os, cpu, libc }) {
  const here = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
  return os === process.platform && cpu === process.arch && (libc === undefined || libc === here)
}

function stage(name) {
  const place = join(out, 'staged', name)
  mkdirSync(place, { recursive: true })
  copyFileSync(join(here, '..', 'LICENSE'), join(place, 'LICENSE'))
  return place
}

function pack(place, contents) {
  writeFileSync(join(place, 'package.json'), `${JSON.stringify(contents, null, 2)}\n`)
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  // A shell, because Windows starts no `.cmd` without one.
  const packed = spawnSync(npm, ['pack', '--silent', '--pack-destination', out], {
    cwd: place,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (packed.status !== 0)
    throw new Error(`npm pack of ${contents.name} failed: ${packed.error ?? packed.stderr}`)
  console.log(join(out, packed.stdout.trim()))
}
