import { describe, expect, test } from 'vitest';
import { compareMethods, type LabelledResult } from '../../src/reports/method-comparison.js';
import { methodsPage, methodsText } from '../../src/reports/method-report.js';

function result(strategy: string | null, seed: number, value: number | undefined, more = {}): LabelledResult {
  return {
    path: `runs/${strategy}-${seed}`,
    kind: 'run',
    finished: true,
    seed,
    label: String(seed),
    strategy,
    space: 'zoph-cnn',
    data: 'mnist',
    dataChecksum: 'ab12',
    settings: { strategy: String(strategy), trials: '10' },
    measure: { name: 'validation accuracy', better: 'higher', shown: 'percent' },
    value,
    hours: 2,
    device: 'CPU',
    budget: { amount: 20, unit: 'epochs' },
    course: value === undefined ? [] : [{ hours: 2, value }],
    children: [],
    ...more,
  };
}

const random = [0.5, 0.625, 0.75].map((value, seed) => result('random', seed, value));
const reinforce = [0.75, 0.75, 0.875].map((value, seed) => result('reinforce', seed, value, { hours: 4 }));

describe('methods', () => {
  test('are strategies over seeds, each compared with random search, paired by seed', () => {
    const [comparison, ...others] = compareMethods([...reinforce, ...random]);
    expect(others).toEqual([]);
    expect(comparison).toMatchObject({ space: 'zoph-cnn', data: 'mnist', notes: [] });
    const [first, second] = comparison?.methods ?? [];
    expect(first).toMatchObject({
      name: 'reinforce',
      summary: { n: 3, best: 0.875, worst: 0.75 },
      hours: 4,
      budget: { amount: 20, unit: 'epochs' },
      // Differences 0.25, 0.125, 0.125: of the 8 ways to swap, only all and none reach their sum.
      against: { baseline: 'random', difference: 0.5 / 3, pairs: 3, test: { p: 2 / 8, exact: true } },
    });
    expect(first?.against?.interval?.low).toBe(0.125);
    expect(second).toMatchObject({
      name: 'random',
      summary: { mean: 0.625, deviation: 0.125 },
      against: undefined,
    });
  });

  test('without common seeds are compared as independent samples', () => {
    const later = [0.875, 0.9375].map((value, index) => result('reinforce', 10 + index, value));
    const [comparison] = compareMethods([...random, ...later]);
    expect(comparison?.methods[1]?.against).toMatchObject({
      pairs: undefined,
      // The two highest of five; only the two lowest are as far away from the others.
      test: { p: 2 / 10, rearrangements: 10 },
    });
  });

  test('with one seed each have a difference but no test', () => {
    const [comparison] = compareMethods([result('random', 1, 0.5), result('reinforce', 1, 0.75)]);
    expect(comparison?.methods[1]).toMatchObject({
      interval: undefined,
      against: { difference: 0.25, test: undefined, interval: undefined },
    });
    expect(methodsText(comparison === undefined ? [] : [comparison], [])).toContain('too few seeds');
  });

  test('without random search carry a note', () => {
    const [comparison] = compareMethods(reinforce);
    expect(comparison?.notes).toEqual([
      'No random search is among these runs, so nothing says what the search itself is worth.',
    ]);
    expect(comparison?.methods[0]?.against).toBeUndefined();
    const comparisons = comparison === undefined ? [] : [comparison];
    expect(methodsText(comparisons, [])).toContain('note: No random search is among these runs');
    expect(methodsPage(comparisons, [])).toContain('No random search is among these runs');
  });

  test('carry notes on budgets that differ by more than a tenth, and on other settings', () => {
    const settings = { strategy: 'reinforce', trials: '12' };
    const longer = reinforce.map((one) => ({ ...one, budget: { amount: 24, unit: 'epochs' }, settings }));
    expect(compareMethods([...random, ...longer])[0]?.notes).toEqual([
      'The budgets differ: a run of reinforce has 24 epochs, one of random 20 epochs.',
      'reinforce and random differ in more than the strategy: trials 12 and 10.',
    ]);
    // In which order results are told follows from the strategy.
    const arriving = {
      'strategyOptions.window': '3',
      'search.strategyOptions.window': '3',
      order: 'arrival',
    };
    const ordered = (one: LabelledResult, more: object) => ({
      ...one,
      settings: { ...one.settings, ...more },
    });
    expect(
      compareMethods([
        ...random.map((one) => ordered(one, { order: 'virtual' })),
        ...reinforce.map((one) => ordered(one, arriving)),
      ])[0]?.notes,
    ).toEqual([]);
    const budget = (amount: number, unit: string) =>
      compareMethods([...random, ...reinforce.map((one) => ({ ...one, budget: { amount, unit } }))])[0]
        ?.notes;
    expect(budget(22, 'epochs')).toEqual([]);
    // As much of something else is not the same.
    expect(budget(20, 'trials')).toEqual([
      'The budgets differ: a run of reinforce has 20 trials, one of random 20 epochs.',
    ]);
    // Less is as unfair as more.
    expect(budget(18, 'epochs')).toEqual([
      'The budgets differ: a run of reinforce has 18 epochs, one of random 20 epochs.',
    ]);
  });

  test('of one strategy are named by the options that differ, and compared with the random search whose settings are nearest', () => {
    const more = { settings: { strategy: 'random', trials: '99', 'training.epochs': '5' } };
    const other = [0.6, 0.7].map((value, seed) => result('random', seed, value, more));
    const same = { settings: { strategy: 'reinforce', trials: '99', 'training.epochs': '5' } };
    const [comparison] = compareMethods([...random, ...other, result('reinforce', 0, 0.8, same)]);
    expect(comparison?.methods.map(({ name }) => name)).toEqual([
      'random (trials 10, epochs default)',
      'random (trials 99, epochs 5)',
      'reinforce',
    ]);
    expect(comparison?.methods[2]?.against?.baseline).toBe('random (trials 99, epochs 5)');
  });

  test('are compared only if they have the same measure, data and space', () => {
    const results = [
      ...random,
      result('reinforce', 0, 0.7, { space: 'nasnet' }),
      result('reinforce', 0, 0.7, { dataChecksum: 'cd34' }),
      result('reinforce', 0, 0.7, { measure: { name: 'test accuracy', better: 'higher', shown: 'percent' } }),
    ];
    expect(compareMethods(results).map(({ methods }) => methods.map(({ name }) => name))).toEqual([
      ['random'],
      ['reinforce'],
      ['reinforce'],
      ['reinforce'],
    ]);
  });

  test('are better with a lower perplexity', () => {
    const measure = {
      name: 'validation perplexity with shared weights',
      better: 'lower',
      shown: 'hundredths',
    };
    const values = [64.5, 63.25].map((value, seed) => result('random-ws', seed, value, { measure }));
    const darts = [62.5, 61.25].map((value, seed) => result('darts', seed, value, { measure }));
    const [comparison] = compareMethods([...values, ...darts]);
    expect(comparison?.methods[0]?.summary).toMatchObject({ best: 63.25, worst: 64.5 });
    expect(comparison?.methods[1]?.against).toMatchObject({ baseline: 'random-ws', difference: -2 });
    expect(methodsText(comparison === undefined ? [] : [comparison], [])).toMatch(
      /darts - random-ws +-2\.00 /,
    );
  });

  test('leave out a run without a value, and note one that has not finished', () => {
    const [comparison] = compareMethods([
      ...random,
      result('random', 3, undefined),
      result('random', 4, 0.625, { finished: false }),
    ]);
    expect(comparison?.methods[0]?.summary.n).toBe(4);
    expect(comparison?.notes).toEqual([
      'runs/random-3 has no value yet and is left out.',
      'runs/random-4 is not at its end; its value so far is taken.',
    ]);
  });

  test('reject the same run given twice', () => {
    expect(() =>
      compareMethods([...random, { ...(random[0] as LabelledResult), path: 'runs/copy' }]),
    ).toThrow(
      'runs/random-0 and runs/copy have the same settings and seed (0): they are one run, not two samples',
    );
  });
});

describe('the page', () => {
  test('has a table, the differences, both plots and the runs', () => {
    const page = methodsPage(compareMethods([...random, ...reinforce]), []);
    expect([...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, heading]) => heading)).toEqual([
      'validation accuracy, zoph-cnn on mnist',
      'Against random search',
      'Best so far by cost',
      'Final values',
      'How to read the tables',
      'Settings: validation accuracy, zoph-cnn on mnist',
      'Runs',
    ]);
    expect(page.match(/<svg/g)).toHaveLength(2);
    expect(page).toContain('<td>reinforce - random</td><td class="numeric">+16.67%</td>');
    expect(page).toContain('3 pairs, exact');
    expect(page).toContain('runs/reinforce-2');
  });
});
