/** What a reader of a report needs to run it again, or to tell why it came out otherwise there. */
import { availableParallelism, cpus, machine, release, type } from 'node:os';
import { hideInArgument } from '../common/secrets.ts';
import type { Environment } from '../report/report.ts';

export function describeEnvironment(commandLine: readonly string[]): Environment {
  const [first] = cpus();
  return {
    arguments: commandLine.map(hideInArgument),
    node: process.versions.node,
    system: `${type()} ${release()} ${machine()}`,
    processors: `${availableParallelism()} x ${first?.model.trim() ?? 'unknown'}`,
  };
}
