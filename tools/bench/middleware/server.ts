/**
 * Serves an instrumented application: `server.ts <variant> <routes>`, with metrics on a separate port. A child process of
 * `lib/server-process.ts`: sends both ports to it, reports resource use on request, and exits with it.
 */
import { createServer, type RequestListener } from 'node:http';
import express from 'express';
import { portOf } from '../../../test/support/server.ts';
import type { Usage } from '../lib/server-process.ts';
import { subjects } from './apps.ts';
import { variantOf } from './variants.ts';

const [name, size = ''] = process.argv.slice(2);
const subject = subjects[size];
if (!subject) throw new Error(`expected ${Object.keys(subjects).join(', ')}, got "${size}"`);
const app = express();
app.disable('etag').disable('x-powered-by');
const scrape = await variantOf(name).instrument(app);
subject.build(app);

const listen = (listener: RequestListener) => portOf(createServer(listener).listen(0, '127.0.0.1'));

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system, atMs: performance.now() } satisfies Usage);
});
process.on('disconnect', () => process.exit(0));
process.send?.([
  await listen(app),
  await listen(scrape ?? ((_request, response) => response.writeHead(404).end())),
]);
