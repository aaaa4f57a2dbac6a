// The application that the tests of NestJS start, on Express and on Fastify.

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
import { span } from 'polyspan'
import { PolyspanModule } from 'polyspan/nestjs'
import { eventually } from './recorded'
import { check, endless, ignore, pieces, type Running, torn } from './web'

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
export class Application {}

/** Tests the application as `serve` starts it. */
export function checkNest(platform: string, serve: () => Promise<Running>): void {
  let server: Running
  check(platform, async () => {
    server = await serve()
    return server
  })

  test(`${platform}: a guard that refuses`, async () => {
    await (await fetch(`http://127.0.0.1:${server.port}/refused/7`)).arrayBuffer()
    const [request] = await eventually(1)
    assert.deepEqual(
      [request?.name, request?.status, request?.attributes['http.response.status_code']],
      ['GET /refused/:id', 'unset', 403],
    )
  })
}
