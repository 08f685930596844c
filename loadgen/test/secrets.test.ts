import { describe, expect, it } from '@jest/globals';
import { hideCredentials, hideInArguments } from '../src/common/secrets.ts';

describe('credentials are hidden', () => {
  it.each([
    ['http://ann:s3cret@host:9090', 'http://***@host:9090'],
    ["unknown option '--prom=https://ann:s3cret@host'", "unknown option '--prom=https://***@host'"],
    ['-phttp://ann:s3cret@host', '-phttp://***@host'],
    ["'--wait' argument 'http://ann:s3 cret@host' is", "'--wait' argument 'http://***@host' is"],
    ['got "ann:s3 cret@host", expected a URL', 'got "***@host", expected a URL'],
    ['got "http" from http://ann:s3cret@host', 'got "http" from http://***@host'],
    ['got "ann:s3cret@host:9090"', 'got "***@host:9090"'],
    ['https:\\\\ann:s3cret@host', 'https:\\\\***@host'],
    ['http://ann:s3/cr@t@host/', 'http://***@host/'],
    ['a@b.example, or http://host:9090/', 'a@b.example, or http://host:9090/'],
  ])('in the message %s', (text, hidden) => {
    expect(hideCredentials(text)).toBe(hidden);
  });

  it.each([
    ['--prometheus=http://ann:s3 cret@host', '--prometheus=http://***@host'],
    ['http://token@host', 'http://***@host'],
    ['./a@b.yaml', './a@b.yaml'],
  ])('in the argument %s', (text, hidden) => {
    expect(hideInArguments([text])).toEqual([hidden]);
  });

  it.each([
    ['-H|Authorization: Bearer s3cret|http://host/', '-H|Authorization: ***|http://host/'],
    ['-HAuthorization: s3cret', '-HAuthorization: ***'],
    ['--header=Cookie: s3cret', '--header=Cookie: ***'],
    ['-kqH|Cookie: a', '-kqH|Cookie: ***'],
    ['-b|{"password": "s3cret"}|-n|5', '-b|***|-n|5'],
    ['--body=s3cret', '--body=***'],
    ['-b|@login.json', '-b|@login.json'],
  ])('in the arguments %s', (text, hidden) => {
    expect(hideInArguments(text.split('|'))).toEqual(hidden.split('|'));
  });
});
