// Builds the entries beside the package's own: those that run where no engine does, each as one module for browsers and
// edge runtimes, and those of servers, which use the one copy of the code in `index.js`.
//
// Called by `build.mjs`; the test of the core's size calls `bundled`.

import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCES = join(here, 'ts')

/** What a page has in the place of larger modules. */
const smaller = {
  name: 'smaller',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/(shape|static_keys)$/ }, ({ path, importer }) =>
      dirname(importer).endsWith('core') ? { path: join(SOURCES, 'page', `${path}.ts`) } : undefined,
    )
  },
}

/** An entry that another one imports is not copied into it. */
const apart = (extension) => ({
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/(index|relay|browser|edge)$/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: path + extension, external: true },
    )
  },
})

/** The text of a module that exports what `contents` does; paths in it are those of `ts`. */
export async function bundled(contents, { minify = false, plugins = [], banner = '' } = {}) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: SOURCES, loader: 'ts' },
    bundle: true,
    minify,
    mangleProps: minify ? /^_./ : undefined,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    external: ['react'],
    plugins: [...plugins, smaller],
    banner: { js: banner },
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0].text
}

/** Of these, nothing runs on a server with an engine ... */
const PAGES = ['browser', 'edge', 'react', 'next_edge']
/** ... and these run nowhere else. */
const SERVERS = ['relay', 'next', 'next_relay']
/** Entries whose types are to be shipped. */
export const ENTRIES = [...PAGES, ...SERVERS]

/** Writes them all to `dist`. */
export async function buildEntries(dist, lib) {
  for (const entry of PAGES) {
    const banner = entry === 'react' ? "'use client'" : ''
    const text = await bundled(`export * from './${entry}.ts'`, { plugins: [apart('.mjs')], banner })
    writeFileSync(join(dist, `${entry}.mjs`), text)
  }
  await build({
    entryPoints: SERVERS.map((entry) => join(SOURCES, `${entry}.ts`)),
    outdir: dist,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    plugins: [apart('.js')],
    logLevel: 'warning',
  })
  mkdirSync(join(dist, 'linked'))
  const entries = {
    index: 'polyspan',
    opentelemetry: 'polyspan/opentelemetry',
    next: 'polyspan/next',
    ai_sdk: 'polyspan/ai-sdk',
    frameworks: 'polyspan/http',
  }
  for (const [file, name] of Object.entries({
    ...entries,
    relay: 'polyspan/relay',
    next_relay: 'polyspan/next/relay',
  }))
    writeFileSync(join(dist, 'linked', `${file}.mjs`), linked(name, join(lib, `${file}.js`)))
}

/** What a bundler of a server gets in the place of an entry: the real one, found when the program runs. A copy in each
 * bundle would have a current span of its own, and no addon beside it. */
function linked(name, module) {
  const require = createRequire(import.meta.url)
  const names = Object.keys(require(module)).filter((one) => !one.startsWith('_'))
  return `// ${name} for bundlers: see "Bundlers" in docs/node.md.
const { createRequire } = process.getBuiltinModule('module')

function real() {
  try {
    return found('')
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') throw error
    // As withPolyspan() has it written here: standalone output lacks the links by which pnpm has packages found.
    if (process.env.POLYSPAN_PACKAGE) return found(process.env.POLYSPAN_PACKAGE + '/')
    throw new Error('polyspan: ${name} is not installed beside the running program (' + process.cwd() + '); leave the package out of the bundle, in Next.js by withPolyspan() around the configuration', { cause: error })
  }
}

function found(place) {
  return createRequire(process.cwd() + '/' + place)('${name}')
}

export const { ${names.sort().join(', ')} } = real()
`
}
