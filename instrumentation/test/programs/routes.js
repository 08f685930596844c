// The routes of the programs' workers, with user-defined metrics of each kind, and the commands of tests.
import process from 'node:process';
import { threadId } from 'node:worker_threads';
import { Counter, Gauge, Histogram, Summary } from '@prometheus-io/client';

export function defineRoutes(app, registry, id) {
  const own = { help: 'Defined by the user', registers: [registry] };
  const jobs = new Counter({ ...own, name: 'jobs_total', labelNames: ['kind'] });
  const sizes = new Histogram({ ...own, name: 'sizes', buckets: [1, 10] });
  const times = new Summary({ ...own, name: 'times', percentiles: [0.5] });
  const waits = new Summary({ ...own, name: 'waits', labelNames: ['kind'] });
  for (const kind of ['read', 'write']) waits.observe({ kind }, id);
  new Gauge({ ...own, name: 'level' }).set(id);
  for (const aggregator of ['sum', 'first', 'omit', 'average', 'min', 'max'])
    new Gauge({ ...own, name: `level_${aggregator}`, aggregator }).set(id);
  let isBroken = false;
  new Gauge({
    ...own,
    name: 'sometimes',
    collect() {
      if (isBroken) throw new Error('broken');
    },
  });

  app.use((_request, response, next) => {
    response.set('x-worker', `${process.pid} ${threadId}`);
    next();
  });
  app.get('/users/:id', (request, response) => {
    jobs.inc({ kind: 'user' });
    sizes.observe(Number(request.params.id));
    times.observe(Number(request.params.id));
    response.end('user');
  });
  app.get('/fail', (_request, response) => response.status(503).end());
  app.get('/late/:ms', (request, response) => setTimeout(() => response.end(), Number(request.params.ms)));
  app.get('/stop-primary', (_request, response) =>
    response.end(() => {
      process.kill(process.ppid, 'SIGSTOP');
      const fill = () => process.send('x'.repeat(1_000_000)) && setImmediate(fill);
      fill();
    }),
  );
  app.get('/break', (_request, response) => {
    isBroken = true;
    response.end();
  });
  app.get('/reset', (_request, response) => {
    jobs.reset();
    response.end();
  });
  app.get('/exit', (_request, response) => response.end(() => process.exit(3)));
  app.get('/throw', (_request, response) =>
    response.end(() => {
      throw new Error('thrown on purpose');
    }),
  );
}

/** Runs the commands of the test that started the program, and ends with it. */
export function obey(commands) {
  process.on('message', async ({ id, name, value }) => {
    const result = await commands[name](value);
    process.send?.({ id, result });
  });
  process.on('disconnect', () => process.exit());
}
