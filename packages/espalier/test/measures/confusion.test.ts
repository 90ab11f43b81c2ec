import { describe, expect, it } from 'vitest';
import { Confusion, confusionIn, confusionMatrix } from '../../src/measures/confusion.js';

describe('a confusion', () => {
  it('counts which class is taken for which, in the order of the classes, and only what occurs', () => {
    const confusion = new Confusion();
    for (const [actual, predicted] of [
      [2, 0],
      [0, 10],
      [0, 2],
      [2, 0],
      [0, 0],
    ] as const)
      confusion.add(actual, predicted);
    expect(confusion.counts()).toEqual([
      [0, 0, 1],
      [0, 2, 1],
      [0, 10, 1],
      [2, 0, 2],
    ]);
  });

  it('becomes a table of the classes, with zeros where nothing occurred', () => {
    expect(
      confusionMatrix(
        [
          [0, 0, 2],
          [2, 1, 3],
        ],
        3,
      ),
    ).toEqual([
      [2, 0, 0],
      [0, 0, 0],
      [0, 3, 0],
    ]);
    // As many counts as a data set of a thousand classes may have.
    const many = Array.from({ length: 200_000 }, (_, index) => [0, index % 2, 1] as const);
    expect(confusionMatrix(many, 2)).toEqual([
      [1, 1],
      [0, 0],
    ]);
    // A class without a name.
    expect(confusionMatrix([[0, 1, 1]], 0)).toEqual([
      [0, 1],
      [0, 0],
    ]);
  });

  it('is read from what an evaluation counted, if that has one', () => {
    expect(confusionIn({ confusion: [[0, 1, 2]], more: true })).toEqual([[0, 1, 2]]);
    for (const details of [
      undefined,
      {},
      { confusion: 3 },
      { confusion: [[0, 1]] },
      { confusion: [[0, -1, 2]] },
    ])
      expect(confusionIn(details)).toBeUndefined();
  });
});
