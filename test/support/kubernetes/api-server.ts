/**
 * An API server on loopback for the real kubectl. It stores, lists and removes objects. Workloads are ready immediately, and Jobs have ended
 * unless they are suspended. It leaves out admission, conversion, strategic merges (a list is replaced as a whole), changes in a watch,
 * pods of Deployments, and everything else that the commands of this repository do not use.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { discovery, kindAt } from './discovery.ts';
import { answerExec, type Executed } from './exec.ts';

type Json = Record<string, unknown>;
export interface Stored extends Json {
  kind: string;
  metadata: Json & { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: Json;
  data?: Json;
  binaryData?: Json;
}

export interface ApiServer {
  url: string;
  all(): Stored[];
  find(kind: string, name: string): Stored | undefined;
  apply(object: Stored): void;
  /** METHOD PATH of each request that changes something, in order; a removal with its propagation policy. */
  changes: string[];
  close(): Promise<void>;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

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

/** Changes an object as the controllers of a healthy cluster would. */
function settle(object: Stored, minimum: unknown, { isSending = false, lost = 0 }: Pods): void {
  const { kind, metadata, spec = {} } = object;
  if (kind === 'Deployment' || kind === 'StatefulSet') {
    const n = Math.max(Number(spec.replicas ?? 1), Number(minimum ?? 1));
    spec.replicas = n;
    spec.updateStrategy ??= { type: 'RollingUpdate' };
    const counts = { replicas: n, updatedReplicas: n, readyReplicas: n, availableReplicas: n };
    object.status = { observedGeneration: metadata.generation, ...counts };
  } else if (kind === 'Job') {
    spec.selector ??= { matchLabels: { 'batch.kubernetes.io/job-name': metadata.name } };
    const n = Number(spec.completions ?? 1);
    const type = spec.suspend ? 'Suspended' : isSending ? 'Running' : 'Complete';
    const counts = type === 'Running' ? { active: n, ready: n } : { succeeded: spec.suspend ? 0 : n - lost };
    object.status = { ...counts, conditions: [{ type, status: 'True' }] };
  }
}

/** A pod for each completion of a Job, and the first of a StatefulSet. */
function podsOf({ kind, metadata: { name, namespace }, spec = {} }: Stored): Stored[] {
  if (kind !== 'Job' && kind !== 'StatefulSet') return [];
  const template = spec.template as Stored;
  return Array.from({ length: Number(spec.completions ?? 1) }, (_, index) => {
    const own = {
      'batch.kubernetes.io/job-name': name,
      'batch.kubernetes.io/job-completion-index': `${index}`,
    };
    const labels = { ...template.metadata.labels, ...own };
    const metadata = { name: `${name}-${index}`, ...(namespace && { namespace }), labels };
    const status = { phase: kind === 'Job' ? 'Succeeded' : 'Running' };
    return { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec as Json, status };
  });
}

const PATH =
  /^\/apis?\/(v1|[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

export interface Pods {
  /** Runs a command in a pod of a StatefulSet. */
  execute(words: string[]): Promise<Executed>;
  /** Does the work of a Job's pods, after the Job is resumed. */
  work(job: Stored): Promise<void>;
  /** Jobs are still running. */
  isSending?: boolean;
  /** How many pods of each Job end without success. */
  lost?: number;
  /** The server does not respond to requests for these paths. */
  silent?: RegExp | undefined;
}

export async function startApiServer(pods: Pods): Promise<ApiServer> {
  const objects = new Map<string, Stored>();
  const changes: string[] = [];
  let version = 1;

  const all = () => [...objects.values()];
  const find = (kind: string, name: string) =>
    all().find((object) => object.kind === kind && object.metadata.name === name);
  const keyOf = ({ kind, metadata }: Stored) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
  const apply = (object: Stored) => {
    const { metadata } = object;
    version += 1;
    metadata.generation ??= 1;
    metadata.uid ??= `${keyOf(object)}/${version}`;
    metadata.creationTimestamp ??= new Date().toISOString();
    metadata.resourceVersion = String(version);
    objects.set(keyOf(object), object);
  };
  const remove = (object: Stored) => {
    objects.delete(keyOf(object));
    if (object.kind !== 'Namespace') return;
    for (const other of all())
      if (other.metadata.namespace === object.metadata.name) objects.delete(keyOf(other));
  };
  const listed = (kind: string): Stored[] => {
    if (kind === 'Pod') return all().flatMap(podsOf);
    const found = all().filter((object) => object.kind === kind);
    for (const object of found)
      settle(object, find('HorizontalPodAutoscaler', object.metadata.name)?.spec?.minReplicas, pods);
    return found;
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://cluster');
    const answer = (body: unknown, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const refuse = (message: string) =>
      answer(
        { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', message, code: 404 },
        404,
      );
    const known = discovery(path);
    if (known !== undefined) return answer(known);
    const [, apiVersion = '', namespace, resource = '', name, part] = PATH.exec(path) ?? [];
    const kind = kindAt(apiVersion, resource);
    if (kind === undefined) return refuse(`nothing is at ${path}`);

    const labels = (query.get('labelSelector') ?? '').split(',').filter((term) => term !== '');
    const field = /metadata\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1];
    const items = listed(kind).filter(
      ({ metadata }) =>
        (namespace ?? metadata.namespace) === metadata.namespace &&
        (name ?? field ?? metadata.name) === metadata.name &&
        labels.map((term) => term.split('=')).every(([key = '', value]) => metadata.labels?.[key] === value),
    );
    const [found] = items;
    const missing = () => refuse(`${resource} "${name}" not found`);
    if (request.method === 'GET') {
      if (query.get('watch') === 'true') {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        const write = (type: string, object: unknown) =>
          response.write(`${JSON.stringify({ type, object })}\n`);
        const isInitial = query.get('sendInitialEvents') === 'true';
        if (isInitial || !query.has('resourceVersion')) for (const object of items) write('ADDED', object);
        const annotations = { 'k8s.io/initial-events-end': 'true' };
        if (isInitial)
          write('BOOKMARK', {
            kind,
            apiVersion,
            metadata: { resourceVersion: String(version), annotations },
          });
        return;
      }
      const list = { kind: `${kind}List`, apiVersion, metadata: { resourceVersion: String(version) }, items };
      if (name === undefined) return answer(list);
      if (found === undefined) return missing();
      return part === 'log' ? response.end() : answer(found);
    }

    const isDryRun = query.has('dryRun');
    const body = (await json(request).catch(() => ({}))) as Json;
    const policy = body.propagationPolicy;
    if (!isDryRun) changes.push(`${request.method} ${path}${policy ? ` ${policy}` : ''}`);
    if (request.method === 'POST') {
      const object = body as Stored;
      if (namespace !== undefined) object.metadata.namespace = namespace;
      const { name: given } = object.metadata;
      if (find(kind, given)?.metadata.namespace === namespace && find(kind, given))
        return answer({ kind: 'Status', status: 'Failure', reason: 'AlreadyExists', code: 409 }, 409);
      if (!isDryRun) apply(object);
      return answer(object, 201);
    }
    if (found === undefined) return missing();
    if (request.method === 'DELETE') {
      remove(found);
      return answer({ kind: 'Status', apiVersion: 'v1', status: 'Success', details: { name } });
    }
    const merged = merge(found, body) as Stored;
    if (!isDryRun && JSON.stringify(merged) !== JSON.stringify(found)) apply(merged);
    if (kind === 'Job') await pods.work(merged);
    return answer(merged);
  }

  const server = createServer((request, response) => {
    if (pods.silent?.test(request.url ?? '')) return;
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.on('upgrade', (request, socket) => answerExec(request, socket, pods.execute));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, all, find, apply, changes, close };
}
