/** The environment of a run, for repeating it, or for explaining different results. */
import { availableParallelism, cpus, machine, release, type } from 'node:os';
import { versions } from 'node:process';
import type { Environment } from '../report/report.ts';

/** @param commandLine without credentials; empty if there is none */
export function describeEnvironment(commandLine: readonly string[]): Environment {
  const [first] = cpus();
  return {
    arguments: [...commandLine],
    node: versions.node,
    system: `${type()} ${release()} ${machine()}`,
    processors: `${availableParallelism()} x ${first?.model.trim() ?? 'unknown'}`,
  };
}
