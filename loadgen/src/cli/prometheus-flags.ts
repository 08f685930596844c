/** The flags for commands that use Prometheus. */
import { type Command, Option } from 'commander';
import { parseDuration } from '../run/values.ts';

export function addShared(command: Command): Command {
  return command
    .option('--job <name>', "the API's job in Prometheus", 'api')
    .addOption(
      new Option('--wait <time>', 'how long to wait for the target, for Prometheus and for a scrape')
        .argParser(parseDuration)
        .default(30_000, '30s'),
    );
}

export function addMetrics(command: Command): Command {
  return command
    .option('--metrics <preset>', 'a preset, a counter, a file with a mapping, or auto (default)')
    .option(
      '--ignore-route <label>',
      'ignore this route of other traffic, for example scrapes; may be repeated',
      (label: string, before: readonly string[] = []) => [...before, label],
    );
}

export function addAccess(command: Command): Command {
  return command
    .option('--prometheus-token-file <file>', 'a bearer token for Prometheus (or PROMETHEUS_TOKEN=<token>)')
    .option('--prometheus-ca-file <file>', "certificate authorities for Prometheus, instead of the system's");
}
