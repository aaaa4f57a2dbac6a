// What a program preloads that makes some of its instrumentations itself.

import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'

const requestHook = (span) => span.setAttribute('made.by', 'the program')
new HttpInstrumentation({ requestHook })
new UndiciInstrumentation({ requestHook })
new ExpressInstrumentation({ requestHook })
