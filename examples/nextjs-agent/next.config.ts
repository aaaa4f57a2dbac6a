import type { NextConfig } from 'next'
import { withPolyspan } from 'polyspan/next'

const config: NextConfig = {
  // A server with all that it needs, to be copied somewhere: `node .next/standalone/server.js`.
  output: process.env.STANDALONE === '1' ? 'standalone' : undefined,
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
}

export default withPolyspan(config)
