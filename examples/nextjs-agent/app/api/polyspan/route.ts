// Takes the spans of pages and edge functions.
export { OPTIONS, POST } from 'polyspan/next/relay'
