// NestJS on Express, with a real server and client.

import 'reflect-metadata'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import {
  Body,
  type CanActivate,
  Controller,
  Get,
  Header,
  HttpCode,
  Module,
  Param,
  Post,
  StreamableFile,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { span } from 'polyspan'
import { PolyspanModule } from 'polyspan/nestjs'
import { eventually } from './recorded'
import { check, endless, ignore, pieces, type Running, running, torn } from './web'

class Refusing implements CanActivate {
  canActivate(): boolean {
    return false
  }
}

@Controller()
class Routes {
  @Get('users/:id')
  user(@Param('id') id: string): object {
    return span('load', () => ({ id }))
  }

  @Post('echo')
  @HttpCode(200)
  echo(@Body() body: object): object {
    return span('work', () => body)
  }

  @Get('boom')
  async boom(): Promise<void> {
    throw new RangeError('broken')
  }

  @Get('teapot')
  @HttpCode(418)
  teapot(): void {}

  @Get('stream')
  @Header('content-type', 'text/plain')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(pieces((at) => span(`piece ${at}`, () => undefined))))
  }

  @Get('breaks')
  breaks(): StreamableFile {
    return new StreamableFile(Readable.from(torn()))
  }

  @Get('endless')
  endless(): StreamableFile {
    return new StreamableFile(Readable.fromWeb(endless() as never))
  }

  @Get('health')
  health(): string {
    return 'ok'
  }

  @Get('refused/:id')
  @UseGuards(Refusing)
  refused(): void {}
}

@Module({ imports: [PolyspanModule.forRoot({ ignore })], controllers: [Routes] })
class Application {}

let server: Running
check('nestjs', async () => {
  const app = await NestFactory.create(Application, { logger: false, bodyParser: false })
  ;(app as unknown as { useBodyParser(kind: string, options: object): void }).useBodyParser('json', {
    limit: '1mb',
  })
  await app.listen(0, '127.0.0.1')
  server = running(app.getHttpServer())
  return server
})

test('nestjs: a guard that refuses', async () => {
  await (await fetch(`http://127.0.0.1:${server.port}/refused/7`)).arrayBuffer()
  const [request] = await eventually(1)
  assert.deepEqual(
    [request?.name, request?.status, request?.attributes['http.response.status_code']],
    ['GET /refused/:id', 'unset', 403],
  )
})
