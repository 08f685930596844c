/** The objects that kustomize renders from a folder of kubernetes/. schema.test.ts validates them. */
import { execFileSync } from 'node:child_process';
import { describe } from '@jest/globals';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { IConfigMap, IContainer, IPodSpec } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from '../support/repository.ts';

/** The folders that users apply with `kubectl apply -k`. */
export const FOLDERS = [
  'base',
  'overlays/operator',
  'overlays/ephemeral',
  'overlays/production',
  'overlays/remote-write',
  'load',
] as const;
export type Folder = (typeof FOLDERS)[number];

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** `make test` sets TEST_KUBECTL to the path of kubectl, or reports at its end that these tests were skipped without one. */
const program = process.env.TEST_KUBECTL;
export const whereKubectlIs = program === undefined ? describe.skip : describe;

const rendered = new Map<Folder, readonly KubernetesObject[]>();

/** Renders each folder once per test file. */
export function objectsOf(folder: Folder): readonly KubernetesObject[] {
  const known = rendered.get(folder);
  if (known) return known;
  if (program === undefined) throw new Error('expected TEST_KUBECTL to name kubectl');
  const words = ['kustomize', `${repositoryRoot}kubernetes/${folder}`];
  const text = execFileSync(program, words, { encoding: 'utf8', maxBuffer: 2 ** 25 });
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
  rendered.set(folder, objects);
  return objects;
}

export const ofKind = <T>(folder: Folder, kind: string): T[] =>
  objectsOf(folder).filter((object) => object.kind === kind) as T[];

/** @param name without the hash that kustomize may append @throws Error unless there is exactly one such object */
export function only<T>(folder: Folder, kind: string, name: string): T {
  const form = new RegExp(`^${name}(-[a-z0-9]{10})?$`);
  const found = objectsOf(folder).filter((one) => one.kind === kind && form.test(one.metadata.name));
  if (found.length !== 1) throw new Error(`${folder}: expected one ${kind} "${name}", found ${found.length}`);
  return found[0] as T;
}

export const configMap = (folder: Folder, name: string): Readonly<Record<string, string>> =>
  only<IConfigMap>(folder, 'ConfigMap', name).data ?? {};

/** A Deployment, StatefulSet or Job, with the labels and the specification of its pods. */
export interface Workload {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: IPodSpec;
  /** The pod's only container. */
  readonly container: IContainer;
}

export function workloadsOf(folder: Folder): Workload[] {
  return [
    ...ofKind<IDeployment>(folder, 'Deployment'),
    ...ofKind<IStatefulSet>(folder, 'StatefulSet'),
    ...ofKind<IJob>(folder, 'Job'),
  ].map(({ kind, metadata, spec }) => {
    const pod = spec?.template.spec;
    const [container, ...others] = pod?.containers ?? [];
    if (!pod || !container || others.length > 0)
      throw new Error(`${kind} ${metadata?.name}: expected a pod of one container`);
    const labels = spec?.template.metadata?.labels ?? {};
    return { name: metadata?.name ?? '', selector: spec?.selector?.matchLabels, labels, pod, container };
  });
}

export function workload(folder: Folder, name: string): Workload {
  const found = workloadsOf(folder).find((candidate) => candidate.name === name);
  if (!found) throw new Error(`${folder}: expected a workload "${name}"`);
  return found;
}
