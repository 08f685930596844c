// What the fault tests share: signals from outside of a container, load that goes on while something breaks, and alerts.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import axios from 'axios';
import { type CommandResult, containersOf, docker, type Project, stackCommand } from './commands.ts';
import { inspect } from './inspect.ts';
import { eventually } from './prometheus-api.ts';
import { settingOf } from './repository.ts';
import { runGenerator, type Stack } from './stack.ts';

/** What of the generator's report the tests look at. */
export interface LoadReport {
  phases: [
    {
      sent: number;
      answered: number;
      unanswered: number;
      dropped: number;
      errors: number;
      failures: Record<string, number>;
      latencyMs: Times;
      serviceTimeMs: Times;
    },
  ];
  verification: {
    verdict: string;
    answered: number;
    unknown: number;
    obstacles: string[];
    rows: VerificationRow[];
  } | null;
}

type Times = Record<'min' | 'mean' | 'p50' | 'p99' | 'max', number>;

interface VerificationRow {
  metric: string;
  atLeast: number;
  counted: number;
}

/** The only container of a service. */
export async function onlyContainerOf(project: Project, service: string): Promise<string> {
  const [container, ...others] = await containersOf(project, service);
  if (!container || others.length > 0) throw new Error(`expected one container of ${service}`);
  return container;
}

/**
 * Sends a signal to a container's first process, as the kernel or a person on the machine does. `docker kill` is something
 * else: the engine takes it for somebody's wish that the container ends, and does not restart it.
 */
export async function signal(container: string, name: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
  const { State: state } = await inspect(container);
  if (state.Pid === 0) throw new Error(`${container} does not run`);
  const mayKill = ['--pid', 'host', '--user', '0:0', '--cap-drop', 'ALL', '--cap-add', 'KILL'];
  await docker(
    ...['run', '--rm', '--network', 'none', '--read-only', ...mayKill],
    ...['--entrypoint', 'sh', settingOf('NODE_IMAGE'), '-c', `kill -s ${name} ${state.Pid}`],
  );
}

/** Prints what docs/reliability.md quotes: in `make test-faults`, which sets FAULT_FIGURES, and not in `make test`. */
export function figure(text: string): void {
  if (process.env.FAULT_FIGURES) process.stderr.write(`    ${text}\n`);
}

/** What a run that nothing should have disturbed has come to. */
export function outcome({ phases: [{ sent, failures }], verification }: LoadReport): string {
  return `${sent} sent, failed: ${JSON.stringify(failures)}, ${verification?.verdict}`;
}

export const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** Lets a fault last that long: not a wait for anything that could be asked for. */
export async function lasts(durationMs: number): Promise<void> {
  await setTimeout(durationMs);
}

/** How many requests an API has timed so far, by its own exposition; nobody else sees that it was read. */
export async function timed(metricsUrl: string): Promise<number> {
  const values = await samplesOf(metricsUrl, 'http_request_duration_seconds_count');
  return values.reduce((sum, value) => sum + value, 0);
}

/** The values of all series of a name in an exposition. */
export async function samplesOf(metricsUrl: string, name: string): Promise<number[]> {
  const { data } = await axios.get<string>(`${metricsUrl}/metrics`, { responseType: 'text' });
  return [...data.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].map(([, value]) =>
    Number(value),
  );
}

/** Waits until an API answers load. */
async function underWay(metricsUrl: string, before: number): Promise<void> {
  await eventually('the load', async () => ((await timed(metricsUrl)) > before + 20 ? true : undefined));
}

/**
 * More connections than wait in any of the faults, and longer than any lasts: what finds none free would be dropped, and what gives
 * up is in nobody's count for certain. How fast it is answered on a busy machine is not what is looked at.
 */
const LENIENT = ['--connections', '2000', '--timeout', '30s', '--threshold', 'dropped=0'];

/** `make load` with a constant rate, while `breakIt` happens. */
export async function loadWhile(
  project: Project,
  words: string[],
  breakIt: () => Promise<void>,
): Promise<CommandResult & { report: LoadReport }> {
  const metricsUrl = `http://127.0.0.1:${project.ports.METRICS_HOST_PORT}`;
  const file = join(project.reports, `${words.join('')}.json`);
  const before = await timed(metricsUrl);
  const load = stackCommand(project, ['load', 'steady', ...LENIENT, ...words, '--json', file]);
  await underWay(metricsUrl, before);
  await breakIt();
  const result = await load;
  return { ...result, report: JSON.parse(await readFile(file, 'utf8')) as LoadReport };
}

/** `loadgen run steady` in a stack's network, proven, while `breakIt` happens. */
export async function sendWhile(
  { network, apis: [api] }: Stack,
  words: string[],
  breakIt: () => Promise<void>,
): Promise<{ report: LoadReport }> {
  if (!api) throw new Error('expected an API');
  const before = await timed(api.metricsUrl);
  const load = runGenerator(
    network,
    ...['run', 'steady', ...LENIENT, ...words, '--quiet', '--json', '-'],
    ...['--target', 'http://api:5001', '--prometheus', 'http://prometheus:9090'],
  );
  await underWay(api.metricsUrl, before);
  await breakIt();
  const { stdout } = await load;
  return { report: JSON.parse(stdout) as LoadReport };
}

export interface Alert {
  labels: Record<string, string>;
  annotations: { summary: string; description: string };
  state: 'pending' | 'firing';
}

export async function alerts(prometheusUrl: string): Promise<Alert[]> {
  const { data } = await axios.get<{ data: { alerts: Alert[] } }>(`${prometheusUrl}/api/v1/alerts`);
  return data.data.alerts;
}

/** Waits until an alert fires, and gives it. */
export async function firing(prometheusUrl: string, name: string, timeoutMs = 60_000): Promise<Alert> {
  const startMs = performance.now();
  const alert = await eventually(
    `the alert ${name}`,
    async () =>
      (await alerts(prometheusUrl)).find(
        ({ labels, state }) => labels.alertname === name && state === 'firing',
      ),
    timeoutMs,
  );
  figure(`${name} fires after ${seconds(performance.now() - startMs)}`);
  return alert;
}
