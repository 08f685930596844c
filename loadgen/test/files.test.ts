import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { checkWritable, writeWhole } from '../src/common/files.ts';
import { useFolder } from './loadgen.ts';

const at = useFolder();

describe('a file is written', () => {
  it('replacing an existing file, keeping its mode, without leaving temporary files', async () => {
    await writeFile(at('a'), 'old and longer');
    await chmod(at('a'), 0o640);
    await writeWhole(at('a'), 'new');
    expect([await readFile(at('a'), 'utf8'), (await stat(at('a'))).mode & 0o777]).toEqual(['new', 0o640]);
    expect(await readdir(at('.'))).toEqual(['a']);
  });

  it('through symbolic links, which are kept, even if they point to nothing yet', async () => {
    await symlink('later', at('inner'));
    await symlink(at('inner'), at('outer'));
    await checkWritable(at('outer'));
    await writeWhole(at('outer'), 'new');
    expect(await readFile(at('later'), 'utf8')).toBe('new');
    expect([await readlink(at('outer')), await readlink(at('inner'))]).toEqual([at('inner'), 'later']);
  });

  it('to a device, even through a symbolic link', async () => {
    await symlink('/dev/null', at('null'));
    await checkWritable(at('null'));
    await writeWhole(at('null'), 'x');
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    await expect(writeWhole('/dev/full', 'x')).rejects.toThrow(/^cannot write \/dev\/full: ENOSPC/);
  });

  it('to a FIFO, without waiting for its reader after an interrupt', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    await checkWritable(at('fifo'));
    const text = 'x'.repeat(200_000);
    const [read] = await Promise.all([readFile(at('fifo'), 'utf8'), writeWhole(at('fifo'), text)]);
    expect([read, (await stat(at('fifo'))).isFIFO()]).toEqual([text, true]);
    const controller = new AbortController();
    const written = writeWhole(at('fifo'), 'x', controller.signal);
    controller.abort(new Error('interrupted'));
    await expect(written).rejects.toThrow(`cannot write ${at('fifo')}: interrupted`);
  });
});

describe('a path that cannot be written is reported when it is checked and when it is written', () => {
  it.each([
    ['nope/a', 'ENOENT'],
    ['file/a', 'ENOTDIR'],
    ['loop', 'ELOOP'],
    ['folder', 'it is a directory'],
    ['folder/', 'it is a directory'],
  ])('%s: %s', async (name, reason) => {
    await writeFile(at('file'), '');
    await symlink('loop', at('loop'));
    await mkdir(at('folder'));
    const path = at(name);
    await expect(checkWritable(path)).rejects.toThrow(`cannot write ${path}: ${reason}`);
    await expect(writeWhole(path, 'x')).rejects.toThrow(`cannot write ${path}: `);
  });
});
