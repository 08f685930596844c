/** The flags with which requests are sent: those of a URL, those of `exact-load run`, and what the two share. */
import { type Command, Option } from 'commander';
import { DEFAULT_PATTERN } from '../run/patterns.ts';
import {
  parseDuration,
  parseHeader,
  parseMethod,
  parseMoment,
  parseRate,
  parseRequests,
  parseShard,
  parseThresholdFlag,
  parseWhole,
  parseWorkers,
} from '../run/values.ts';
import { addAccess, addMetrics, addShared } from './prometheus-flags.ts';
import type { RunFlags, UrlFlags } from './run-command.ts';

const URL_HELP = `
Examples:
  $ exact-load http://127.0.0.1:3000/users/7 -r 200 -d 30s
  $ exact-load http://127.0.0.1:3000/users/7 -n 1000 -c 50
  $ exact-load https://127.0.0.1:3000/users -r 50 -b @user.json -H 'Authorization: Bearer ...' -k
  $ exact-load http://127.0.0.1:3000/users/7 -n 1000 \\
      -p http://127.0.0.1:9090 --job shop --route /users/:id    counted exactly once?
  $ exact-load run lab                            a pattern; see exact-load list`;

const RUN_HELP = `
Examples:
  $ exact-load run                                   the lab's requests to http://localhost:5001
  $ exact-load run steady --rate 500 --duration 10s  a built-in pattern, faster and shorter
  $ exact-load run steady --rate max -c 32           the closed loop: what can the target do?
  $ exact-load run ./checkout.yaml --threshold "p99<100ms"
  $ exact-load run mixed -p http://localhost:9090    with the verification
  $ exact-load run steady --rate 30000 --workers 4   from four processes

Latency counts from the moment at which a request should have left, so a target
that stalls cannot hide it. What finds no free connection is counted as dropped.`;

export function addUrl(program: Command, act: (url: string, flags: UrlFlags) => Promise<void>): void {
  program
    .argument('[url]', 'where the load goes, such as http://127.0.0.1:3000/users/7')
    .option('-n, --requests <n>', 'exactly so many, instead of --duration', parseRequests)
    .option('-r, --rate <per second>', 'of requests (default: as fast as the connections allow)', parseRate)
    .option('-d, --duration <time>', 'such as 30s (default: 10s); a body is -b', parseDuration)
    .option('-X, --method <method>', 'of the requests (default: GET, with a body POST)', parseMethod)
    .option('-H, --header <line>', 'as "Name: value"; may be repeated', parseHeader)
    .option('-b, --body <text>', 'a text; @file for that of a file, @- for standard input');
  addSending(program);
  addVerification(program).option(
    '--route <label>',
    'the route under which the target counts the requests, such as /users/:id',
  );
  program.addHelpText('after', URL_HELP).action((url: string | undefined, flags: UrlFlags) => {
    if (url === undefined) return program.help({ error: true });
    return act(url, flags);
  });
}

export function addRun(program: Command, act: (names: string[], flags: RunFlags) => Promise<void>): void {
  const command = program.command('run');
  command
    .description('sends one pattern after the other')
    .addArgument(
      command
        .createArgument('[pattern...]', 'names (see `exact-load list`) or pattern files')
        .default([DEFAULT_PATTERN], DEFAULT_PATTERN),
    )
    .option('-t, --target <url>', 'where the load goes', 'http://localhost:5001')
    .option(
      '-r, --rate <per second>',
      'highest rate, or "max" for as fast as the connections allow',
      parseRate,
    )
    .option('-d, --duration <time>', 'length of a rate pattern, such as 30s', parseDuration);
  addSending(command);
  addVerification(command).addHelpText('after', RUN_HELP).action(act);
}

function addSending(command: Command): void {
  command
    .option('-c, --connections <n>', 'most requests in flight at a time', parseWhole)
    .option('--timeout <time>', 'for one request, connecting included (default: 10s)', parseDuration)
    .option('--seed <n>', 'another seed, another order', parseWhole, 1)
    .option('--trace', 'a traceparent for each request; the report lists the slowest with their ids')
    .addOption(
      new Option('--threshold <condition>', 'such as "p99<250ms", "errors<1%", "dropped=0"; may be repeated')
        .argParser((text, before: RunFlags['threshold']) => [...before, parseThresholdFlag(text)])
        .default([], 'those of the pattern'),
    )
    .option('-j, --json <file>', 'writes the report as JSON; "-" is standard output, without the summary')
    .option('--html <file>', 'writes the report as a page with charts; "-" as for --json')
    .option('-q, --quiet', 'no progress')
    .optionsGroup('Several processes, several machines:')
    .addOption(
      new Option('--workers <n>', 'processes that send together, for more than one core')
        .argParser(parseWorkers)
        .default(1),
    )
    .option(
      '--shard <i/n>',
      'send only every n-th request, from the i-th; see `exact-load combine`',
      parseShard,
    )
    .option('--start-at <time>', 'begin at that moment, so that shards begin together', parseMoment)
    .optionsGroup('TLS of the target:')
    .option('-k, --insecure', 'accept any certificate')
    .option('--cacert <file>', "certificate authorities, instead of Node's")
    .option('--cert <file>', 'a certificate of the client; needs --key')
    .option('--key <file>', 'its private key');
}

function addVerification(command: Command): Command {
  command
    .optionsGroup('Verification:')
    .option('-p, --prometheus <url>', 'compare what was sent with what this Prometheus holds')
    .addOption(new Option('--verify', 'compare (the default with --prometheus)').default(undefined))
    .option('--no-verify', 'do not compare')
    .option('--probe', 'then six requests that instrumentations get wrong, each verified by itself')
    .option('--ledger <folder>', 'keep the report there for `exact-load verify`; needs --prometheus')
    .option(
      '--only-on-fresh-api',
      'send nothing when the API has handled requests before; needs --prometheus',
    );
  return addAccess(addMetrics(addShared(command)));
}
