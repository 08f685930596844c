/** Runs tables of routes and requests on the oldest and the newest Express 4 and 5, instrumented before and after. */
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { Express, NextFunction, Request, Response, Router } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { startApp } from './harness.ts';

export { ok } from './harness.ts';

const require = createRequire(import.meta.url);
type ExpressModule = typeof import('express');
export const versions = (
  [
    ['4.18', 'express-4-18'],
    ['4.latest', 'express-4'],
    ['5.0', 'express-5-0'],
    ['5.latest', 'express'],
  ] as const
).map(([name, id]) => ({ name, express: require(id) as ExpressModule, major: name.startsWith('4') ? 4 : 5 }));

export const pass = (_request: Request, _response: Response, next: NextFunction) => next();
export const fail = (): never => {
  throw new Error('thrown by the test');
};
export const refuse = (code: number) => (_request: Request, response: Response) =>
  void response.status(code).send('no');

/** A wildcard and an optional segment, in the syntax of Express 4 or 5. */
export const spelled = (major: number) =>
  major === 4 ? { all: '*', optional: '/:b?' } : { all: '*path', optional: '{/:b}' };

interface Build {
  readonly app: Express;
  readonly express: ExpressModule;
  readonly router: () => Router;
  readonly major: number;
}

/** The routes to build, and the expected `method path code` of each request line. */
export type Row = readonly [
  name: string,
  build: (parts: Build) => void,
  expected: Readonly<Record<string, string>> | ((major: number) => Readonly<Record<string, string>>),
];

/** Express 5.0 to 5.2 do not keep the path of a mount that was made before the application was instrumented. */
const LATE_IN_EARLY_5: Readonly<Record<string, string>> = {
  'get /^\\/v\\d+//x 200': 'get (expression)/x 200',
};

export function testRows(rows: readonly Row[]): void {
  describe.each(versions)('Express $name', ({ name: version, express, major }) => {
    describe.each([
      ['before', false],
      ['after', true],
    ])('instrumented %s its routes', (_when, isLate) => {
      it.each(rows)('counts %s', async (_name, build, given) => {
        const app = await startApp(
          (application) => void build({ app: application, express, router: express.Router, major }),
          { createApp: express, isLate, warn: () => undefined },
        );
        const expected: Record<string, number> = {};
        const client = await connectRaw(app.port);
        let sent = 0;
        // Twice, because the package learns from the first requests.
        for (const _ of [1, 2]) {
          for (const [request, wanted] of Object.entries(
            typeof given === 'function' ? given(major) : given,
          )) {
            const series = version === '5.0' && isLate ? (LATE_IN_EARLY_5[wanted] ?? wanted) : wanted;
            expected[series] = (expected[series] ?? 0) + 1;
            client.send(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`);
            await client.responses(++sent);
          }
          expect((await app.settled(sent)).durations).toEqual(expected);
        }
      });
    });
  });
}
