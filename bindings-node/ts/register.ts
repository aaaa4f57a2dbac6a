// `node --import polyspan/register app.mjs`, or `--require`: the engine as the provider of the OpenTelemetry API,
// configured by `OTEL_*` alone.

import { say } from './log'
import { TracerProvider } from './opentelemetry'

try {
  new TracerProvider().register()
} catch (error) {
  // A program must start without its telemetry too.
  say(`polyspan: nothing is recorded: ${error instanceof Error ? error.message : String(error)}`)
}
