// The engine in the Node.js runtime, the small core in the edge runtime; configured by OTEL_*.
export { onRequestError, register } from 'polyspan/next'
