/**
 * Prometheus with REMOTE_WRITE_URL: the other store receives every sample, including those of its own downtime under load, and a
 * verification against it works as well.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { run } from 'exact-load';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { docker } from '../support/command.ts';
import { exposed } from '../support/faults.ts';
import { freePort } from '../support/free-port.ts';
import { nextScrape, queryValue } from '../support/prometheus.ts';
import { settingOf } from '../support/repository.ts';
import { type Stack, startStack, urlOf } from '../support/stack.ts';
import { eventually, PATIENCE_MS } from '../support/until.ts';

interface Samples {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
  /** Native histograms: count, sum and buckets. */
  histograms?: [number, object][];
}

const LABELS = { cluster: 'one', replica: 'prometheus-0' };

const STORES = {
  Prometheus: {
    image: settingOf('PROMETHEUS_IMAGE'),
    command: [
      '--config.file=/dev/null',
      '--storage.tsdb.path=/tmp/data',
      '--web.enable-remote-write-receiver',
      '--enable-feature=native-histograms',
    ],
    port: 9090,
    compared: '{__name__!=""}',
    hasNative: true,
    digits: undefined,
  },
  // It keeps twelve digits of each number and does not support stale markers of native histograms.
  VictoriaMetrics: {
    image: process.env.TEST_VICTORIA_IMAGE,
    command: ['-storageDataPath=/tmp/data'],
    port: 8428,
    compared: '{__name__=~"up|process_start_time_seconds|http_.*_(total|count|sum|bucket)"}',
    hasNative: false,
    digits: 12,
  },
};

/** VictoriaMetrics returns stale markers as samples. */
const isNoMarker = ([, value]: [number, string]) => value !== 'NaN';

describe.each(Object.entries(STORES))(
  '%s',
  (_name, { image, command, port, compared, hasNative, digits }) => {
    const test = image === undefined ? it.skip : it;
    let stack: Stack;
    let store: StartedTestContainer | undefined;

    beforeAll(async () => {
      if (image === undefined) return;
      const url = `http://store:${port}/api/v1/write`;
      stack = await startStack({
        replicas: 2,
        remoteWrite: {
          REMOTE_WRITE_URL: url,
          REMOTE_WRITE_NATIVE_HISTOGRAMS: String(hasNative),
          CLUSTER_NAME: LABELS.cluster,
        },
      });
      store = await new GenericContainer(image)
        .withNetwork(stack.network)
        .withNetworkAliases('store')
        .withCommand(command)
        // A fixed port, which stays the same after a restart.
        .withExposedPorts({ container: port, host: await freePort() })
        .withStartupTimeout(PATIENCE_MS)
        .start();
    });

    afterAll(async () => {
      await store?.stop({ remove: true, removeVolumes: true });
      await stack?.stop();
    });

    /** A response of the store or of Prometheus by series, without the labels that identify the server. */
    async function ask(url: string, query: string, time: number): Promise<Record<string, object>> {
      // Without `nocache`, VictoriaMetrics evaluates at a time 30 s ago.
      const params = { query, time, nocache: 1 };
      const { data } = await axios.get<{ data: { result: Samples[] } }>(`${url}/api/v1/query`, { params });
      const round = ([at, value]: [number, string]) => [
        at,
        digits ? Number(value).toPrecision(digits) : value,
      ];
      const entries = data.data.result.map(
        ({ metric: { cluster, replica, ...metric }, value, values, ...others }) => {
          if (url !== stack.prometheusUrl) expect({ cluster, replica }).toEqual(LABELS);
          return [
            JSON.stringify(Object.entries(metric).sort()),
            { ...others, values: (value ? [value] : values)?.filter(isNoMarker).map(round) },
          ] as const;
        },
      );
      return Object.fromEntries(entries);
    }

    test('has every sample, including those of its downtime and of a process that ended in it', async () => {
      const { prometheusUrl, apiUrl, metricsUrl, replicas } = stack;
      const id = store?.getId() as string;
      const stop = new AbortController();
      const sending = run({
        pattern: 'steady',
        rate: 100,
        duration: '10m',
        target: apiUrl,
        prometheus: prometheusUrl,
        signal: stop.signal,
      });
      const sent = () => exposed(metricsUrl, 'http_requests_total');
      await eventually('the first requests', async () => (await sent()) > 0);
      await nextScrape(prometheusUrl);
      await docker('stop', id);
      await replicas[1]?.stop();
      for (let scrapes = 0; scrapes < 12; scrapes++) await nextScrape(prometheusUrl);
      await docker('start', id);
      stop.abort();
      expect((await sending).verification?.verdict).toBe('verified');
      await nextScrape(prometheusUrl);
      // Not before that scrape: the previous one may have failed.
      const time = Math.ceil(Date.now() / 1000);
      // Prometheus backdates the 0 of a process that started before it, and does not forward it.
      const started = await queryValue(prometheusUrl, 'process_start_time_seconds{job="prometheus"}');
      const seconds = Math.floor(time - started);
      const storeUrl = urlOf(store as StartedTestContainer, port);
      await eventually('the store to have the same samples', async () => {
        for (const query of [`${compared}[${seconds}s]`, compared]) {
          const sent = await ask(prometheusUrl, query, time);
          expect(Object.keys(sent).length).toBeGreaterThan(500);
          expect(JSON.stringify(sent).includes('"histogram')).toBe(hasNative);
          expect(await ask(storeUrl, query, time)).toEqual(sent);
        }
        return true;
      });
    });

    test('serves a verification, which waits for samples on their way', async () => {
      const prometheus = urlOf(store as StartedTestContainer, port);
      const { verification } = await run({ pattern: 'lab', target: stack.apiUrl, prometheus });
      expect(verification).toMatchObject({ verdict: 'verified', answered: 133 });
    });
  },
);
