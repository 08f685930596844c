/** nginx as the server of a benchmark: one worker on the core for servers, with a response from memory. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../test/support/free-port.ts';
import { until } from '../../../test/support/until.ts';
import { SERVER_CORE } from '../lib/cpu.ts';

/** The output of `nginx -v`: name and version. */
export function nginxVersion(): string {
  return spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.replace('nginx version:', '').trim();
}

/** @throws if it does not listen in time; its output goes to the terminal */
export async function startNginx(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-nginx-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  await writeFile(join(folder, 'nginx.conf'), toConfiguration(folder, new URL(url).host));
  const files = ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')];
  const child = spawn('taskset', ['-c', String(SERVER_CORE), 'nginx', ...files], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exit = once(child, 'exit');
  // A failing benchmark must not leave a server behind.
  process.once('exit', () => child.kill('SIGTERM'));
  await until(`nginx at ${url}`, async () => (await fetch(url).catch(() => undefined))?.ok === true);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await exit;
      await rm(folder, { recursive: true });
    },
  };
}

function toConfiguration(folder: string, address: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  server {
    listen ${address};
    location / { default_type text/plain; return 200 'product'; }
  }
}
`;
}
