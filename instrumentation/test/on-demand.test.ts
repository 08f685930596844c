/** An array that is made for who looks into it, and for nobody else. */
import { expect, it } from '@jest/globals';
import { onDemand } from '../src/exposition/on-demand.ts';

it.each<[string, (array: readonly number[]) => unknown]>([
  ['goes through it', (array) => [...array]],
  ['asks for one of it', (array) => array[0]],
  ['asks how many there are', (array) => array.length],
  ['asks for its keys', (array) => Object.keys(array)],
  ['writes it as JSON', (array) => JSON.stringify(array)],
])('is made for who %s', (_what, look) => {
  const { array, isMade } = onDemand(() => [1, 2]);
  expect(look(array)).toEqual(look([1, 2]));
  expect(isMade()).toBe(true);
});

it('is not made for who only asks whether there is one', () => {
  const { array, isMade } = onDemand(() => [1, 2]);
  expect([Boolean(array), Array.isArray(array), isMade()]).toEqual([true, true, false]);
});

it('is made once', () => {
  let made = 0;
  const { array } = onDemand(() => [++made]);
  expect([[...array], [...array]]).toEqual([[1], [1]]);
});
