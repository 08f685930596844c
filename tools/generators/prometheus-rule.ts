/** Converts Prometheus' rule files to a PrometheusRule, the format of the Prometheus Operator. */
import { Document, isMap, isScalar, parse, visit } from 'yaml';
import { z } from 'zod';

const RuleFile = z.strictObject({ groups: z.array(z.unknown()) });

/** @param texts the rule files, in the order of their groups */
export function toPrometheusRule(texts: readonly string[]): string {
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'observability-stack', labels: { release: 'kube-prometheus-stack' } },
    spec: { groups: texts.flatMap((text) => RuleFile.parse(parse(text)).groups) },
  };
  const header = '# Generated from prometheus/rules by `npm run generate`; a test compares them.\n';
  const document = new Document(rule);
  // As they are written in prometheus/rules.
  visit(document, {
    Pair(_, { key, value }) {
      if (isScalar(key) && key.value === 'labels' && isMap(value)) value.flow = true;
    },
  });
  return header + document.toString({ lineWidth: 0 });
}
