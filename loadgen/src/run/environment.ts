/** Where a run takes place: what a reader of its report needs to run it again, or to see why it came out otherwise there. */
import { availableParallelism, cpus, machine, release, type } from 'node:os';
import { versions } from 'node:process';
import type { Environment } from '../report/report.ts';

/** @param commandLine without credentials; empty where there is none */
export function describeEnvironment(commandLine: readonly string[]): Environment {
  const [first] = cpus();
  return {
    arguments: [...commandLine],
    node: versions.node,
    system: `${type()} ${release()} ${machine()}`,
    processors: `${availableParallelism()} x ${first?.model.trim() ?? 'unknown'}`,
  };
}
