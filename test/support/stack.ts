// The API and Prometheus as containers of one test: the image that this repository builds, this repository's Prometheus
// configuration and flags, a network of their own, and ports that the engine chooses. Stops and removes all of it.
import {
  GenericContainer,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { composeWords, ownImage, repositoryRoot, settingOf } from './repository.ts';

export interface Stack {
  network: StartedNetwork;
  prometheusUrl: string;
  prometheus: StartedTestContainer;
  /** One entry a replica. */
  apis: { apiUrl: string; metricsUrl: string; container: StartedTestContainer }[];
  stop(): Promise<void>;
}

export interface StackOptions {
  replicas?: number;
  /** Settings of the API, see the contract's table: SIMULATED_LATENCY_MS and so on. */
  environment?: Record<string, string>;
  /** Another image than the one that this repository builds. */
  apiImage?: string;
  /** The text of a module in the place of the API's: listens on the ports 5001 and 8000, with /healthz on the latter. */
  program?: string;
}

const startupTimeoutMs = 60_000;

export async function startStack({
  replicas = 1,
  environment = {},
  apiImage = ownImage('app'),
  program,
}: StackOptions = {}): Promise<Stack> {
  const network = await new Network().start();
  const started: StartedTestContainer[] = [];
  const stop = async () => {
    await Promise.all(started.map((container) => container.stop({ remove: true, removeVolumes: true })));
    await network.stop();
  };
  try {
    while (started.length < replicas) started.push(await startApi(network, apiImage, environment, program));
    const apis = [...started];
    const prometheus = await startPrometheus(network);
    started.push(prometheus);
    return {
      network,
      prometheus,
      prometheusUrl: `http://${prometheus.getHost()}:${prometheus.getMappedPort(9090)}`,
      apis: apis.map((container) => ({
        apiUrl: `http://${container.getHost()}:${container.getMappedPort(5001)}`,
        metricsUrl: `http://${container.getHost()}:${container.getMappedPort(8000)}`,
        container,
      })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startApi(
  network: StartedNetwork,
  image: string,
  environment: Record<string, string>,
  program?: string,
): Promise<StartedTestContainer> {
  const container = new GenericContainer(image);
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
    .withStartupTimeout(startupTimeoutMs)
    .start();
}

function startPrometheus(network: StartedNetwork): Promise<StartedTestContainer> {
  const image = settingOf('PROMETHEUS_IMAGE');
  return new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('prometheus')
    .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    .withCopyDirectoriesToContainer([{ source: `${repositoryRoot}/prometheus`, target: '/etc/prometheus' }])
    .withCommand(composeWords('prometheus'))
    .withExposedPorts(9090)
    .withWaitStrategy(Wait.forHttp('/-/ready', 9090))
    .withStartupTimeout(startupTimeoutMs)
    .start();
}

/** Grafana with this repository's configuration, as a part of a running stack; its user can look and nothing else. */
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
    .withStartupTimeout(startupTimeoutMs)
    .start();
}

export interface GeneratorRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs the generator's image once in the stack's network, as `make load` does, and gives what it printed. */
export async function runGenerator(network: StartedNetwork, ...commandLine: string[]): Promise<GeneratorRun> {
  let stdout = '';
  let stderr = '';
  let finished: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const container = await new GenericContainer(ownImage('loadgen'))
    .withNetwork(network)
    .withCommand(commandLine)
    .withLogConsumer((stream) => {
      stream.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      stream.on('err', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      stream.on('end', () => finished());
    })
    .start();
  await ended;
  const { State: state } = await inspect(container);
  await container.stop({ remove: true, removeVolumes: true });
  return { exitCode: state.ExitCode, stdout, stderr };
}

async function inspect(container: StartedTestContainer): Promise<{ State: { ExitCode: number } }> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await getContainerRuntimeClient();
  return client.container.inspect(client.container.getById(container.getId()));
}
