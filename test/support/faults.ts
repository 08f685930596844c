// Shared by the fault tests: signals from outside a container, load during a fault, and alerts.
/** The duration of a fault, not a wait for something that could be polled. */
export { setTimeout as lasts } from 'node:timers/promises';

import axios from 'axios';
import type { PhaseReport, Report } from 'exact-load/report';
import { type CommandResult, docker } from './command.ts';
import { sumOf } from './exposition.ts';
import { inspect } from './inspect.ts';
import type { Project } from './project.ts';
import { read } from './prometheus.ts';
import { settingOf } from './repository.ts';
import type { Stack } from './stack.ts';
import { eventually } from './until.ts';

/**
 * Sends a signal to a container's first process, like the kernel or a user of the machine. Not `docker kill`: after that the
 * engine does not restart the container.
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

/** The sum of the series of a metric in the exposition at a URL. */
export async function exposed(metricsUrl: string, metric: string): Promise<number> {
  const { data } = await axios.get<string>(`${metricsUrl}/metrics`, { responseType: 'text' });
  return sumOf(data, metric);
}

/**
 * More connections than any fault blocks, so that no request is dropped, and a longer timeout than any fault, because a request that
 * times out may or may not be counted. The speed of a busy machine does not matter here.
 */
const LENIENT = ['--connections', '2000', '--timeout', '30s', '--threshold', 'dropped=0'];

/** Sends load at a constant rate to a project or a stack, and calls `breakIt` once the API responds. @returns when the load has ended */
export async function loadWhile(
  { metricsUrl, load }: Pick<Project | Stack, 'metricsUrl' | 'load'>,
  words: string[],
  breakIt: () => Promise<void>,
): Promise<CommandResult & { report: Report; phase: PhaseReport }> {
  const timed = () => exposed(metricsUrl, 'http_request_duration_seconds_count');
  const before = await timed();
  const loading = load('steady', ...LENIENT, ...words, '--quiet', '--json', '-');
  await eventually('the load', async () => (await timed()) > before + 20);
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

/** The firing alerts of this name. */
export async function firing(prometheusUrl: string, name: string): Promise<Alert[]> {
  const { alerts } = await read<{ alerts: Alert[] }>(prometheusUrl, 'alerts');
  return alerts.filter(({ labels, state }) => labels.alertname === name && state === 'firing');
}
