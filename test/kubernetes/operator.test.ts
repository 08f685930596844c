/** The Prometheus Operator gets the same settings as prometheus.yml. test/docs/generated.test.ts checks its rules. */
import { expect, it } from '@jest/globals';
import type { IServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import type { IConfigMap, IService } from 'kubernetes-models/v1';
import { parse } from 'yaml';
import { namesIn, read } from '../support/repository.ts';
import { objectsOf, ofKind, only, whereKubectlIs } from './rendered.ts';

const OPERATOR = 'overlays/operator';

whereKubectlIs('the overlay for the Prometheus Operator', () => {
  it('scrapes with all settings of prometheus.yml', () => {
    const { global, scrape_configs } = parse(read('prometheus/prometheus.yml'));
    const { job_name, dns_sd_configs, params, relabel_configs, ...job } = scrape_configs[0];
    const { endpoints, selector, ...settings } = only<IServiceMonitor>(
      OPERATOR,
      'ServiceMonitor',
      'api',
    ).spec;
    expect(settings).toEqual(renamed({ ...job, sample_limit: global.sample_limit }));
    const times = { interval: global.scrape_interval, scrapeTimeout: global.scrape_timeout };
    const relabelings = relabel_configs.map(renamed);
    expect(endpoints).toEqual([{ port: 'metrics', ...times, params, relabelings }]);
    const [service, ...others] = ofKind<IService>(OPERATOR, 'Service').filter(({ metadata }) =>
      Object.entries(selector.matchLabels ?? {}).every(([name, value]) => metadata?.labels?.[name] === value),
    );
    expect(others).toEqual([]);
    // The operator names a job after its Service, and the rules select the job.
    expect(service?.metadata?.name).toBe(job_name);
    const port = { name: 'metrics', port: dns_sd_configs[0].port };
    expect(service?.spec?.ports).toContainEqual(expect.objectContaining(port));
  });

  it('passes every dashboard to the Grafana sidecar, and includes neither Prometheus nor Grafana', () => {
    const dashboards = ofKind<IConfigMap>(OPERATOR, 'ConfigMap').filter(
      ({ metadata }) => metadata?.labels?.grafana_dashboard === '1',
    );
    const files = namesIn('grafana/dashboards').filter((name) => name.endsWith('.json'));
    expect(dashboards.flatMap(({ data = {} }) => Object.keys(data)).sort()).toEqual(files);
    const names = objectsOf(OPERATOR).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).not.toContainEqual(expect.stringMatching(/ (prometheus|grafana)$/));
  });
});

/** The ServiceMonitor's names for the settings of a scrape configuration. */
const NAMES: Readonly<Record<string, string>> = {
  sample_limit: 'sampleLimit',
  scrape_protocols: 'scrapeProtocols',
  always_scrape_classic_histograms: 'scrapeClassicHistograms',
  target_label: 'targetLabel',
  replacement: 'replacement',
};
const renamed = (settings: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [NAMES[name] ?? `${name} has no place there yet`, value]),
  );
