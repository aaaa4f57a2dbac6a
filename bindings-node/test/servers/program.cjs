// A client of a database or broker under OpenTelemetry's instrumentation packages, for `stock.test.ts`. Prints the spans
// that were recorded.
//
//     POLYSPAN_SERVERS=FOLDER node program.cjs stock|polyspan ioredis|pg|amqplib|kafkajs PORT

const { createRequire } = require('node:module')
const { join } = require('node:path')
const { recording } = require('../sdk3/recording.cjs')

const load = createRequire(join(process.env.POLYSPAN_SERVERS, 'x.js'))
const [way, library, port] = process.argv.slice(2)
const { spans, inside } = recording(load, way)
const host = '127.0.0.1'
/** What this run leaves on the server is its own; the name is not compared. */
const own = (name) => `${name}-${way}`

const { registerInstrumentations } = load('@opentelemetry/instrumentation')
const { AmqplibInstrumentation } = load('@opentelemetry/instrumentation-amqplib')
const { IORedisInstrumentation } = load('@opentelemetry/instrumentation-ioredis')
const { KafkaJsInstrumentation } = load('@opentelemetry/instrumentation-kafkajs')
const { PgInstrumentation } = load('@opentelemetry/instrumentation-pg')
registerInstrumentations({
  instrumentations: [
    new AmqplibInstrumentation(),
    new IORedisInstrumentation(),
    new KafkaJsInstrumentation(),
    new PgInstrumentation({ enhancedDatabaseReporting: true }),
  ],
})

async function ioredis() {
  const { Redis } = load('ioredis')
  await inside('redis', async () => {
    const client = new Redis({ host, port: Number(port) })
    await client.set(own('order'), 'seven')
    await client.get(own('order'))
    await client.pipeline().incr(own('count')).expire(own('count'), 60).exec()
    await client.multi().hset(own('hash'), 'key', 'value').hgetall(own('hash')).exec()
    await inside('refused', () => client.lpush(own('order'), 'not a list'))
    await client.quit()
  })
}

async function pg() {
  const { Client, Pool } = load('pg')
  const place = { host, port: Number(port), user: 'app', database: 'postgres' }
  await inside('client', async () => {
    const client = new Client(place)
    await client.connect()
    await client.query('CREATE TEMPORARY TABLE orders (id int, item text)')
    await client.query('INSERT INTO orders VALUES ($1, $2)', [7, 'tea'])
    await client.query({ name: 'found', text: 'SELECT item FROM orders WHERE id = $1', values: [7] })
    await inside('refused', () => client.query('SELECT item FROM nowhere'))
    await new Promise((resolve) => client.query('SELECT 1', resolve))
    await client.end()
  })
  await inside('pool', async () => {
    const pool = new Pool({ ...place, max: 1 })
    await pool.query('SELECT now()')
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('ROLLBACK')
    client.release()
    await pool.end()
  })
}

async function amqplib() {
  const { connect } = load('amqplib')
  const connection = await connect(`amqp://guest:guest@${host}:${port}`)
  const channel = await connection.createConfirmChannel()
  const queue = own('orders')
  await channel.assertQueue(queue)
  await inside('publish', async () => {
    for (const order of ['taken', 'refused']) channel.sendToQueue(queue, Buffer.from(order))
    await channel.waitForConfirms()
    channel.publish('', own('nowhere'), Buffer.from('lost'))
    await channel.waitForConfirms()
  })
  await new Promise((resolve, reject) => {
    const settle = async (message) => {
      const order = message.content.toString()
      await inside(`work on ${order}`, () => new Promise((done) => setImmediate(done)))
      if (order === 'taken') return channel.ack(message)
      channel.nack(message, false, false)
      resolve()
    }
    channel.consume(queue, (message) => void settle(message).catch(reject)).catch(reject)
  })
  await channel.deleteQueue(queue)
  await channel.close()
  await connection.close()
}

async function kafkajs() {
  const { Kafka, logLevel, Partitioners } = load('kafkajs')
  const client = new Kafka({ clientId: 'shop', brokers: [`${host}:${port}`], logLevel: logLevel.ERROR })
  const topic = own('orders')
  const admin = client.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
  await admin.disconnect()

  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await inside('send', () =>
    producer.send({ topic, messages: [{ key: 'a', value: 'seven', headers: { tenant: 'acme' } }] }),
  )
  await producer.disconnect()

  const consumer = client.consumer({ groupId: own('billing') })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise((resolve, reject) => {
    const eachMessage = async ({ message }) => {
      await inside(`work on ${message.value}`, () => new Promise((done) => setImmediate(done)))
      resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  // It waits for the message that it works on.
  await consumer.stop()
  await consumer.disconnect()
}

async function main() {
  await { ioredis, pg, amqplib, kafkajs }[library]()
  process.stdout.write(JSON.stringify(await spans()).replaceAll(`-${way}`, ''))
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
