// What the fault tests share: signals from outside of a container, load that goes on while something breaks, and alerts.
import { setTimeout } from 'node:timers/promises';
import axios from 'axios';
import type { PhaseReport, Report } from 'exact-load/report';
import { type CommandResult, docker } from './command.ts';
import { inspect } from './inspect.ts';
import type { Project } from './project.ts';
import { read } from './prometheus.ts';
import { settingOf } from './repository.ts';
import type { Stack } from './stack.ts';
import { eventually } from './until.ts';

/**
 * Sends a signal to a container's first process, as the kernel or a user of the machine does. `docker kill` is something else:
 * the engine takes it for a request to end the container, and does not restart it.
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

/** Lets a fault last that long: not a wait for anything that could be polled. */
export async function lasts(durationMs: number): Promise<void> {
  await setTimeout(durationMs);
}

/** The values of all series of a name in the exposition at a URL; reading it changes nothing that others see. */
export async function samplesOf(metricsUrl: string, name: string): Promise<number[]> {
  const { data } = await axios.get<string>(`${metricsUrl}/metrics`, { responseType: 'text' });
  const lines = data.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
  return [...lines].map(([, value]) => Number(value));
}

/** How many requests an API has timed so far. */
async function timed(metricsUrl: string): Promise<number> {
  const values = await samplesOf(metricsUrl, 'http_request_duration_seconds_count');
  return values.reduce((sum, value) => sum + value, 0);
}

/**
 * More connections than wait in any of the faults, and longer than any lasts: a request that finds none free would be dropped,
 * and one that gives up may or may not be counted. How fast a busy machine answers does not matter here.
 */
const LENIENT = ['--connections', '2000', '--timeout', '30s', '--threshold', 'dropped=0'];

/** Load with a constant rate on a project or a stack; something breaks once the API answers it. @returns when the load has ended */
export async function loadWhile(
  { metricsUrl, load }: Pick<Project | Stack, 'metricsUrl' | 'load'>,
  words: string[],
  breakIt: () => Promise<void>,
): Promise<CommandResult & { report: Report; phase: PhaseReport }> {
  const before = await timed(metricsUrl);
  const loading = load('steady', ...LENIENT, ...words, '--quiet', '--json', '-');
  await eventually('the load', async () => (await timed(metricsUrl)) > before + 20);
  await breakIt();
  const result = await loading;
  const report = JSON.parse(result.stdout) as Report;
  return { ...result, report, phase: report.phases[0] as PhaseReport };
}

export interface Alert {
  labels: Record<string, string>;
  annotations: { summary: string; description: string };
  state: 'pending' | 'firing';
}

/** The alerts of that name that fire. */
export async function firing(prometheusUrl: string, name: string): Promise<Alert[]> {
  const { alerts } = await read<{ alerts: Alert[] }>(prometheusUrl, 'alerts');
  return alerts.filter(({ labels, state }) => labels.alertname === name && state === 'firing');
}
