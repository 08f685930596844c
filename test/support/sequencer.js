/**
 * The order of test files: those that take minutes first, so that no worker is left with one at the end, even in a clone without
 * a cache of durations.
 */
import Sequencer from '@jest/test-sequencer';

const FIRST =
  /\/(integration\/(commands|conformance|rolling|tutorial)|faults\/killed|docs\/tutorial)\.test\.ts$/;

const rank = ({ path }) => (FIRST.test(path) ? 0 : 1);

export default class extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
