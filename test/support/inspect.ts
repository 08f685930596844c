/** What the engine reports about a container, and the kernel from within it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { docker } from './command.ts';

export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly Config: {
    readonly User: string;
    readonly Image: string;
    readonly Env: readonly string[] | null;
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[];
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly PidsLimit: number | null;
    readonly NetworkMode: string;
    readonly PidMode: string;
    readonly IpcMode: string;
    readonly UsernsMode: string;
    readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
    readonly PortBindings: Readonly<Record<string, readonly { HostIp: string }[]>> | null;
  };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Source: string;
    readonly Destination: string;
    readonly RW: boolean;
  }[];
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>;
  };
  readonly RestartCount: number;
  readonly State: {
    readonly Pid: number;
    readonly OOMKilled: boolean;
    readonly Health?: { readonly Status: string };
  };
}

export interface Container extends Inspected {
  readonly service: string;
  /** /proc/1/status, by name: read by the shell that the health checks use, because not every image has `cat`. */
  readonly status: Readonly<Record<string, string>>;
  readonly pidsMax: string;
  /** What a shell in the container prints when it tries to write to its root. */
  readonly write: string;
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

/** The paths of all files in a container's root file system, mounts left out. */
export async function filesOf(id: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('sh', ['-c', 'docker export "$0" | tar -t', id], {
    maxBuffer: 2 ** 28,
  });
  return stdout.trim().split('\n');
}
