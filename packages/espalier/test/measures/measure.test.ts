import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import {
  bestValue,
  decidingValue,
  goodness,
  isBetter,
  type Measure,
  type Measures,
  type Objectives,
  objectivesSchema,
} from '../../src/measures/measure.js';
import { measures } from '../../src/measures/measure-names.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { tasks } from '../../src/tasks/task-names.js';

const higher = { name: 'score', better: 'higher' } as const;
const lower = { name: 'cost', better: 'lower' } as const;

describe('the value that decides', () => {
  it('is that of the first objective, whatever else was measured', () => {
    expect(decidingValue([accuracy, perplexity], { perplexity: 62.4, accuracy: 0.93, params: 7 })).toBe(0.93);
    expect(decidingValue([perplexity], { perplexity: 62.4, accuracy: 2 })).toBe(62.4);
  });

  it('may be at either end of the range of its measure', () => {
    for (const value of [0, 1]) expect(decidingValue([accuracy], { accuracy: value })).toBe(value);
    expect(decidingValue([perplexity], { perplexity: 1 })).toBe(1);
    expect(decidingValue([lower], { cost: -1e300 })).toBe(-1e300);
  });

  const range = (least?: number, most?: number): Objectives => [
    {
      ...higher,
      ...(least === undefined ? {} : { least }),
      ...(most === undefined ? {} : { most }),
    },
  ];

  it.each<[what: string, Objectives, Measures, message: string]>([
    ['above', [accuracy], { accuracy: 1.5 }, 'the accuracy is 1.5; allowed: 0 to 1'],
    ['below', [accuracy], { accuracy: -0.5 }, 'the accuracy is -0.5; allowed: 0 to 1'],
    [
      'below the only bound',
      [perplexity],
      { perplexity: 0.5 },
      'the perplexity is 0.5; allowed: 1 and above',
    ],
    ['above the only bound', range(undefined, 1), { score: 2 }, 'the score is 2; allowed: 1 and below'],
    ['NaN', range(0, 1), { score: Number.NaN }, 'the score is NaN; allowed: 0 to 1'],
    [
      'infinite without bounds',
      range(),
      { score: Number.POSITIVE_INFINITY },
      'the score is Infinity; allowed: a finite number',
    ],
    [
      'infinite beyond no bound',
      range(0),
      { score: Number.POSITIVE_INFINITY },
      'the score is Infinity; allowed: 0 and above',
    ],
    [
      'missing',
      [accuracy],
      { loss: 0.3, params: 12 },
      "the measures are loss, params; the search is judged by 'accuracy', which is missing",
    ],
    [
      'missing among none',
      [accuracy],
      {},
      "the measures are none; the search is judged by 'accuracy', which is missing",
    ],
  ])('is refused with what is allowed: %s', (_, objectives, measured, message) => {
    expect(() => decidingValue(objectives, measured)).toThrow(new TypeError(message));
  });
});

describe('the direction of a measure', () => {
  it('says which of two values is better; neither of two that are equal', () => {
    expect([isBetter(higher, 2, 1), isBetter(higher, 1, 2), isBetter(higher, 1, 1)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([isBetter(lower, 2, 1), isBetter(lower, 1, 2), isBetter(lower, 1, 1)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('turns every value into one of which more is better', () => {
    expect([goodness(higher, 0.75), goodness(lower, 62.5)]).toEqual([0.75, -62.5]);
  });

  it('says which of several values is the best, and of none that there is none', () => {
    expect(bestValue(higher, [3, -1, 5, 4])).toBe(5);
    expect(bestValue(lower, [3, -1, 5, 4])).toBe(-1);
    expect([bestValue(higher, []), bestValue(lower, [])]).toEqual([undefined, undefined]);
  });
});

describe('the measures in the box', () => {
  it('are found by their names', () => {
    expect([...measures].map(([name, measure]) => [name, measure.name, measure.better])).toEqual([
      ['accuracy', 'accuracy', 'higher'],
      ['miou', 'miou', 'higher'],
      ['pixelAccuracy', 'pixelAccuracy', 'higher'],
      ['perplexity', 'perplexity', 'lower'],
      ['bpc', 'bpc', 'lower'],
      ['loss', 'loss', 'lower'],
      ['params', 'params', 'lower'],
      ['macs', 'macs', 'lower'],
    ]);
  });

  it('have the ranges that their definitions give', () => {
    expect([...measures.values()].map(({ least, most }) => [least, most])).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
      [1, undefined],
      [0, undefined],
      [undefined, undefined],
      [0, undefined],
      [0, undefined],
    ]);
  });
});

describe('objectives in the header of a run', () => {
  it('of every task come back from JSON as they were', () => {
    for (const { measures: objectives } of tasks.values())
      expect(objectivesSchema.parse(JSON.parse(JSON.stringify(objectives)))).toEqual(objectives);
  });

  it('are at least one measure, each with a name and a direction and no other keys', () => {
    const one: Measure = { name: 'mse', better: 'lower' };
    expect(objectivesSchema.safeParse([one, { ...one, name: 'r2' }]).success).toBe(true);
    for (const wrong of [
      [],
      [{ name: 'mse' }],
      [{ name: '', better: 'lower' }],
      [{ name: 'mse', better: 'less' }],
      [{ ...one, unit: 'cm' }],
      [{ ...one, shown: 'thousandths' }],
      { ...one },
    ])
      expect(objectivesSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  });
});
