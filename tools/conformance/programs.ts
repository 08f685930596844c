/**
 * Starts the programs of `programs/`: small services in several languages with the same routes, each instrumented as in its library's
 * documentation. `install.ts` installs the dependencies of other languages.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, isOpen } from '../../test/support/free-port.ts';
import { eventually, PATIENCE_MS } from '../../test/support/until.ts';
import { cached, LeftOut, programs, run } from './install.ts';

export type Program = Awaited<ReturnType<typeof startProgram>>;

interface Launch {
  readonly command: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Its output for each listening process; the group captures the port. */
  readonly listening: RegExp;
  readonly listeners: number;
  /** Whether it prints a separate port for metrics. */
  readonly hasMetricsPort?: boolean;
  readonly metricsPath?: string;
}

interface Start {
  readonly processes: 1 | 4;
  /** An empty folder, shared by its processes. */
  readonly shared: string;
}

/** @throws LeftOut if its dependencies are not available */
type Launcher = (start: Start) => Launch | Promise<Launch>;

/** @param client the client library with which the documentation aggregates over the workers of a cluster */
const node =
  (file: string, client?: string, hasMetricsPort = false): Launcher =>
  ({ processes }) => {
    const script = join(programs, file);
    const inCluster = [join(programs, 'cluster.js'), script, ...(client ? [client] : [])];
    return {
      command: [process.execPath, ...(processes === 4 ? inCluster : [script])],
      listening: /^listening on (\d+)$/gm,
      listeners: processes,
      hasMetricsPort: processes === 4 && client ? true : hasMetricsPort,
    };
  };

const opentelemetry: Launcher = async (start) => ({
  ...(await node('opentelemetry.cjs', undefined, true)(start)),
  environment: {
    METRICS_PORT: String(await freePort()),
    NODE_OPTIONS: `--import ${join(programs, 'opentelemetry-preload.js')}`,
  },
});

const PIP_INSTALL = ['-m', 'pip', 'install', '-q', '-r'];

/** @param module for `python3 -m` @param several the settings for four processes */
const python =
  (module: string, listening: RegExp, args: string[], several: string[]): Launcher =>
  async ({ processes, shared }) => {
    const version = await run('python3', '--version');
    const packages = await cached(`python-${version}`, ['requirements.txt'], (folder) =>
      run('python3', ...PIP_INSTALL, join(programs, 'requirements.txt'), '--target', folder),
    );
    return {
      command: ['python3', '-m', module, ...args, ...(processes === 4 ? several : [])],
      environment: {
        PYTHONPATH: [packages, programs].join(delimiter),
        PYTHONDONTWRITEBYTECODE: '1',
        ...(processes === 4 && { PROMETHEUS_MULTIPROC_DIR: shared }),
      },
      listening,
      listeners: 1,
    };
  };

const promhttp: Launcher = async () => {
  const sources = ['go.mod', 'go.sum', 'main.go'].map((file) => `promhttp/${file}`);
  const folder = await cached(`go-${process.arch}`, sources, (made) =>
    run('go', 'build', '-C', join(programs, 'promhttp'), '-o', made, '.'),
  );
  return { command: [join(folder, 'promhttp')], listening: /^listening on (\d+)$/gm, listeners: 1 };
};

const micrometer: Launcher = async () => {
  await run('java', '--version');
  const sources = ['pom.xml', 'src/main/java/Shop.java', 'src/main/resources/application.properties'];
  const folder = await cached(
    'java',
    sources.map((file) => `micrometer/${file}`),
    (made) => run('mvn', '-q', '-B', '-f', join(programs, 'micrometer'), `-Doutput=${made}`, 'package'),
  );
  return {
    command: ['java', '-jar', join(folder, 'micrometer-1.jar')],
    listening: /Tomcat started on port (\d+)/g,
    listeners: 1,
    metricsPath: '/actuator/prometheus',
  };
};

const launchers = {
  'express-exact-metrics': node('express-exact-metrics.js', 'express-exact-metrics/cluster', true),
  'prom-client': node('prom-client.js', '@prometheus-io/client'),
  'express-prom-bundle': node('express-prom-bundle.cjs', 'prom-client'),
  'prometheus-api-metrics': node('prometheus-api-metrics.cjs'),
  opentelemetry,
  'fastify-metrics': node('fastify-metrics.js', '@prometheus-io/client'),
  'flask-exporter': python(
    'gunicorn',
    /Listening at: http:\/\/127\.0\.0\.1:(\d+)/g,
    ['-c', join(programs, 'gunicorn_conf.py'), 'flask_exporter:app'],
    ['-w', '4'],
  ),
  'fastapi-instrumentator': python(
    'uvicorn',
    /running on http:\/\/127\.0\.0\.1:(\d+)/g,
    ['--port', '0', '--no-access-log', 'fastapi_instrumentator:app'],
    ['--workers', '4'],
  ),
  promhttp,
  micrometer,
} as const satisfies Record<string, Launcher>;

export type ProgramName = keyof typeof launchers;
export const programNames = Object.keys(launchers) as ProgramName[];

/** Installs its dependencies. @returns why it cannot be started on this machine; undefined if it can */
export async function whyLeftOut(name: ProgramName): Promise<string | undefined> {
  try {
    await launchers[name]({ processes: 1, shared: '' });
  } catch (error) {
    if (error instanceof LeftOut) return error.message;
    throw error;
  }
  return undefined;
}

/** @throws {LeftOut} if its language is missing, or its dependencies cannot be installed */
export async function startProgram(name: ProgramName, processes: 1 | 4 = 1) {
  const shared = mkdtempSync(join(tmpdir(), 'conformance-'));
  let launch: Launch;
  try {
    launch = await launchers[name]({ processes, shared });
  } catch (error) {
    rmSync(shared, { recursive: true });
    throw error;
  }
  const [command = '', ...args] = launch.command;
  const child = spawn(command, args, {
    cwd: shared,
    env: { ...process.env, PORT: '0', NODE_ENV: 'production', ...launch.environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  /** Kills it and all its processes. */
  async function stop(): Promise<void> {
    try {
      process.kill(-(child.pid as number), 'SIGKILL');
    } catch {
      // All its processes have ended.
    }
    await exited;
    rmSync(shared, { recursive: true, force: true });
  }
  try {
    const { port, metricsPort, listeners } = await portsOf(child, launch);
    // Some programs print the port before they listen.
    await eventually(`a connection to port ${port}`, () => isOpen(Number(port)));
    const url = `http://127.0.0.1:${port}`;
    const metricsUrl = `http://127.0.0.1:${metricsPort}${launch.metricsPath ?? '/metrics'}`;
    /** Sends the signal of a supervisor. */
    const terminate = () => child.kill('SIGTERM');
    /** Kills the oldest of its worker processes, and waits until a replacement listens. */
    const killOne = async () => {
      const before = listeners();
      await replaceOne(child.pid as number);
      // Only if each process has its own listener: without a listening replacement, the next kills would close the port.
      if (launch.listeners > 1)
        await eventually('the replacement to listen', async () => listeners() > before);
    };
    return { url, metricsUrl, exited, terminate, killOne, stop };
  } catch (error) {
    await stop();
    throw new Error(`${name} did not start`, { cause: error });
  }
}

/** The oldest first: their ids may be higher than those of later processes. Excludes Python's helper processes. */
async function workersOf(pid: number): Promise<string[]> {
  const words = ['--ppid', `${pid}`, '--sort', 'start_time', '-o', 'pid=,args='];
  const { stdout } = await promisify(execFile)('ps', words);
  const rows = stdout.trim().split('\n');
  return rows.filter((row) => !row.includes('resource_tracker')).map((row) => row.trim().split(' ')[0] ?? '');
}

async function replaceOne(pid: number): Promise<void> {
  const before = await workersOf(pid);
  const [killed = ''] = before;
  process.kill(Number(killed), 'SIGKILL');
  await eventually(`a replacement of process ${killed}`, async () => {
    const now = await workersOf(pid);
    return !now.includes(killed) && now.length === before.length;
  });
}

/** Reads its output until all its processes listen. @returns also how many have listened so far @throws if it ends before */
function portsOf(child: ReturnType<typeof spawn>, { listening, listeners, hasMetricsPort = false }: Launch) {
  return new Promise<{ port: string; metricsPort: string; listeners: () => number }>((resolve, reject) => {
    let text = '';
    const found = () => [...text.matchAll(listening)].map(([, port = '']) => port);
    const fail = () => reject(new Error(`expected ${listening}, got "${text}"`));
    const timeout = setTimeout(fail, PATIENCE_MS);
    child.once('error', reject).once('exit', fail);
    for (const stream of [child.stdout, child.stderr]) {
      // Reads to the end, because the program would block on a full pipe.
      stream?.setEncoding('utf8').on('data', (data: string) => {
        text += data;
        const ports = found();
        const [, metricsPort] = /^metrics on (\d+)$/m.exec(text) ?? [];
        const [port] = ports;
        if (!port || ports.length < listeners || (hasMetricsPort && !metricsPort)) return;
        clearTimeout(timeout);
        resolve({ port, metricsPort: metricsPort ?? port, listeners: () => found().length });
      });
    }
  });
}
