/** How scripts treat the programs that they start, and the output of steps. */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();
/** The output states how long a step takes if that is long. */
const CLOCK = 'date() { echo 0; }; ';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('Ctrl-C ends the processes of a step, and their children', async () => {
  // Not a shell: dash can lose a signal that arrives while it forks, until the command that it starts has ended.
  const program = `require('fs').writeFileSync(process.argv[1], process.pid + '\\n'); setTimeout(() => {}, 600_000)`;
  const inner = `"${process.execPath}" -e "${program}" '${box.path('pid')}'; :`;
  const script = `. '${repositoryRoot}/scripts/console.sh'; run_step 'a long step' sh -c "$1"`;
  const env = { PATH: process.env.PATH, TMPDIR: box.folder };
  const child = spawn('sh', ['-c', script, 'sh', inner], { env, stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await until('the step is under way', async () => /\d\n/.test(await box.read('pid')));
  const pid = Number(await box.read('pid'));
  // To the whole process group, like a terminal.
  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect(await ended).toBe(130);
  await until('its program to end', () => !isAlive(pid));
  expect(await readdir(box.folder)).toEqual(['pid']);
});

it('a script that is ended by a signal between two steps leaves nothing behind', async () => {
  const script = `${CLOCK}trap 'rm "$file"; tidy_console' EXIT; file=$(mktemp); run_step a true; kill -TERM $$; sleep 10`;
  expect(await box.shell(['console'], script)).toMatchObject({
    code: 130,
    err: '- a ...\nerror: interrupted.\n',
  });
  expect(await readdir(box.folder)).toEqual([]);
});

it('a step shows its output only if it fails, and returns its status', async () => {
  const script = 'run_step quiet sh -c "echo hidden"; run_step loud sh -c "echo shown; exit 7"';
  expect(await box.shell(['console'], CLOCK + script)).toEqual({
    code: 7,
    out: '',
    err: '- quiet ...\n- loud ...\n- loud: failed after 0 s (status 7). Its last lines:\n    shown\n',
  });
});

it('a step that reports an interruption interrupts the script', async () => {
  expect(await box.shell(['console'], `${CLOCK}run_step a sh -c 'exit 130'; echo on`)).toEqual({
    code: 130,
    out: '',
    err: '- a ...\nerror: interrupted while: a.\n',
  });
});

it('a step finishes in a script that ignores signals during cleanup', async () => {
  const script = `${CLOCK}trap '' INT TERM; run_step cleaning true`;
  expect(await box.shell(['console'], script)).toEqual({ code: 0, out: '', err: '- cleaning ...\n' });
});
