/** What the engine reports about a container, and the kernel from within it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { docker } from './command.ts';

interface Inspected {
  Id: string;
  Name: string;
  Image: string;
  Config: { User: string; Image: string; Env: string[] | null; Labels: Record<string, string> };
  HostConfig: Record<string, unknown> & { Memory: number };
  Mounts: { Type: string; Source: string; Destination: string; RW: boolean }[];
  NetworkSettings: { Ports: Record<string, { HostIp: string }[] | null> };
  RestartCount: number;
  State: { Pid: number; Running: boolean; Health?: { Status: string } };
}

export interface Container extends Inspected {
  service: string;
  /** /proc/1/status, by name: read by the shell that the health checks use, because not every image has `cat`. */
  status: Record<string, string>;
  pidsMax: string;
  /** What a shell in the container prints when it tries to write to its root. */
  write: string;
}

const PROBE = `
show() { while read -r line || [ -n "$line" ]; do echo "$line"; done <"$1"; }
show /proc/1/status
for file in /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max; do
  if [ -r "$file" ]; then printf 'pids.max:\\t'; show "$file"; break; fi
done
printf 'write:\\t'; (: >/probe) 2>&1 && echo written
exit 0`;

export async function inspect(id: string): Promise<Inspected> {
  const [found] = JSON.parse(await docker('inspect', id)) as [Inspected];
  return found;
}

export async function inspectContainers(ids: readonly string[]): Promise<Container[]> {
  return Promise.all(
    ids.map(async (id) => {
      const one = await inspect(id);
      const text = await docker('exec', one.Id, 'sh', '-c', PROBE);
      const status = Object.fromEntries(
        text.split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 1).trim()]),
      );
      const service = one.Config.Labels['com.docker.compose.service'] ?? one.Name;
      return { ...one, service, status, pidsMax: status['pids.max'] ?? '', write: status.write ?? '' };
    }),
  );
}

/** The paths of all files in a container's root file system, without mounts. */
export async function filesOf(id: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('sh', ['-c', 'docker export "$0" | tar -t', id], {
    maxBuffer: 2 ** 28,
  });
  return stdout.trim().split('\n');
}
