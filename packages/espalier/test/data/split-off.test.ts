import { expect, test } from 'vitest';
import { splitOffTest } from '../../src/data/split-off.js';

const images = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).flatMap(([label, count]) =>
    Array.from({ length: count }, (_, index) => ({ label, file: `${label}${index}` })),
  );

test.each([
  [2, 1],
  [14, 1],
  [15, 2],
  [100, 10],
])('of %i images of a class %i test', (count, tested) => {
  const { train, test } = splitOffTest(images({ a: count, b: 2 }));
  expect(test.filter(({ label }) => label === 'a')).toHaveLength(tested);
  expect(train).toHaveLength(count - tested + 1);
  expect(new Set([...train, ...test]).size).toBe(count + 2);
});

test('what tests of a class does not depend on the other classes', () => {
  const tested = (counts: Readonly<Record<string, number>>) =>
    splitOffTest(images(counts))
      .test.filter(({ label }) => label === 'b')
      .map(({ file }) => file);
  expect(tested({ b: 30 })).toHaveLength(3);
  expect(tested({ a: 7, b: 30, c: 2 })).toEqual(tested({ b: 30 }));
});
