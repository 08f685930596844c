/**
 * The process: environment, log, signals, exit codes. 0 after SIGTERM or SIGINT, 1 when a port cannot be listened on or a
 * second signal interrupts the draining, 2 when the configuration is wrong.
 */
import pino, { type Logger } from 'pino';
import { type Config, ConfigError, parseConfig } from './config.ts';
import { routes } from './routes.ts';
import { startService } from './service.ts';

const config = readConfig();
// Standard error, written synchronously: few lines, and none may be lost when the process ends.
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

async function run(config: Config, log: Logger): Promise<void> {
  const service = await startService(config, routes, log).catch((error: Error) => {
    log.fatal(error.message);
    process.exit(1);
  });
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal, graceMs: config.SHUTDOWN_GRACE_MS }, 'draining; a second signal ends at once');
    const { drained, scraped } = await service.stop();
    if (!drained) log.warn('requests still in progress after the grace time were cut');
    if (scraped === false) log.warn('no last scrape came; what was counted since the one before is lost');
    log.info('stopped');
    // Simulated delays of requests that were cut may still be pending.
    process.exit(0);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  log.info({ apiPort: service.apiPort, metricsPort: service.metricsPort }, 'ready');
}
