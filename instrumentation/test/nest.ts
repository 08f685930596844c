/** A NestJS application on Express, made without decorators, which the tests' compiler does not know. */
import 'reflect-metadata';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  Controller,
  Get,
  HttpCode,
  HttpException,
  type INestApplication,
  Module,
  Param,
  Post,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { instrument } from '../src/index.ts';

class CatsController {
  one(id: string) {
    if (id === 'none') throw new HttpException('no such cat', 404);
    return { id };
  }
  create() {
    return 'created';
  }
}

class AppModule {}

function decorate(): void {
  const { prototype } = CatsController;
  const on = (method: 'one' | 'create', decorator: MethodDecorator) =>
    decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor);
  on('one', Get(':id'));
  Param('id')(prototype, 'one', 0);
  on('create', Post());
  on('create', HttpCode(201));
  Controller('cats')(CatsController);
  Module({ controllers: [CatsController] })(AppModule);
}

export async function startNest() {
  decorate();
  const nest: INestApplication = await NestFactory.create(AppModule, { logger: false });
  const metrics = instrument(nest.getHttpAdapter().getInstance(), { defaultMetrics: false });
  await nest.listen(0, '127.0.0.1');
  const metricsServer = metrics.listen(0, '127.0.0.1');
  await once(metricsServer, 'listening');
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${portOf(nest.getHttpServer())}`,
    scrape: async () => (await fetch(`http://127.0.0.1:${portOf(metricsServer)}/`)).text(),
    async close() {
      await nest.close();
      metricsServer.close();
      metricsServer.closeAllConnections();
    },
  };
}
