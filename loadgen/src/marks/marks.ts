/**
 * The moments at which load runs started and ended, for the dashboards. Of each pattern only the last start and the last end
 * are kept, and none for longer than a minute: Prometheus has read them by then.
 */

export const MOMENTS = ['start', 'end'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Mark {
  readonly moment: Moment;
  readonly pattern: string;
}

const KEPT_MS = 60_000;

/** A sender that invents names fills neither this process nor Prometheus: what is above it goes, the oldest first. */
const MAX_PATTERNS = 50;

export interface Marks {
  add(mark: Mark): void;
  /** In the text format 0.0.4, each sample with its own moment: read twice, it is stored once. */
  text(): string;
}

/** @param clock milliseconds since 1970; the senders' own clocks are not asked, so no mark lies in the past of another */
export function createMarks(clock: () => number): Marks {
  const kept = { start: new Map<string, number>(), end: new Map<string, number>() };
  return {
    add({ moment, pattern }) {
      const times = kept[moment];
      times.delete(pattern);
      times.set(pattern, clock());
      for (const oldest of times.keys()) {
        if (times.size <= MAX_PATTERNS) break;
        times.delete(oldest);
      }
    },
    text() {
      const since = clock() - KEPT_MS;
      return MOMENTS.map((moment) => {
        const name = `loadgen_run_${moment}_time_seconds`;
        const samples = [...kept[moment]]
          .filter(([, atMs]) => atMs > since)
          .map(([pattern, atMs]) => `${name}{pattern="${escapeLabel(pattern)}"} ${atMs / 1000} ${atMs}\n`);
        return `# HELP ${name} When the sending of a load run's pattern had its ${moment}, in Unix seconds\n# TYPE ${name} gauge\n${samples.join('')}`;
      }).join('');
    },
  };
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
