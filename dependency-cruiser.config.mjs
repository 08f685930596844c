// Defines which files may import which, for `npm run lint`. Paths are relative to the repository's root. Layers may import
// only the files listed here.

import { readFileSync } from 'node:fs';

/** The layers of each workspace, which are folders or files, and which other layers of the workspace each may import. */
const LAYERS = {
  loadgen: {
    'common/': [],
    'load/': ['common/'],
    'http/': ['common/'],
    'pattern/': ['common/', 'load/'],
    'verify/': ['common/'],
    'report/': ['common/', 'load/', 'verify/'],
    'run/': ['common/', 'load/', 'http/', 'pattern/', 'verify/', 'report/'],
    'cli/': ['common/', 'report/', 'run/'],
    api: ['common/', 'pattern/', 'report/', 'run/'],
  },
  app: {
    simulation: [],
    routes: [],
    config: [],
    'request-log': [],
    relay: [],
    errors: ['request-log'],
    'mount-routes': ['routes'],
    app: ['config', 'routes', 'mount-routes', 'errors', 'relay', 'request-log', 'simulation'],
  },
  // `recording` does not know the exposition, and `exposition` does not know Express.
  instrumentation: {
    'recording/': [],
    'express/': ['recording/'],
    'exposition/': ['recording/'],
    within: [],
    library: ['exposition/', 'load-peer', 'within'],
    'metrics/': ['library', 'exposition/', 'recording/'],
    'shutdown/': ['library', 'recording/', 'within'],
    'user-function': ['exposition/'],
    listen: ['user-function'],
    protection: [],
    options: ['installed-registry', 'library', 'recording/', 'user-function'],
    endpoint: ['exposition/', 'library', 'listen', 'metrics/', 'options', 'shutdown/'],
    'exemplar-source': ['load-peer', 'options', 'recording/', 'user-function'],
    'max-series': ['options', 'library', 'recording/'],
    'join-aggregate': ['cluster/'],
    'cluster/': [
      'endpoint',
      'exposition/',
      'installed-registry',
      'library',
      'metrics/',
      'options',
      'recording/',
      'within',
    ],
  },
};

const layers = Object.entries(LAYERS).flatMap(([root, layersOf]) => {
  const pathOf = (layer) => `^${root}/src/${layer.endsWith('/') ? layer : `${layer}\\.(ts|cjs)$`}`;
  return Object.entries(layersOf).map(([layer, allowed]) => ({
    name: `${root}: ${layer} -> ${allowed.join(', ') || 'nothing else'}`.replaceAll('/', ''),
    severity: 'error',
    from: { path: pathOf(layer) },
    to: { path: `^${root}/src/`, pathNot: [layer, ...allowed].map(pathOf) },
  }));
});

const { workspaces } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** Workspaces whose internals another may import, because no package exports them. */
const insiders = {
  // Benchmarks the API with other routes, and generates the dashboards.
  tools: ['app', 'grafana', 'test'],
  // Tests the dashboards' sources in a real Grafana, and compares the rules with the settings of the app.
  test: ['app', 'grafana', 'tools'],
};

export default {
  forbidden: [
    ...layers,
    {
      name: 'instrumentation: cluster is loaded in workers, by one module, and imported nowhere',
      severity: 'error',
      from: {
        path: '^instrumentation/src/',
        pathNot: '^instrumentation/src/(cluster/|join-aggregate\\.ts$)',
      },
      to: { path: '^instrumentation/src/cluster/' },
    },
    {
      name: 'instrumentation: join-aggregate loads cluster, and imports only its types',
      severity: 'error',
      from: { path: '^instrumentation/src/join-aggregate\\.ts$' },
      to: { path: '^instrumentation/src/cluster/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'main.ts is not imported',
      comment: 'main.ts reads arguments and signals when it is imported: tests start it as a process.',
      severity: 'error',
      from: {},
      to: { path: '/src/main\\.ts$' },
    },
    {
      name: 'load imports neither files nor sockets',
      severity: 'error',
      from: { path: '^loadgen/src/load/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only http connects to the target, and only exchange to Prometheus',
      severity: 'error',
      from: { path: '^loadgen/src/', pathNot: '^loadgen/src/(http/|verify/exchange\\.ts$)' },
      to: { path: '^(node:)?(net|tls|http|https|dns|dgram)(/|$)', dependencyTypes: ['core'] },
    },
    ...workspaces.map((name) => {
      const others = workspaces.filter((other) => other !== name && !insiders[name]?.includes(other));
      return {
        name: `${name}: no internals of other workspaces`,
        comment: 'A workspace is imported by its package name; its tests and benchmarks run it as a process.',
        severity: 'error',
        from: { path: `^${name}/` },
        to: { path: `^(${others.join('|')})/(src|test|dist)/` },
      };
    }),
    {
      name: 'sources do not import tests',
      severity: 'error',
      from: { path: '/src/' },
      to: { path: '(^|/)(test|tools)/' },
    },
    {
      name: 'no cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no unresolved imports',
      comment: 'These projects install their own packages.',
      severity: 'error',
      from: { pathNot: '/project-setups/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Version 7 of the `typescript` package has no JavaScript API; swc parses the same syntax.
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['(^|/)node_modules/.*/node_modules/', '(^|/)dist/'] },
  },
};
