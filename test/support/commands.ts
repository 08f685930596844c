// Runs the scripts behind `make` as a person would, under a project name and host ports of their own, so that a stack
// that runs beside the tests, and a second test run, are left alone.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository.ts';

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningCommand {
  process: ChildProcess;
  /** What has been printed to stderr so far. */
  stderr(): string;
  /** Ctrl-C, as a terminal sends it: to the command and all that it has started. */
  interrupt(): void;
  result: Promise<CommandResult>;
}

const portVariables = [
  'API_HOST_PORT',
  'API_LAB_HOST_PORT',
  'METRICS_HOST_PORT',
  'PROMETHEUS_HOST_PORT',
  'GRAFANA_HOST_PORT',
  'ALERTMANAGER_HOST_PORT',
] as const;

export type PortVariable = (typeof portVariables)[number];

/** A project of the compose file: what makes it different from the one that `make up` starts. */
export interface Project {
  name: string;
  /** Where `load` leaves its pages. */
  reports: string;
  ports: Record<PortVariable, number>;
  environment: NodeJS.ProcessEnv;
}

export async function createProject(label: string): Promise<Project> {
  const numbers = await freePorts(portVariables.length);
  const ports = Object.fromEntries(portVariables.map((name, i) => [name, numbers[i]])) as Project['ports'];
  const name = `observability-stack-${label}-${process.pid}`;
  const reports = await mkdtemp(join(tmpdir(), 'reports-'));
  const environment = {
    ...process.env,
    COMPOSE_PROJECT_NAME: name,
    REPORTS_FOLDER: reports,
    ...Object.fromEntries(Object.entries(ports).map(([variable, port]) => [variable, String(port)])),
  };
  return { name, reports, ports, environment };
}

/** The first of so many free ports in a row, as replicas take them. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = await listen();
    const others = Array.from({ length: count - 1 }, (_, i) => listen(first.port + 1 + i));
    const all = await Promise.allSettled([Promise.resolve(first), ...others]);
    for (const one of all) if (one.status === 'fulfilled') await one.value.close();
    if (all.every(({ status }) => status === 'fulfilled')) return first.port;
  }
}

/** Ports that were free a moment ago, all different: they are held together until the last one is known. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen()));
  const ports = servers.map(({ port }) => port);
  await Promise.all(servers.map(({ close }) => close()));
  return ports;
}

/** A listener on a loopback port; one that the system chooses, where none is given. */
export function listen(port = 0): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('expected a TCP address'));
      resolve({ port: address.port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

/** Starts `scripts/stack.sh <words>` in a project, without a terminal. */
export function startStackCommand(
  project: Project,
  words: string[],
  environment: NodeJS.ProcessEnv = {},
): RunningCommand {
  return start('scripts/stack.sh', words, { ...project.environment, ...environment });
}

export function stackCommand(
  project: Project,
  words: string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  return startStackCommand(project, words, environment).result;
}

/** Another of the scripts behind `make`, in a project. */
export function startCommand(
  project: Project,
  script: string,
  words: string[],
  environment: NodeJS.ProcessEnv = {},
): RunningCommand {
  return start(script, words, { ...project.environment, ...environment });
}

export function scriptCommand(
  project: Project,
  script: string,
  words: string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  return startCommand(project, script, words, environment).result;
}

/** `make backup` and `make restore`. */
export function backupCommand(
  project: Project,
  command: 'backup' | 'restore',
  file: string,
): Promise<CommandResult> {
  return start('scripts/backup.sh', [command, file], project.environment).result;
}

/** `make lab`, piped: `lines` are what a learner types. */
export function labCommand(
  project: Project,
  lines: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const { process: child, result } = start(
    'scripts/lab.sh',
    [],
    { ...project.environment, ...environment },
    'pipe',
  );
  child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  return result;
}

/** `docker <words>`; an exit status other than 0 is an error, with what the client said. */
export async function docker(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await start('docker', words, process.env).result;
  if (exitCode !== 0) throw new Error(`docker ${words.join(' ')}: exit status ${exitCode}: ${stderr}`);
  return stdout.trim();
}

/** The compose file as Compose understands it, with these settings. */
export async function composeConfig(
  settings: NodeJS.ProcessEnv,
): Promise<{ services: Record<string, { stop_grace_period?: string }> }> {
  const words = ['compose', '--project-directory', repositoryRoot, 'config', '--format', 'json'];
  const { exitCode, stdout, stderr } = await start('docker', words, { ...process.env, ...settings }).result;
  if (exitCode !== 0) throw new Error(`docker compose config: exit status ${exitCode}: ${stderr}`);
  return JSON.parse(stdout);
}

/**
 * Ids of a project's containers, running or not; of one service where it is named. A generator that has ended is not one of
 * them: the engine removes it on its own time, after the command that ran it.
 */
export async function containersOf(project: Project, service?: string): Promise<string[]> {
  const filters = [`label=com.docker.compose.project=${project.name}`];
  if (service) filters.push(`label=com.docker.compose.service=${service}`);
  const format = '{{.ID}} {{.State}} {{.Label "com.docker.compose.oneoff"}}';
  const list = await docker(
    ...['ps', '--all', '--format', format],
    ...filters.flatMap((filter) => ['--filter', filter]),
  );
  const rows = list.split('\n').filter((row) => row !== '' && !/ (exited|removing|dead) True$/.test(row));
  return rows.map((row) => row.split(' ')[0] ?? '').sort();
}

/** Removes everything that a project left: containers, network, volumes, images, reports. */
export async function removeProject(project: Project): Promise<void> {
  const compose = ['compose', '--project-directory', repositoryRoot, '--profile', '*'];
  const { exitCode, stderr } = await start(
    'docker',
    [...compose, 'down', '--volumes', '--remove-orphans'],
    project.environment,
  ).result;
  if (exitCode !== 0) throw new Error(`the project ${project.name} could not be removed: ${stderr}`);
  await docker('image', 'rm', '--force', `${project.name}/app`, `${project.name}/loadgen`);
  await rm(project.reports, { recursive: true, force: true });
}

function start(
  command: string,
  words: string[],
  environment: NodeJS.ProcessEnv,
  stdin: 'ignore' | 'pipe' = 'ignore',
): RunningCommand {
  const child = spawn(command, words, {
    cwd: repositoryRoot,
    env: environment,
    stdio: [stdin, 'pipe', 'pipe'],
    // A process group of its own.
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const result = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  const interrupt = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT');
  };
  return { process: child, stderr: () => stderr, interrupt, result };
}
