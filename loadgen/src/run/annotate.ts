/**
 * Marks on the dashboards: each pattern's start and end is told to the server of the marks (`marks/`), which Prometheus reads.
 * Nothing is written into Prometheus: it takes nothing from anybody.
 */
import { reasonOf } from '../common/errors.ts';

const REQUEST_TIMEOUT_MS = 10_000;

/** Tells a mark. A server that takes none is no reason for a run to fail: it is said, and that is all. */
export async function sendMark(
  marksUrl: string,
  moment: 'start' | 'end',
  pattern: string,
  warn: (text: string) => void,
): Promise<void> {
  try {
    const response = await fetch(`${marksUrl}/marks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ moment, pattern: pattern.slice(0, 100) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 120).trim()}`);
  } catch (error) {
    warn(`no mark on the dashboards: ${marksUrl} did not take it: ${reasonOf(error)}`);
  }
}
