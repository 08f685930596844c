/** What kustomize makes of a folder of kubernetes/, as objects. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { IConfigMap, IContainer, IPodSpec } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

export const repositoryRoot = new URL('../../', import.meta.url);
/** The text of a file of the repository. */
export const read = (path: string) => readFileSync(new URL(path, repositoryRoot), 'utf8');
/** What .env sets, whatever the environment says. */
export const defaults: Readonly<Record<string, string>> = Object.fromEntries(
  [...read('.env').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
);

/** Everything that `kubectl apply -k` is meant for. */
export const FOLDERS = [
  'base',
  'overlays/operator',
  'load/shards',
  'load/combine',
  'load/verify',
  'overlays/ephemeral',
] as const;
export type Folder = (typeof FOLDERS)[number];

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** `make test` names the program in TEST_KUBECTL, and says at its end that these tests were left out where there is none. */
const program = process.env.TEST_KUBECTL;
export const whereKubectlIs = program === undefined ? describe.skip : describe;

const rendered = new Map<Folder, readonly KubernetesObject[]>();

/** Rendered once for all tests of a file. */
export function objectsOf(folder: Folder): readonly KubernetesObject[] {
  const known = rendered.get(folder);
  if (known) return known;
  if (program === undefined) throw new Error('expected TEST_KUBECTL to name kubectl');
  const path = fileURLToPath(new URL(`kubernetes/${folder}`, repositoryRoot));
  const text = execFileSync(program, ['kustomize', path], { encoding: 'utf8', maxBuffer: 2 ** 25 });
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
  rendered.set(folder, objects);
  return objects;
}

/** The objects of a kind. What they look like the schema decides, in schema.test.ts. */
export function ofKind<T>(folder: Folder, kind: string): T[] {
  return objectsOf(folder).filter((object) => object.kind === kind) as T[];
}

/** @throws Error when there is none, or more than one */
export function only<T>(folder: Folder, kind: string, name: string): T {
  const found = objectsOf(folder).filter((o) => o.kind === kind && o.metadata.name === name);
  if (found.length !== 1) throw new Error(`${folder}: expected one ${kind} "${name}", found ${found.length}`);
  return found[0] as T;
}

/** A ConfigMap whose name may end in the hash that kustomize appends. */
export function configMap(folder: Folder, name: string): IConfigMap {
  const form = new RegExp(`^${name}(-[a-z0-9]{10})?$`);
  const found = ofKind<IConfigMap>(folder, 'ConfigMap').filter(({ metadata }) =>
    form.test(metadata?.name ?? ''),
  );
  if (found.length !== 1)
    throw new Error(`${folder}: expected one ConfigMap "${name}", found ${found.length}`);
  return found[0] as IConfigMap;
}

/** What runs pods, with the labels and the specification of these. */
export interface Workload {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: IPodSpec;
}

export function workloadsOf(folder: Folder): Workload[] {
  return [
    ...ofKind<IDeployment>(folder, 'Deployment'),
    ...ofKind<IStatefulSet>(folder, 'StatefulSet'),
    ...ofKind<IJob>(folder, 'Job'),
  ].map(({ kind, metadata, spec }) => {
    const pod = spec?.template.spec;
    if (!pod) throw new Error(`${kind} ${metadata?.name}: expected a pod`);
    return {
      name: metadata?.name ?? '',
      selector: spec?.selector?.matchLabels,
      labels: spec?.template.metadata?.labels ?? {},
      pod,
    };
  });
}

/** The only container of a workload. */
export function containerOf({ name, pod }: Workload): IContainer {
  const [container, ...others] = pod.containers;
  if (!container || others.length > 0) throw new Error(`${name}: expected one container`);
  return container;
}

export function workload(folder: Folder, name: string): Workload {
  const found = workloadsOf(folder).find((candidate) => candidate.name === name);
  if (!found) throw new Error(`${folder}: expected a workload "${name}"`);
  return found;
}
