/** A NestJS application on Express, made without decorators, which the tests' compiler does not know. */
import 'reflect-metadata';
import { Controller, Get, HttpCode, HttpException, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

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

export function createNest() {
  const { prototype } = CatsController;
  const on = (method: 'one' | 'create', ...decorators: MethodDecorator[]) => {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor;
    for (const decorate of decorators) decorate(prototype, method, descriptor);
  };
  on('one', Get(':id'));
  Param('id')(prototype, 'one', 0);
  on('create', Post(), HttpCode(201));
  Controller('cats')(CatsController);
  Module({ controllers: [CatsController] })(AppModule);
  return NestFactory.create(AppModule, { logger: false });
}
