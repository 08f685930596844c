/** Rule files of Prometheus as a PrometheusRule, the form in which the Prometheus Operator takes them. */
import { parse, stringify } from 'yaml';

/** A group as it stands in a rule file; what is in it the operator checks, and promtool does. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly object[];
}

const HEADER = `# Made of prometheus/rules by \`make generate\`. Do not edit: a test compares them.\n`;

/** @throws TypeError for a text that has no groups */
export function readGroups(text: string): RuleGroup[] {
  const file: unknown = parse(text);
  if (typeof file !== 'object' || file === null || !('groups' in file) || !Array.isArray(file.groups))
    throw new TypeError('expected a rule file of Prometheus, with "groups"');
  return file.groups;
}

/** @param texts the rule files, in the order in which their groups appear */
export function toPrometheusRule(texts: readonly string[]): string {
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'observability-stack', labels: { release: 'kube-prometheus-stack' } },
    spec: { groups: texts.flatMap(readGroups) },
  };
  return HEADER + stringify(rule, { lineWidth: 0 });
}
