// The API and Prometheus as containers of one test: the image that this repository builds, its Prometheus configuration and
// flags, a separate network, and ports that the engine chooses. All of these are stopped and removed at the end.
import { afterAll, beforeAll } from '@jest/globals';
import {
  GenericContainer,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { docker, run } from './command.ts';
import { composeWords, ownImage, remoteWriteOverride, repositoryRoot, settingOf } from './repository.ts';
import { PATIENCE_MS } from './until.ts';

export type Stack = Awaited<ReturnType<typeof startStack>>;

export interface StackOptions {
  replicas?: number;
  /** Settings of the API, see the contract's table: SIMULATED_LATENCY_MS and so on. */
  environment?: Record<string, string>;
  /** Additional settings of the last replica only. */
  lastEnvironment?: Record<string, string>;
  /** The text of a module that replaces the API's: it listens on ports 5001 and 8000, with /healthz on the latter. */
  program?: string;
  /** Makes Prometheus forward its samples: REMOTE_WRITE_URL and so on, as in docker-compose.remote-write.yml. */
  remoteWrite?: Record<string, string>;
}

export async function startStack(options: StackOptions = {}) {
  const network = await new Network().start();
  const started: StartedTestContainer[] = [];
  const stop = async () => {
    await Promise.all(started.map((container) => container.stop({ remove: true, removeVolumes: true })));
    await network.stop();
  };
  const keep = async (start: Promise<StartedTestContainer>) => {
    const container = await start;
    started.push(container);
    return container;
  };
  try {
    const { replicas: count = 1, environment, lastEnvironment } = options;
    const replicas: StartedTestContainer[] = [];
    for (let left = count - 1; left > 0; left--) replicas.push(await keep(startApi(network, options)));
    const last = { ...options, environment: { ...environment, ...lastEnvironment } };
    replicas.push(await keep(startApi(network, last)));
    const [api] = replicas as [StartedTestContainer];
    const prometheus = await keep(startPrometheus(network, 'prometheus', options.remoteWrite));
    return {
      ...{ network, prometheus, replicas },
      prometheusUrl: urlOf(prometheus, 9090),
      /** The first replica, and its addresses. */
      api,
      apiUrl: urlOf(api, 5001),
      metricsUrl: urlOf(api, 8000),
      /** Runs the generator in the stack's network, like `make load`, and verifies its requests. */
      load: (pattern: string, ...words: string[]) => {
        const urls = ['--target', 'http://api:5001', '--prometheus', 'http://prometheus:9090'];
        return run('docker', [
          ...['run', '--rm', '--network', network.getName(), ownImage('loadgen')],
          ...['run', pattern, ...urls, ...words],
        ]);
      },
      /** Starts another Prometheus that scrapes the same targets. @returns its URL */
      addPrometheus: async () => urlOf(await keep(startPrometheus(network, 'other-prometheus')), 9090),
      /** Adds targets to a job that Prometheus scrapes: the text of a file in prometheus/targets. */
      addTargets: (name: string, content: string) =>
        prometheus.copyContentToContainer([{ content, target: `/etc/prometheus/targets/${name}.yml` }]),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts a stack before the tests of a file, and stops it after them. @returns the stack, which is empty until then */
export function useStack(options?: StackOptions): Stack {
  const stack = {} as Stack;
  beforeAll(async () => void Object.assign(stack, await startStack(options)));
  afterAll(() => stack.stop?.());
  return stack;
}

export const urlOf = (container: StartedTestContainer, port: number): string =>
  `http://${container.getHost()}:${container.getMappedPort(port)}`;

function startApi(network: StartedNetwork, options: StackOptions): Promise<StartedTestContainer> {
  const { environment = {}, program } = options;
  const container = new GenericContainer(ownImage('app'));
  if (program !== undefined)
    container
      .withCopyContentToContainer([{ content: program, target: '/srv/program.mjs' }])
      .withCommand(['node', 'program.mjs']);
  return container
    .withNetwork(network)
    .withNetworkAliases('api')
    .withEnvironment(environment)
    .withExposedPorts(5001, 8000)
    .withWaitStrategy(Wait.forHttp(program === undefined ? '/readyz' : '/healthz', 8000))
    .withStartupTimeout(PATIENCE_MS)
    .start();
}

function startPrometheus(
  network: StartedNetwork,
  name: string,
  remoteWrite?: Record<string, string>,
): Promise<StartedTestContainer> {
  const container = new GenericContainer(settingOf('PROMETHEUS_IMAGE'));
  if (remoteWrite !== undefined)
    container
      .withEntrypoint(remoteWriteOverride.entrypoint)
      .withTmpFs(Object.fromEntries(remoteWriteOverride.tmpfs.map((folder) => [folder, ''])))
      .withEnvironment({ ...remoteWriteOverride.environment, ...remoteWrite });
  return container
    .withNetwork(network)
    .withNetworkAliases(name)
    .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    .withCopyDirectoriesToContainer([{ source: `${repositoryRoot}/prometheus`, target: '/etc/prometheus' }])
    .withCommand(composeWords('prometheus'))
    .withExposedPorts(9090)
    .withWaitStrategy(Wait.forHttp('/-/ready', 9090))
    .withStartupTimeout(PATIENCE_MS)
    .start();
}

/** Grafana with this repository's configuration, as a part of a running stack; its user has read access only. */
export function startGrafana(network: StartedNetwork, image: string): Promise<StartedTestContainer> {
  const mount = (source: string, target: string) => ({
    source: `${repositoryRoot}/grafana/${source}`,
    target,
    mode: 'ro' as const,
  });
  return new GenericContainer(image)
    .withNetwork(network)
    .withBindMounts([
      mount('grafana.ini', '/etc/grafana/grafana.ini'),
      mount('provisioning/datasources', '/etc/grafana/provisioning/datasources'),
      mount('provisioning/dashboards', '/etc/grafana/provisioning/dashboards'),
      mount('dashboards', '/var/lib/grafana/dashboards'),
    ])
    .withExposedPorts(3000)
    .withWaitStrategy(Wait.forHttp('/api/health', 3000))
    .withStartupTimeout(PATIENCE_MS)
    .start();
}

/** The image with the Python client, whose parser of OpenMetrics is stricter than Prometheus' own. It is kept, like the others. */
export async function buildParser(): Promise<string> {
  const image = 'observability-stack/openmetrics-parser';
  const base = process.env.PYTHON_IMAGE ?? settingOf('NODE_IMAGE');
  const build = ['build', '--quiet', '--build-arg', `BASE_IMAGE=${base}`, '--tag', image];
  await docker(...build, `${repositoryRoot}/test/images/openmetrics`);
  return image;
}
