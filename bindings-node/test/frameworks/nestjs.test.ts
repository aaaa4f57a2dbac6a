// NestJS on Express, with a real server and client.

import { NestFactory } from '@nestjs/core'
import { Application, checkNest } from './nest_application'
import { running } from './web'

checkNest('nestjs', async () => {
  const app = await NestFactory.create(Application, { logger: false, bodyParser: false })
  ;(app as unknown as { useBodyParser(kind: string, options: object): void }).useBodyParser('json', {
    limit: '1mb',
  })
  await app.listen(0, '127.0.0.1')
  return running(app.getHttpServer())
})
