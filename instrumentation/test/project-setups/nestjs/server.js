// A NestJS application without decorators, which would need a compiler. It sends itself requests and prints the counts.
import 'reflect-metadata';
import { Controller, Get, HttpCode, HttpException, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { instrument } from 'express-exact-metrics';

class CatsController {
  one(id) {
    if (id === 'none') throw new HttpException('no such cat', 404);
    return { id };
  }
  create() {
    return 'created';
  }
}
class AppModule {}

const { prototype } = CatsController;
function decorate(method, ...decorators) {
  for (const decorator of decorators)
    decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}
decorate('one', Get(':id'));
Param('id')(prototype, 'one', 0);
decorate('create', Post(), HttpCode(201));
Controller('cats')(CatsController);
Module({ controllers: [CatsController] })(AppModule);

const nest = await NestFactory.create(AppModule, { logger: false });
const { registry } = instrument(nest.getHttpAdapter().getInstance(), { defaultMetrics: false });
await nest.listen(0, '127.0.0.1');
const url = await nest.getUrl();
for (const path of ['/cats/7', '/cats/7', '/cats/none', '/nowhere']) await (await fetch(url + path)).text();
await (await fetch(`${url}/cats`, { method: 'POST' })).text();
await nest.close();
const counted = (await registry.metrics()).matchAll(
  /^http_request_duration_seconds_count\{path="(.*)",method="(.*)",code="(.*)"\} ([1-9].*)$/gm,
);
console.log(
  JSON.stringify(
    Array.from(counted, ([, path, method, code, count]) => `${method} ${path} ${code}: ${count}`),
  ),
);
