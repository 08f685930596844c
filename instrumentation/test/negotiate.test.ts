import { describe, expect, it } from '@jest/globals';
import { acceptsGzip, negotiateFormat } from '../src/exposition/negotiate.ts';

const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
  'application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,' +
  'text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

/** Sent by a Prometheus that scrapes native histograms; 3.5 and 3.14 differ only in parameters and quality values. */
const prometheusWithNative =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8;q=0.5,' +
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
const protobuf =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

describe('the format', () => {
  it.each([
    [prometheusWithNative, 'protobuf'],
    [
      protobuf.replace('io.prometheus.client.MetricFamily', '"io.prometheus.client.MetricFamily"'),
      'protobuf',
    ],
    [`${protobuf};q=0.1, text/plain;q=0.2`, 'text'],
    ['application/vnd.google.protobuf', 'text'],
    ['application/vnd.google.protobuf;q=0.9, application/openmetrics-text;q=0.1', 'openmetrics'],
    [protobuf.replace('delimited', 'compact-text'), 'text'],
    [protobuf.replace('MetricFamily', 'Metric'), 'text'],
    [undefined, 'text'],
    ['', 'text'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    ['APPLICATION/OPENMETRICS-TEXT;Version=1.0.0', 'openmetrics'],
    ['application/openmetrics-text;version=2.0.0, text/plain;q=0.1', 'text'],
    ['application/openmetrics-text;q=0.3, text/plain;q=0.7', 'text'],
    ['application/openmetrics-text;q=0, */*;q=0.1', 'text'],
    ['application/openmetrics-text;q=nonsense, text/plain;q=0.1', 'text'],
    ['text/plain;q=0.5, application/openmetrics-text;q=0.5', 'text'],
    ['application/openmetrics-text;q=0.5, text/plain;q=0.5', 'openmetrics'],
    [prometheus3, 'openmetrics'],
  ])('requested as %s is %s', (accept, format) => {
    expect(negotiateFormat(accept)).toBe(format);
  });
});

describe('gzip', () => {
  it.each([
    [undefined, false],
    ['deflate, GZIP;q=0.5', true],
    ['gzip;q=0', false],
    ['gzip;q=0, *', false],
    ['*', true],
    ['identity', false],
  ])('is %s accepted: %s', (acceptEncoding, accepted) => {
    expect(acceptsGzip(acceptEncoding)).toBe(accepted);
  });
});
