/** The URL of the target, the addresses of its name, and the requests sent to them. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { until } from '../../test/support/until.ts';
import { UsageError } from '../src/common/errors.ts';
import { Addresses, waitForTarget } from '../src/http/addresses.ts';
import { parseOrigin } from '../src/http/origin.ts';
import { encodeRequest } from '../src/http/request.ts';
import { serveRaw, stopServers } from './servers.ts';

afterEach(stopServers);

describe('the target', () => {
  const wait = (url: string, waitMs: number) =>
    waitForTarget(parseOrigin(url), waitMs, () => {}, new AbortController().signal);

  it('is awaited without sending it anything', async () => {
    const received: string[] = [];
    const { port } = await serveRaw((_, text) => received.push(text));
    const addresses = await wait(`http://localhost:${port}`, 60_000);
    // Only addresses on which the server listens are kept.
    expect([addresses.next(0), addresses.next(0)]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(received).toEqual([]);
  });

  it.each([
    ['127.0.0.1', /did not accept a connection within 0.1 s: .*ECONNREFUSED/],
    ['no-such-host.invalid', /no-such-host\.invalid:\d+ did not accept.*(ENOTFOUND|EAI_AGAIN)/],
  ])('is reported as unreachable if nothing listens, or the name is unknown: %s', async (host, message) => {
    await expect(wait(`http://${host}:${await freePort()}`, 100)).rejects.toThrow(message);
  });
});

describe('the addresses of a name', () => {
  /** An address that does not exist, for a name whose server has another one. */
  async function create() {
    const server = await serveRaw(() => {});
    const addresses = new Addresses(parseOrigin(`http://localhost:${server.port}`), ['127.0.0.9']);
    expect(addresses.next(0)).toBe('127.0.0.9');
    return { server, addresses };
  }

  it('are looked up again after a failed connect, at most once a second', async () => {
    const { server, addresses } = await create();
    await addresses.refresh(500);
    expect(addresses.next(500)).toBe('127.0.0.9');
    await addresses.refresh(5000);
    expect(addresses.next(5000)).toBe('127.0.0.1');
    await server.stop();
    await addresses.refresh(9000);
    expect(addresses.next(9000)).toBe('127.0.0.1');
  });

  it('are looked up again from time to time while they are used', async () => {
    const { addresses } = await create();
    addresses.next(4_999);
    addresses.next(5_001);
    await until('the new address', () => addresses.next(5_001) === '127.0.0.1');
  });

  it('can be avoided, and are used again if there are no others', () => {
    const addresses = new Addresses(parseOrigin('http://shop.example'), ['a', 'b', 'c']);
    addresses.leave('a', 0);
    addresses.leave('b', 0);
    expect([addresses.next(1), addresses.next(1)]).toEqual(['c', 'c']);
    addresses.leave('c', 1);
    expect([addresses.next(2), addresses.next(2)].toSorted()).toEqual(['a', 'b']);
    const removed = ['a', 'b'].map((address) => addresses.remove(address, 3));
    expect([removed, addresses.next(3)]).toEqual([[true, true], 'c']);
  });
});

describe('the URL of the target', () => {
  const URL = 'a URL of http or https, such as http://localhost:5001';
  const ANONYMOUS = 'no user or password (a pattern file can set headers)';
  const BARE = 'no query and no fragment';
  const HOST = 'a host, and a port from 1 to 65535';
  it.each([
    ['localhost:5001', URL],
    ['ftp://x', URL],
    ['http:///x', URL],
    ['http:x', URL],
    ['http://user:pass@x', ANONYMOUS, 'http://***@x'],
    ['http://user:pass@x:99999', ANONYMOUS, 'http://***@x:99999'],
    ['http://@x', ANONYMOUS, '***@x'],
    ['http://x/?a=b', BARE],
    ['http://x/a#', BARE],
    ['http://x:0', HOST],
    ['https://x:00/', HOST],
    ['http://x:65536', HOST],
    ['http://[::1', HOST],
    ['http://x\ty', URL, 'http://x\\ty'],
    ['http://x/a b', URL],
    [' http://x', URL],
    ['http:\\\\x', URL, 'http:\\\\\\\\x'],
    ['', URL],
  ])('cannot be %j', (url, expected, shown = url) => {
    expect(() => parseOrigin(url)).toThrow(new UsageError(`--target: expected ${expected}, got "${shown}"`));
  });

  it('may have a prefix for all paths, and any port', () => {
    const request = { method: 'POST', path: '/cart', headers: { Accept: '*/*' }, body: 'é' };
    expect(encodeRequest(parseOrigin('https://shop.example/api/'), request).bytes.toString()).toBe(
      'POST /api/cart HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: exact-load\r\nAccept: */*\r\nContent-Length: 2\r\n\r\né',
    );
    const origin = { hostname: '::1', port: 8080, host: '[::1]:8080' };
    expect(parseOrigin('http://[::1]:8080')).toMatchObject(origin);
  });
});
