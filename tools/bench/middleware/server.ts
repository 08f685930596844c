/** Serves an application, instrumented: `server.ts <variant> <routes or case>`; its metrics on a port of their own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { serve } from '../lib/serve.ts';
import { subjects } from './apps.ts';
import { cases } from './cases.ts';
import { variantOf } from './variants.ts';

const [name, what = ''] = process.argv.slice(2);
const known = { ...subjects, ...cases };
const subject = known[what];
if (!subject) throw new Error(`expected ${Object.keys(known).join(', ')}, got "${what}"`);
const app = express();
app.disable('etag').disable('x-powered-by');
// What handlers throw on purpose is not for the terminal.
app.set('env', 'test');
const scrape = await variantOf(name).instrument(app);
subject.build(app);

const metrics = createServer(scrape ?? ((_request, response) => response.writeHead(404).end()));
metrics.listen(0, '127.0.0.1');
serve(app, {
  metrics: () => (metrics.address() as AddressInfo).port,
  // What is kept, after what is garbage has gone (`--expose-gc`).
  memory() {
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed };
  },
});
