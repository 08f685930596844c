// Writes overlays/operator/prometheus-rule.yaml anew: `npm run generate --workspace kubernetes`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { toPrometheusRule } from './prometheus-rule.ts';

const rules = new URL('../../prometheus/rules/', import.meta.url);
const texts = readdirSync(rules)
  .filter((name) => name.endsWith('.yml'))
  .sort()
  .map((name) => readFileSync(new URL(name, rules), 'utf8'));
writeFileSync(new URL('../overlays/operator/prometheus-rule.yaml', import.meta.url), toPrometheusRule(texts));
