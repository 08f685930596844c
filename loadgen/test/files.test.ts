import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { checkWritable, writeWhole } from '../src/common/files.ts';
import { useFolder } from './loadgen.ts';

const at = useFolder();

describe('a regular file', () => {
  it('is replaced, keeps its mode, and leaves nothing next to it', async () => {
    await writeFile(at('a'), 'old and longer');
    await chmod(at('a'), 0o640);
    const { ino } = await stat(at('a'));
    await writeWhole(at('a'), 'new');
    const after = await stat(at('a'));
    expect([await readFile(at('a'), 'utf8'), after.mode & 0o777]).toEqual(['new', 0o640]);
    expect(after.ino).not.toBe(ino);
    expect(await readdir(at('.'))).toEqual(['a']);
  });

  it('is found through symbolic links, which stay', async () => {
    await mkdir(at('deep'));
    await writeFile(at('deep/a'), 'old');
    await symlink('deep/a', at('inner'));
    await symlink(at('inner'), at('outer'));
    await writeWhole(at('outer'), 'new');
    expect(await readFile(at('deep/a'), 'utf8')).toBe('new');
    expect([await readlink(at('outer')), await readlink(at('inner'))]).toEqual([at('inner'), 'deep/a']);
  });

  it('is made where a symbolic link leads to nothing yet', async () => {
    await symlink('later', at('link'));
    await checkWritable(at('link'));
    await writeWhole(at('link'), 'new');
    expect([await readFile(at('later'), 'utf8'), await readlink(at('link'))]).toEqual(['new', 'later']);
  });
});

describe('what is no regular file', () => {
  it('is not waited for after an interrupt: a FIFO that nothing reads', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    const controller = new AbortController();
    const written = writeWhole(at('fifo'), 'x', controller.signal);
    controller.abort(new Error('interrupted'));
    await expect(written).rejects.toThrow(`cannot write ${at('fifo')}: interrupted`);
  });

  it('is written through: a device, also behind a symbolic link', async () => {
    await symlink('/dev/null', at('null'));
    await writeWhole(at('null'), 'x');
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    await expect(writeWhole('/dev/full', 'x')).rejects.toThrow(/^cannot write \/dev\/full: ENOSPC/);
  });
});

describe('what cannot be written is named before and when it is written', () => {
  it.each([
    ['nope/a', 'ENOENT'],
    ['file/a', 'ENOTDIR'],
    ['loop', 'ELOOP'],
    ['folder', 'it is a folder'],
    ['folder/', 'it is a folder'],
  ])('%s: %s', async (name, reason) => {
    await writeFile(at('file'), '');
    await symlink('loop', at('loop'));
    await mkdir(at('folder'));
    const path = at(name);
    await expect(checkWritable(path)).rejects.toThrow(`cannot write ${path}: ${reason}`);
    await expect(writeWhole(path, 'x')).rejects.toThrow(`cannot write ${path}: `);
  });
});
