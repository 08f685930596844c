/** Answers kubectl's initial questions about the API server itself. */

/** The kinds that exist, by group and version. */
const KINDS: Record<string, string[]> = {
  v1: ['Namespace', 'Node', 'Pod', 'Event', 'Service', 'ServiceAccount', 'ConfigMap'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['Job'],
  'networking.k8s.io/v1': ['NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'scheduling.k8s.io/v1': ['PriorityClass'],
  'storage.k8s.io/v1': ['StorageClass'],
};
const CLUSTER_WIDE = ['Namespace', 'Node', 'PriorityClass', 'StorageClass'];
const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

const plural = (kind: string) => kind.toLowerCase().replace(/y$/, 'ie').replace(/s$/, 'se').concat('s');
export const kindAt = (apiVersion: string, resource: string): string | undefined =>
  KINDS[apiVersion]?.find((kind) => plural(kind) === resource);

/** The response for a path, or undefined if the path is not part of discovery. */
export function discovery(path: string): unknown {
  if (path === '/readyz') return 'ok';
  if (path === '/version') return { major: '1', minor: '33', gitVersion: 'v1.33.0' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() };
  if (path.startsWith('/openapi/v3')) return openApi(path.replace(/^\/openapi\/v3\/?(apis?\/)?/, ''));
  const groupVersion = path.replace(/^\/apis?\//, '');
  const resources = KINDS[groupVersion]?.map((kind) => ({
    ...{ name: plural(kind), kind, verbs: VERBS },
    namespaced: !CLUSTER_WIDE.includes(kind),
  }));
  return resources && { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

function groups(): unknown[] {
  const versions = Object.keys(KINDS).filter((version) => version.includes('/'));
  return versions.map((groupVersion) => {
    const [name, version] = groupVersion.split('/');
    return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
  });
}

/** No schemas: kubectl only checks whether the server validates fields itself. */
function openApi(groupVersion: string): unknown {
  if (groupVersion === '') {
    const roots = Object.keys(KINDS).map((version) => (version === 'v1' ? 'api/v1' : `apis/${version}`));
    return {
      paths: Object.fromEntries(roots.map((one) => [one, { serverRelativeURL: `/openapi/v3/${one}` }])),
    };
  }
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  const parameters = [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }];
  const paths = (KINDS[groupVersion] ?? []).map((kind) => [
    `/${plural(kind)}/{name}`,
    { patch: { parameters, 'x-kubernetes-group-version-kind': { group, version, kind } } },
  ]);
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version }, paths: Object.fromEntries(paths) };
}
