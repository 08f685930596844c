/**
 * An API server on loopback for the real kubectl. It keeps what it is given, lists, watches and removes it. Left out: admission,
 * conversion, strategic merges (a list is replaced whole), and all else that the commands of this repository do not use.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Cluster, isObject, type Json, KINDS, type Stored } from './cluster.ts';
import { discovery, plural } from './discovery.ts';
import { configMapOf, isProtobuf } from './protobuf.ts';

/** What the programs in the pods do. */
export interface Programs {
  log(pod: Stored): string;
  execute(words: string[]): string;
  hasEnded(job: Stored): boolean;
}

export interface ApiServer {
  url: string;
  cluster: Cluster;
  /** METHOD PATH of each request that changes something, in their order; a removal with its propagation policy. */
  changes: string[];
  close(): Promise<void>;
}

interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Json;
  kind: string;
  apiVersion: string;
  namespace?: string;
  name?: string;
  part?: string;
}

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (!key.startsWith('$')) merged[key] = merge(merged[key], value);
  }
  return merged;
}

async function bodyOf(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (isProtobuf(bytes)) return configMapOf(bytes);
  return bytes.length === 0 ? {} : JSON.parse(bytes.toString());
}

const PATH =
  /^\/(?:api|apis)\/(v1|[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

async function parse(request: IncomingMessage): Promise<Asked | undefined> {
  const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://cluster');
  const [, apiVersion = '', namespace, resource, name, part] = PATH.exec(path) ?? [];
  const kind = KINDS[apiVersion]?.find((one) => plural(one) === resource);
  if (kind === undefined) return undefined;
  const place = { ...(namespace && { namespace }), ...(name && { name }), ...(part && { part }) };
  return {
    method: request.method ?? '',
    path,
    query,
    body: await bodyOf(request),
    kind,
    apiVersion,
    ...place,
  };
}

function isWanted({ kind, namespace, query }: Asked, object: Stored): boolean {
  const labels = (query.get('labelSelector') ?? '').split(',').filter((term) => term !== '');
  const name = /metadata\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? object.metadata.name;
  const hasLabel = (term: string) =>
    object.metadata.labels?.[term.split('=')[0] ?? ''] === term.split('=')[1];
  const isThere =
    object.kind === kind && (namespace ?? object.metadata.namespace) === object.metadata.namespace;
  return isThere && object.metadata.name === name && labels.every(hasLabel);
}

function answer(response: ServerResponse, body: unknown, status = 200): ServerResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return response
    .writeHead(status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' })
    .end(text);
}

function refuse(response: ServerResponse, code: number, reason: string, message: string): ServerResponse {
  return answer(
    response,
    { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code },
    code,
  );
}

function watch(cluster: Cluster, asked: Asked, response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  const send = (type: string, object: Stored) => {
    if (isWanted(asked, object)) response.write(`${JSON.stringify({ type, object })}\n`);
  };
  if (!asked.query.has('resourceVersion')) for (const object of cluster.all()) send('ADDED', object);
  cluster.on('change', send);
  return response.on('close', () => cluster.off('change', send));
}

function readFrom(
  cluster: Cluster,
  asked: Asked,
  programs: Programs,
  response: ServerResponse,
): ServerResponse {
  const { kind, apiVersion, name, part } = asked;
  if (asked.query.get('watch') === 'true') return watch(cluster, asked, response);
  const items = cluster.all().filter((object) => isWanted(asked, object));
  for (const object of items) if (kind === 'Job' && programs.hasEnded(object)) cluster.end(object);
  if (name === undefined) {
    return answer(response, {
      kind: `${kind}List`,
      apiVersion,
      metadata: { resourceVersion: cluster.version },
      items,
    });
  }
  const found = items.find((object) => object.metadata.name === name);
  if (found === undefined) return refuse(response, 404, 'NotFound', `${plural(kind)} "${name}" not found`);
  return answer(response, part === 'log' ? programs.log(found) : found);
}

function change(cluster: Cluster, asked: Asked, response: ServerResponse): ServerResponse {
  const { kind, method, body, name, namespace } = asked;
  const isDryRun = asked.query.has('dryRun');
  if (method === 'POST') {
    const object = body as Stored;
    if (namespace !== undefined) object.metadata.namespace = namespace;
    if (!isDryRun) cluster.apply(object);
    return answer(response, object, 201);
  }
  const found = cluster.all().find((object) => isWanted(asked, object) && object.metadata.name === name);
  if (found === undefined) return refuse(response, 404, 'NotFound', `${plural(kind)} "${name}" not found`);
  if (method === 'DELETE') {
    cluster.remove(found);
    return answer(response, { kind: 'Status', apiVersion: 'v1', status: 'Success', details: { name } });
  }
  const merged = merge(found, body) as Stored;
  if (!isDryRun && JSON.stringify(merged) !== JSON.stringify(found)) cluster.apply(merged);
  return answer(response, merged);
}

/** `kubectl exec` by WebSocket: what the program prints (channel 1), and that it ended well (channel 3). */
function execute(request: IncomingMessage, socket: Duplex, programs: Programs): void {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const head = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Protocol: v5.channel.k8s.io',
    `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const send = (opcode: number, text: string) =>
    socket.write(Buffer.concat([Buffer.from([0x80 + opcode, text.length]), Buffer.from(text, 'latin1')]));
  const words = new URL(request.url ?? '', 'http://cluster').searchParams.getAll('command');
  send(2, `\x01${programs.execute(words)}`);
  send(2, '\x03{"status":"Success"}');
  send(8, '\x03\xe8');
  socket.resume().end();
}

export async function startApiServer(programs: Programs): Promise<ApiServer> {
  const cluster = new Cluster();
  const changes: string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    const known = discovery(path);
    if (known !== undefined) return answer(response, known);
    const asked = await parse(request);
    if (asked === undefined) return refuse(response, 404, 'NotFound', `nothing is at ${path}`);
    if (asked.method === 'GET') return readFrom(cluster, asked, programs, response);
    const policy = asked.body.propagationPolicy;
    if (!asked.query.has('dryRun')) changes.push(`${asked.method} ${path}${policy ? ` ${policy}` : ''}`);
    return change(cluster, asked, response);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) =>
      refuse(response, 500, 'InternalError', String(error)),
    );
  });
  server.on('upgrade', (request, socket) => execute(request, socket, programs));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, cluster, changes, close };
}
