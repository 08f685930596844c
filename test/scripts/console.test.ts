/** What the scripts do to the programs that they start. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** What a minimal Debian has of what console.sh uses; no procps, hence no pgrep. */
const PROGRAMS = ['sh', 'cat', 'cut', 'date', 'grep', 'mktemp', 'rm', 'sleep', 'stty', 'tail', 'tr'];

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'console-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function until<T>(description: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const value = await attempt().catch(() => undefined);
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited 15 s until ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('Ctrl-C ends what a step started, and what that started, also on a machine without pgrep', async () => {
  for (const program of PROGRAMS) {
    const where = (process.env.PATH ?? '').split(':').map((path) => join(path, program));
    const found = await until(`${program} is found`, async () => {
      for (const path of where) if (await readFile(path).then(Boolean, () => false)) return path;
      return undefined;
    });
    await symlink(found, join(folder, program));
  }
  await chmod(folder, 0o755);
  const pidFile = join(folder, 'pid');
  const inner = `sh -c 'echo $$ >${pidFile}; sleep 60; :'; :`;
  const script = `. '${repository}/scripts/console.sh'; run_step 'a long step' sh -c "$1"`;
  const child = spawn('sh', ['-c', script, 'sh', inner], { env: { PATH: folder }, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const pid = await until(
    'the step is under way',
    async () => Number(await readFile(pidFile, 'utf8')) || undefined,
  );
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  await until('the program is gone', async () => !isAlive(pid) || undefined);
}, 30_000);
