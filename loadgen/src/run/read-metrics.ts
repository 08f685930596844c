/** Resolves `--metrics`: a preset, a counter whose labels are detected, or a file with a mapping. */
import { UsageError } from '../common/errors.ts';
import { AUTO, type MetricsChoice, mappingSchema } from '../common/metrics.ts';
import { PRESET_NAMES } from '../common/presets.ts';
import { readYaml } from '../pattern/pattern-file.ts';

/** @throws UsageError for any other value, and with every error in the file */
export async function readMetrics(text: string): Promise<MetricsChoice> {
  if (text === 'auto' || PRESET_NAMES.includes(text) || /^[a-zA-Z_:][\w:]*_(total|count)$/.test(text))
    return { ...AUTO, metrics: text };
  if (/[/\\]|\.(ya?ml|json)$/.test(text))
    return { ...AUTO, metrics: await readYaml('the mapping', text, mappingSchema) };
  throw new UsageError(
    `--metrics: expected auto, one of ${PRESET_NAMES.join(', ')}, the name of a counter, or a file (./metrics.yaml), got "${text}"`,
  );
}
