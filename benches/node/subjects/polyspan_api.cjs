// Polyspan behind the OpenTelemetry API.

const ApiSubject = require('./opentelemetry_api.cjs')
const { account, options } = require('./polyspan.cjs')

class Subject extends ApiSubject {
  constructor(setup) {
    super()
    const { TracerProvider } = setup.load('polyspan/opentelemetry')
    this.provider = new TracerProvider(options(setup))
    this.provider.register()
    this.tracer = this.provider.getTracer('bench')
  }

  flush() {
    return this.provider.forceFlush({ timeout: 30 })
  }

  async stop() {
    await this.provider.shutdown({ timeout: 30 })
    return account(this.provider.stats())
  }
}

module.exports = Subject
