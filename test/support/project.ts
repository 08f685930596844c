/**
 * The stack as `make` manages it, under a separate project name and host ports, so that it does not affect a running stack or
 * another test run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, docker, type RunningCommand, run, start } from './command.ts';
import { freeRange } from './free-port.ts';
import { inspect } from './inspect.ts';
import { repositoryRoot } from './repository.ts';
import { eventually } from './until.ts';

const SERVICES = ['API', 'API_LAB', 'METRICS', 'PROMETHEUS', 'GRAFANA', 'ALERTMANAGER'] as const;
type PortVariable = `${(typeof SERVICES)[number]}_HOST_PORT`;

export class Project {
  readonly name: string;
  /** The folder for the pages of `load`. */
  readonly reports: string;
  readonly environment: Readonly<NodeJS.ProcessEnv>;

  private constructor(name: string, reports: string, settings: NodeJS.ProcessEnv) {
    this.name = name;
    this.reports = reports;
    this.environment = { ...process.env, COMPOSE_PROJECT_NAME: name, REPORTS_FOLDER: reports, ...settings };
  }

  /** @param replicas how many ports in a row each setting has @param settings of the API, for every command */
  static async create(label: string, replicas = 1, settings: NodeJS.ProcessEnv = {}): Promise<Project> {
    const first = await freeRange(SERVICES.length * replicas);
    const ports = SERVICES.map((name, i) => [`${name}_HOST_PORT`, String(first + i * replicas)]);
    const reports = await mkdtemp(join(tmpdir(), 'reports-'));
    const name = `observability-stack-${label}-${process.pid}`;
    return new Project(name, reports, { ...settings, ...Object.fromEntries(ports) });
  }

  port(variable: PortVariable): number {
    return Number(this.environment[variable]);
  }

  url(variable: PortVariable): string {
    return `http://127.0.0.1:${this.port(variable)}`;
  }

  get prometheusUrl(): string {
    return this.url('PROMETHEUS_HOST_PORT');
  }

  get metricsUrl(): string {
    return this.url('METRICS_HOST_PORT');
  }

  /** Starts a script with `settings` in addition to the project's. */
  start(script: string, words: string[], settings: NodeJS.ProcessEnv = {}, input = ''): RunningCommand {
    return start(script, words, { ...this.environment, ...settings }, input);
  }

  run(...command: Parameters<Project['start']>): Promise<CommandResult> {
    return this.start(...command).result;
  }

  /** `scripts/stack.sh WORDS...`, the script behind most targets of the Makefile. */
  stack(words: string[], settings?: NodeJS.ProcessEnv): Promise<CommandResult> {
    return this.run('scripts/stack.sh', words, settings);
  }

  /** `make load`. */
  readonly load = (...words: string[]): Promise<CommandResult> => this.stack(['load', ...words]);

  /** `make up`. @throws with its output when it fails */
  async up(settings?: NodeJS.ProcessEnv): Promise<CommandResult> {
    const result = await this.stack(['up'], settings);
    if (result.exitCode !== 0)
      throw new Error(`up: exit status ${result.exitCode}: ${result.stderr}\n${result.stdout}`);
    return result;
  }

  /**
   * Ids of the containers, running or not, of all services or the given one. A generator that has ended is not included: the
   * engine removes it later than the command that ran it.
   */
  async containers(service?: string): Promise<string[]> {
    const labels = [`project=${this.name}`, ...(service ? [`service=${service}`] : [])];
    const filters = labels.flatMap((label) => ['--filter', `label=com.docker.compose.${label}`]);
    const format = '{{.ID}} {{.State}} {{.Label "com.docker.compose.oneoff"}}';
    const list = await docker('ps', '--all', '--format', format, ...filters);
    const rows = list.split('\n').filter((row) => row !== '' && !/ (exited|removing|dead) True$/.test(row));
    return rows.map((row) => row.split(' ')[0] ?? '').sort();
  }

  /** The only container of a service. */
  async container(service: string): Promise<string> {
    const [container, ...others] = await this.containers(service);
    if (!container || others.length > 0) throw new Error(`expected one container of ${service}`);
    return container;
  }

  /** The generator's container, as soon as it runs. */
  generator(): Promise<string> {
    return eventually('the generator runs', async () => {
      const [container] = await this.containers('loadgen');
      return container !== undefined && (await inspect(container)).State.Running && container;
    });
  }

  /** Removes everything of the project: containers, network, volumes, images, reports. */
  async remove(): Promise<void> {
    const compose = ['compose', '--project-directory', repositoryRoot, '--profile', '*'];
    const down = [...compose, 'down', '--volumes', '--remove-orphans', '--timeout', '0'];
    const { exitCode, stderr } = await run('docker', down, this.environment);
    if (exitCode !== 0) throw new Error(`the project ${this.name} could not be removed: ${stderr}`);
    await docker('image', 'rm', '--force', `${this.name}/app`, `${this.name}/loadgen`);
    await rm(this.reports, { recursive: true, force: true });
  }
}
