/** What the Prometheus Operator is told is what prometheus/ says to a Prometheus of one's own. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import type {
  IPrometheusRule,
  IServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import type { IConfigMap, IService } from 'kubernetes-models/v1';
import { parse } from 'yaml';
import { objectsOf, ofKind, only, repositoryRoot, whereKubectlIs } from './rendered.ts';

const read = (path: string) => readFileSync(new URL(path, repositoryRoot), 'utf8');
const rules = readdirSync(new URL('prometheus/rules', repositoryRoot))
  .filter((name) => name.endsWith('.yml'))
  .sort()
  .map((name) => read(`prometheus/rules/${name}`));

whereKubectlIs('the overlay for the Prometheus Operator', () => {
  it('has every rule of the repository', () => {
    const { spec } = only<IPrometheusRule>('overlays/operator', 'PrometheusRule', 'observability-stack');
    expect(spec.groups).toEqual(rules.flatMap((text) => parse(text).groups));
  });

  it('scrapes as prometheus.yml does, with everything that stands there', () => {
    const { global, scrape_configs } = parse(read('prometheus/prometheus.yml'));
    const { job_name, dns_sd_configs, params, relabel_configs, ...job } = scrape_configs[0];
    const { spec } = only<IServiceMonitor>('overlays/operator', 'ServiceMonitor', 'api');
    const { endpoints, selector, ...settings } = spec;
    expect(settings).toEqual(renamed({ ...job, sample_limit: global.sample_limit }));
    expect(endpoints).toEqual([
      {
        port: 'metrics',
        interval: global.scrape_interval,
        scrapeTimeout: global.scrape_timeout,
        params,
        relabelings: relabel_configs.map(renamed),
      },
    ]);
    const [service, ...others] = ofKind<IService>('overlays/operator', 'Service').filter(({ metadata }) =>
      Object.entries(selector.matchLabels ?? {}).every(([name, value]) => metadata?.labels?.[name] === value),
    );
    expect(others).toEqual([]);
    // The operator names a job after its Service, and the rules ask for the job.
    expect(service?.metadata?.name).toBe(job_name);
    expect(service?.spec?.ports).toContainEqual(
      expect.objectContaining({ name: 'metrics', port: dns_sd_configs[0].port }),
    );
  });

  it('hands every dashboard to the sidecar of Grafana, and brings no Prometheus and no Grafana of its own', () => {
    const dashboards = ofKind<IConfigMap>('overlays/operator', 'ConfigMap').filter(
      ({ metadata }) => metadata?.labels?.grafana_dashboard === '1',
    );
    const files = readdirSync(new URL('grafana/dashboards', repositoryRoot)).filter((name) =>
      name.endsWith('.json'),
    );
    expect(dashboards.flatMap(({ data = {} }) => Object.keys(data)).sort()).toEqual(files.sort());
    expect(
      objectsOf('overlays/operator').map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ).not.toContainEqual(expect.stringMatching(/ (prometheus|grafana)$/));
  });
});

/** Settings of a scrape, under the names of the ServiceMonitor. */
function renamed(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names: Record<string, string> = {
    sample_limit: 'sampleLimit',
    scrape_protocols: 'scrapeProtocols',
    always_scrape_classic_histograms: 'scrapeClassicHistograms',
    target_label: 'targetLabel',
    replacement: 'replacement',
  };
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const known = names[name];
      if (known === undefined)
        throw new Error(`prometheus.yml: "${name}" has no place in the ServiceMonitor yet`);
      return [known, value];
    }),
  );
}
