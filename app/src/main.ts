/**
 * The process, or each process if `API_WORKERS` is above 1: environment, log, signals, exit codes. 0 after SIGTERM or SIGINT, 1 if
 * it cannot listen on a port or a second signal interrupts the draining, 2 if the configuration is wrong.
 */
import cluster from 'node:cluster';
import pino, { type Logger } from 'pino';
import { type Config, ConfigError, parseConfig } from './config.ts';
import { startPrimary } from './primary.ts';
import { routes } from './routes.ts';
import { startService, startWorker, type Worker } from './service.ts';

const config = readConfig();
// Written synchronously to standard error: there are few lines, and none of them may be lost when the process exits.
const log = pino({ level: config.LOG_LEVEL }, pino.destination({ fd: 2, sync: true }));
await run(config, log);

function readConfig(): Config {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

function start(config: Config, log: Logger): Promise<Worker> {
  if (cluster.isWorker) return startWorker(config, routes, log, Number(process.env.METRICS_RELAY_PORT));
  return config.API_WORKERS > 1 ? startPrimary(config, log) : startService(config, routes, log);
}

async function run(config: Config, log: Logger): Promise<void> {
  const { stop: stopService, ...ports } = await start(config, log).catch((error: Error) => {
    log.fatal(error.message);
    process.exit(1);
  });
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    // A worker gets one signal from the terminal and one from its primary, so the second must not end it.
    if (stopping) return cluster.isWorker ? undefined : process.exit(1);
    stopping = true;
    log.info({ signal, graceMs: config.SHUTDOWN_GRACE_MS }, 'draining; a second signal exits immediately');
    const { drained, scraped } = await stopService();
    if (!drained) log.warn('requests still in progress after the grace period were aborted');
    if (scraped === false)
      log.warn('not every Prometheus scraped again; it lacks the requests since its last scrape');
    log.info('stopped');
    // Simulated delays of aborted requests may still be pending.
    process.exit(0);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  log.info(ports, 'ready');
}
