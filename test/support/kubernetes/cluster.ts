/** What a cluster keeps and what its controllers make of it, where all is well: pods that run, workloads that are ready, jobs that end. */
import { EventEmitter } from 'node:events';

/** The kinds that it knows, by group and version. */
export const KINDS: Record<string, string[]> = {
  v1: ['Namespace', 'Node', 'Pod', 'Event', 'Service', 'ServiceAccount', 'ConfigMap'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['Job'],
  'networking.k8s.io/v1': ['NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'storage.k8s.io/v1': ['StorageClass'],
};

export type Json = Record<string, unknown>;
export interface Metadata extends Json {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
}
export interface Stored extends Json {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: Json;
  status?: Json;
  data?: Json;
  binaryData?: Json;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const keyOf = ({ kind, metadata }: Stored) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;

/** Emits `change` with ADDED, MODIFIED or DELETED, and the object. */
export class Cluster extends EventEmitter {
  readonly #objects = new Map<string, Stored>();
  #version = 1;

  get version(): string {
    return String(this.#version);
  }

  all(): Stored[] {
    return [...this.#objects.values()];
  }

  find(kind: string, name: string): Stored | undefined {
    return this.all().find((object) => object.kind === kind && object.metadata.name === name);
  }

  apply(object: Stored): void {
    this.#put(object);
    this.#settle(object);
    const { kind, metadata, spec = {} } = object;
    const target = kind === 'HorizontalPodAutoscaler' ? this.find('Deployment', metadata.name) : undefined;
    if (target === undefined) return;
    const replicas = Math.max(Number(target.spec?.replicas), Number(spec.minReplicas));
    this.apply({
      ...target,
      spec: { ...target.spec, replicas: Math.min(replicas, Number(spec.maxReplicas)) },
    });
  }

  /** With all that belongs to it, at once. */
  remove(object: Stored): void {
    this.#objects.delete(keyOf(object));
    this.emit('change', 'DELETED', object);
    const { uid, name } = object.metadata;
    for (const other of this.all()) {
      const within = object.kind === 'Namespace' && other.metadata.namespace === name;
      if (within || other.metadata.owner === uid) this.remove(other);
    }
  }

  end(job: Stored): void {
    const succeeded = Number(job.spec?.completions ?? 1);
    job.status = { succeeded, conditions: [{ type: 'Complete', status: 'True' }] };
  }

  #put(object: Stored): void {
    const before = this.#objects.get(keyOf(object));
    const { metadata } = object;
    const generation = Number(before?.metadata.generation ?? 0);
    const changed = JSON.stringify(before?.spec) !== JSON.stringify(object.spec);
    metadata.generation = changed ? generation + 1 : generation;
    metadata.uid ??= `${keyOf(object)}/${this.version}`;
    metadata.creationTimestamp ??= new Date().toISOString();
    metadata.resourceVersion = String(++this.#version);
    this.#objects.set(keyOf(object), object);
    this.emit('change', before === undefined ? 'ADDED' : 'MODIFIED', object);
  }

  #settle(object: Stored): void {
    const { kind, metadata, spec = {} } = object;
    if (kind === 'Deployment' || kind === 'StatefulSet') {
      spec.replicas ??= 1;
      spec.updateStrategy ??= { type: 'RollingUpdate' };
      const n = Number(spec.replicas);
      const counts = { replicas: n, updatedReplicas: n, readyReplicas: n, availableReplicas: n };
      object.status = { observedGeneration: metadata.generation, ...counts };
      this.#setPods(object, n, {}, { running: {} });
    } else if (kind === 'Job') {
      const labels = { 'batch.kubernetes.io/job-name': metadata.name };
      spec.selector ??= { matchLabels: labels };
      object.status = { active: Number(spec.completions ?? 1) };
      this.#setPods(object, Number(spec.completions ?? 1), labels, { terminated: { exitCode: 0 } });
    }
  }

  #setPods(owner: Stored, number: number, labels: Record<string, string>, state: Json): void {
    const { name, namespace, uid } = owner.metadata;
    const template = owner.spec?.template as Stored;
    const pods = this.all().filter(({ metadata }) => metadata.owner === uid);
    for (const pod of pods.slice(number)) this.remove(pod);
    for (let index = pods.length; index < number; index++) {
      const own = { ...labels, 'batch.kubernetes.io/job-completion-index': `${index}` };
      const metadata: Metadata = {
        name: `${name}-${index}`,
        owner: uid,
        labels: { ...template.metadata.labels, ...own },
      };
      if (namespace !== undefined) metadata.namespace = namespace;
      const status = { phase: 'Running', containerStatuses: [{ name, ready: true, state }] };
      this.#put({ apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec as Json, status });
    }
  }
}
