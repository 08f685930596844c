/** A Prometheus that scrapes a test's targets once a second, without the configuration of this repository. */
import type { ServerResponse } from 'node:http';
import { GenericContainer, Wait } from 'testcontainers';
import { freePort } from './free-port.ts';
import { settingOf } from './repository.ts';
import { type HostServer, serveContainers } from './server.ts';
import { urlOf } from './stack.ts';
import { PATIENCE_MS } from './until.ts';

export interface Job {
  readonly job: string;
  /** URLs of this machine, including those that listen on the loopback interface only. */
  readonly metricsUrls: readonly string[];
  /** Additional scrape configuration, in YAML. */
  readonly settings?: readonly string[];
}

export type ScrapingPrometheus = Awaited<ReturnType<typeof startPrometheus>>;

export async function startPrometheus(jobs: readonly Job[]) {
  const relays: HostServer[] = [];
  const relay = async (url: string) => {
    const server = await serveContainers(
      (request, response) => void forward(url, request.headers.accept, response),
    );
    relays.push(server);
    return server.address;
  };
  const configs = await Promise.all(
    jobs.map(async ({ job, metricsUrls, settings = [] }) => {
      const targets = JSON.stringify(await Promise.all(metricsUrls.map(relay)));
      const lines = [`- job_name: ${JSON.stringify(job)}`, `static_configs: [{ targets: ${targets} }]`];
      return [...lines, ...settings].join('\n    ');
    }),
  );
  const config = `global: { scrape_interval: 1s }\nscrape_configs:\n  ${configs.join('\n  ')}\n`;
  const closeRelays = () => {
    for (const relay of relays) relay.close();
  };
  const container = await new GenericContainer(settingOf('PROMETHEUS_IMAGE'))
    .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    .withCopyContentToContainer([{ content: config, target: '/etc/prometheus/prometheus.yml' }])
    .withCommand(['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/tmp/prometheus'])
    // A port that stays the same after a restart.
    .withExposedPorts({ container: 9090, host: await freePort() })
    .withWaitStrategy(Wait.forHttp('/-/ready', 9090))
    .withStartupTimeout(PATIENCE_MS)
    .start()
    .catch((error) => {
      closeRelays();
      throw error;
    });
  return {
    url: urlOf(container, 9090),
    container,
    async stop() {
      await container.stop({ remove: true, removeVolumes: true });
      closeRelays();
    },
  };
}

async function forward(url: string, accept = '*/*', response: ServerResponse): Promise<void> {
  try {
    const answer = await fetch(url, { headers: { accept } });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  } catch {
    response.destroy();
  }
}
