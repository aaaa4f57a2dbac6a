// The entries for web frameworks and Mastra, `polyspan/express`, `/fastify`, `/hono`, `/nestjs`, `/react-router`, `/http`
// and `/mastra`: one module for all, which is small and has what they share once.

export { type ExpressRequest, polyspanErrors, polyspanExpress } from './express'
export { polyspanFastify } from './fastify'
export { polyspanHono } from './hono'
export { handler, setRoute } from './http'
export type { HttpOptions } from './http_exchange'
export type { NodeRequest, NodeResponse } from './http_node'
export { PolyspanBridge, PolyspanExporter } from './mastra'
export { PolyspanModule } from './nestjs'
export { polyspanReactRouter } from './react_router'
