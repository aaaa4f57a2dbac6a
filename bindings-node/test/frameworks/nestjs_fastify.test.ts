// NestJS on Fastify, with a real server and client.

import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { Application, checkNest } from './nest_application'
import { running } from './web'

checkNest('nestjs on fastify', async () => {
  const adapter = new FastifyAdapter()
  const app = await NestFactory.create<NestFastifyApplication>(Application, adapter, { logger: false })
  await app.listen(0, '127.0.0.1')
  return running(app.getHttpServer())
})
