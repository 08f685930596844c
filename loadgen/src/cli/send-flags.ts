/** The flags for sending requests: those of `exact-load <url>`, those of `exact-load run`, and shared ones. */
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
  $ exact-load run                                   the pattern lab, to http://localhost:5001
  $ exact-load run steady --rate 500 --duration 10s  a built-in pattern, faster and shorter
  $ exact-load run steady --rate max -c 32           a closed loop: as fast as the target can
  $ exact-load run ./checkout.yaml --threshold "p99<100ms"
  $ exact-load run mixed -p http://localhost:9090    with verification
  $ exact-load run steady --rate 30000 --workers 4   from four processes

Latency is measured from the time at which a request should have been sent, so a
stalling target cannot hide it. Without a free connection, patterns with rates drop
a request, and exact ones send it late.`;

export function addUrl(program: Command, act: (url: string, flags: UrlFlags) => Promise<void>): void {
  program
    .argument('[url]', 'the URL to request, for example http://127.0.0.1:3000/users/7')
    .option('-n, --requests <n>', 'the exact number of requests, instead of --duration', parseRequests)
    .option('-r, --rate <n>', 'requests per second (default: as fast as the connections allow)', parseRate)
    .option('-d, --duration <time>', 'for example 30s (default: 10s); for a body use -b', parseDuration)
    .option('-X, --method <method>', 'the HTTP method (default: GET, or POST with a body)', parseMethod)
    .option('-H, --header <line>', '"Name: value"; may be repeated', parseHeader)
    .option('-b, --body <text>', 'a string, @file for the content of a file, or @- for standard input');
  addSending(program);
  addVerification(program).option('--route <label>', 'the route label of the requests, such as /users/:id');
  program.addHelpText('after', URL_HELP).action((url: string | undefined, flags: UrlFlags) => {
    if (url === undefined) return program.help({ error: true });
    return act(url, flags);
  });
}

export function addRun(program: Command, act: (names: string[], flags: RunFlags) => Promise<void>): void {
  const command = program.command('run');
  command
    .description('sends one or more patterns, one after the other')
    .addArgument(
      command
        .createArgument('[pattern...]', 'names (see `exact-load list`) or pattern files')
        .default([DEFAULT_PATTERN], DEFAULT_PATTERN),
    )
    .option('-t, --target <url>', 'the server to send to', 'http://localhost:5001')
    .option('-r, --rate <n>', 'the highest rate, or "max" for as fast as the connections allow', parseRate)
    .option('-d, --duration <time>', 'the length of a rate pattern, for example 30s', parseDuration);
  addSending(command);
  addVerification(command).addHelpText('after', RUN_HELP).action(act);
}

function addSending(command: Command): void {
  command
    .option(
      '-c, --connections <n>',
      'the most requests in flight at a time (default: 10; with a rate, 100 to 1000)',
      parseWhole,
    )
    .option('--timeout <time>', 'limit for one request, including connecting (default: 10s)', parseDuration)
    .option('--seed <n>', 'determines the order of the requests', parseWhole, 1)
    .option('--trace', 'send a traceparent with each request; the report lists the slowest with their ids')
    .addOption(
      new Option('--threshold <condition>', 'such as "p99<250ms", "errors<1%", "dropped=0"; may be repeated')
        .argParser((text, before: RunFlags['threshold']) => [...before, parseThresholdFlag(text)])
        .default([], 'those of the pattern'),
    )
    .option('-j, --json <file>', 'write the report as JSON; "-" is standard output, instead of the summary')
    .option('--html <file>', 'write the report as a page with charts; "-" as for --json')
    .option('-q, --quiet', 'no progress')
    .optionsGroup('Several processes, several machines:')
    .option('--workers <n>', 'how many processes send, to use more than one core', parseWorkers, 1)
    .option(
      '--shard <i/n>',
      'send every n-th request, from the i-th on; see `exact-load combine`',
      parseShard,
    )
    .option('--start-at <time>', 'start at this time, so that all shards start together', parseMoment)
    .optionsGroup('TLS of the target:')
    .option('-k, --insecure', 'accept any certificate')
    .option('--cacert <file>', "the target's certificate authorities, instead of Node's")
    .option('--cert <file>', 'a client certificate; needs --key')
    .option('--key <file>', 'the private key of --cert');
}

function addVerification(command: Command): Command {
  command
    .optionsGroup('Verification:')
    .option('-p, --prometheus <url>', 'compare the requests sent with the counters in this Prometheus')
    .addOption(new Option('--verify', 'compare (the default with --prometheus)').default(undefined))
    .option('--no-verify', 'do not compare')
    .option('--probe', 'then send six kinds of requests that are often miscounted, each verified separately')
    .option('--ledger <folder>', 'store the report there for `exact-load verify`; needs --prometheus')
    .option('--only-on-fresh-api', 'send nothing if the API has handled requests; needs --prometheus');
  return addAccess(addMetrics(addShared(command)));
}
