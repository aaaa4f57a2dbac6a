// What the entries for frameworks give is what the frameworks ask for, in programs that are compiled with
// `exactOptionalPropertyTypes`. Nothing of this runs.

import type { ObservabilityBridge, ObservabilityExporter } from '@mastra/core/observability'
import { Module } from '@nestjs/common'
import { registerTelemetry, type Telemetry, type wrapImageModel } from 'ai'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { imageMiddleware, telemetry } from 'polyspan/ai-sdk'
import { polyspanErrors, polyspanExpress } from 'polyspan/express'
import { polyspanFastify } from 'polyspan/fastify'
import { polyspanHono } from 'polyspan/hono'
import { handler } from 'polyspan/http'
import { PolyspanBridge, PolyspanExporter } from 'polyspan/mastra'
import { PolyspanModule } from 'polyspan/nestjs'
import { polyspanReactRouter } from 'polyspan/react-router'
import type { ServerInstrumentation } from 'react-router'

declare const ignore: ((request: { readonly path: string }) => boolean) | undefined
const integration: Telemetry = telemetry()
registerTelemetry(integration)
export const middleware: Parameters<typeof wrapImageModel>[0]['middleware'] = imageMiddleware()
express().use(polyspanExpress({ ignore })).use(polyspanErrors())
void fastify().register(polyspanFastify({ ignore }))
new Hono().use(polyspanHono({ ignore }))
export const serve = handler(async (request: Request) => new Response(request.url), { ignore })
export const bridge: ObservabilityBridge = new PolyspanBridge()
export const exporter: ObservabilityExporter = new PolyspanExporter()
@Module({ imports: [PolyspanModule.forRoot({ ignore })] })
export class App {}
export const instrumentations: ServerInstrumentation[] = [polyspanReactRouter({ ignore })]
