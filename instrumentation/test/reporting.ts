/** Workers and a primary to which they report, in one process. */

import { expect } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import type { Link } from '../src/cluster/link.ts';
import { Members } from '../src/cluster/members.ts';
import type { ToWorker } from '../src/cluster/messages.ts';
import { Reporter } from '../src/cluster/reporter.ts';
import { createRequestDifferences } from '../src/cluster/request-differences.ts';
import type { RequestTotals } from '../src/cluster/request-totals.ts';
import type { AnyRegistry } from '../src/library.ts';
import {
  addRequest,
  createRequestCounts,
  createRow,
  expose,
  type RequestCounts,
} from '../src/recording/counts.ts';
import { linesOf } from './expositions.ts';

export function reporting(totals: RequestTotals, counts: RequestCounts) {
  const refresh = () => undefined;
  const take = createRequestDifferences(
    { registry: new Registry(), counts, prefix: '', own: new Set(), refresh },
    0,
  );
  let joined: ReturnType<typeof totals.open> | undefined;
  return {
    counts,
    /** Sends a report as over IPC. */
    report() {
      const report = JSON.parse(JSON.stringify(take())) as ReturnType<typeof take>;
      if (report.definition) joined = totals.open(report.definition);
      joined?.add(report);
      return report;
    },
    end: () => joined?.end(),
  };
}

/** Sends a primary's message to a worker. */
export type Send = (message: ToWorker) => void;

export function createPrimary({ intervalMs = 60_000, warn = (_message: string) => {} } = {}) {
  let questions = 0;
  const send = (worker: Send, message: ToWorker) => {
    if (message.kind === 'question') questions++;
    worker(message);
  };
  const members = new Members<Send>(send, intervalMs, warn);
  const now = () => linesOf(members.read());
  const lines = async (timeoutMs = 60_000) => {
    await members.ask(timeoutMs);
    return now();
  };
  return {
    members,
    questions: () => questions,
    /** The lines of what has been reported. */
    now,
    lines,
    expectLines: async (...some: string[]) => expect(await lines()).toEqual(expect.arrayContaining(some)),
  };
}

/** A worker whose messages arrive immediately, as JSON. */
export function createWorker({ members }: { readonly members: Pick<Members<Send>, 'receive' | 'end'> }) {
  let receive: Send = () => undefined;
  let messages = 0;
  let end: Parameters<Link['watchEnd']> = [async () => undefined, () => undefined];
  const copy = <T>(message: T) => JSON.parse(JSON.stringify(message)) as T;
  const worker: Send = (message) => receive(copy(message));
  const reporter = new Reporter({
    processMetrics: /^(process|nodejs)_/,
    listen: (listener) => {
      receive = listener;
    },
    send(message, sent) {
      messages++;
      members.receive(worker, copy(message));
      sent();
    },
    watchEnd: (...listeners) => {
      end = listeners;
    },
  });
  return {
    worker,
    /** The number of messages that it has sent. */
    sent: () => messages,
    kill: () => members.end(worker),
    /** As by `process.exit()`. */
    exit() {
      end[1]();
      members.end(worker);
    },
    /** As by SIGTERM. */
    async stop() {
      await end[0]();
      this.exit();
    },
    /** An application with a route `/a`. */
    add(registry: AnyRegistry, prefix = '') {
      const onFull = () => undefined;
      const counts = createRequestCounts({ bounds: [1], hasNative: false, maxRows: 5, onFull });
      const row = expose(counts, createRow('/a', 'get')) as ReturnType<typeof createRow>;
      const refresh = () => undefined;
      const joined = reporter.add({ registry, counts, prefix, own: new Set(), refresh });
      return { ...joined, counts, request: () => addRequest(counts, row, 200, 0.5) };
    },
  };
}
