/**
 * Marks on the dashboards: two gauges whose values are the moments at which a pattern's sending started and ended, pushed
 * to Prometheus' own OTLP receiver. No other service, no credentials, and the marks are kept as long as the metrics are.
 */
import type { Prometheus } from './prometheus.ts';

/** @param atSeconds seconds since 1970 */
export function toOtlpMark(moment: 'start' | 'end', pattern: string, atSeconds: number): unknown {
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const point = {
    attributes: [text('pattern', pattern)],
    timeUnixNano: String(BigInt(Math.round(atSeconds * 1000)) * 1_000_000n),
    asDouble: atSeconds,
  };
  const metric = { name: `loadgen_run_${moment}_time_seconds`, gauge: { dataPoints: [point] } };
  return {
    resourceMetrics: [
      { resource: { attributes: [text('service.name', 'loadgen')] }, scopeMetrics: [{ metrics: [metric] }] },
    ],
  };
}

/** Pushes a mark. A Prometheus that takes none is no reason for a run to fail: it is said, and that is all. */
export async function pushMark(
  prometheus: Prometheus,
  moment: 'start' | 'end',
  pattern: string,
  warn: (text: string) => void,
): Promise<void> {
  try {
    await prometheus.push(toOtlpMark(moment, pattern, Date.now() / 1000));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(`no mark on the dashboards: ${prometheus.url} did not take it: ${reason}`);
  }
}
