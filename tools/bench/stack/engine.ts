/** What the container engine tells of the stack's containers: figures of their cgroups, of whichever version. */
import { execFileSync } from 'node:child_process';
import { request } from 'node:http';

const PROJECT = process.env.COMPOSE_PROJECT_NAME ?? 'observability-stack';

export interface Container {
  readonly id: string;
  /** Its service in docker-compose.yml. */
  readonly service: string;
}

export interface ContainerUsage {
  /** CPU time since it started, its health checks included. */
  readonly cpuSeconds: number;
  /** Memory that its processes hold; files that the kernel caches for them are not in it. */
  readonly residentBytes: number;
}

/** The running containers of the stack. @throws when no engine answers */
export async function containers(): Promise<Container[]> {
  const filters = { label: [`com.docker.compose.project=${PROJECT}`], status: ['running'] };
  const found = await ask<{ Id: string; Labels: Record<string, string> }[]>(
    `/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  );
  return found.map(({ Id, Labels }) => ({ id: Id, service: Labels['com.docker.compose.service'] ?? Id }));
}

export async function usageOf({ id }: Container): Promise<ContainerUsage> {
  const { cpu_stats, memory_stats } = await ask<{
    cpu_stats: { cpu_usage: { total_usage: number } };
    // The first name is that of version 1, the second that of version 2.
    memory_stats: { stats: { total_rss?: number; anon?: number } };
  }>(`/containers/${id}/stats?stream=false&one-shot=true`);
  const residentBytes = memory_stats.stats.total_rss ?? memory_stats.stats.anon;
  if (residentBytes === undefined) throw new Error('expected memory statistics of a cgroup, got none');
  return { cpuSeconds: cpu_stats.cpu_usage.total_usage / 1e9, residentBytes };
}

/** The socket that the Docker client uses, whatever its context says. */
function socketPath(): string {
  const format = '{{.Endpoints.docker.Host}}';
  const host =
    process.env.DOCKER_HOST ??
    execFileSync('docker', ['context', 'inspect', '-f', format], { encoding: 'utf8' });
  const [, path] = /^unix:\/\/(\S+)/.exec(host) ?? [];
  if (path === undefined)
    throw new Error(`expected an engine on this machine (unix://...), got "${host.trim()}"`);
  return path;
}

function ask<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    request({ socketPath: socketPath(), path }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      if (response.statusCode === 200) resolve(JSON.parse(text) as T);
      else reject(new Error(`the engine answered ${response.statusCode} to ${path}: ${text}`));
    })
      .on('error', reject)
      .end();
  });
}
