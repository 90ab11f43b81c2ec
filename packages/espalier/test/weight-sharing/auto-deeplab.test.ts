import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/json.js';
import { resolveOptions } from '../../src/space/options.js';
import type { Batch, Task } from '../../src/tasks/task.js';
import { initialised } from '../../src/training/train-child.js';
import { autoDeepLabSearch } from '../../src/weight-sharing/auto-deeplab.js';
import type { EpochResult, SearchedSupernet } from '../../src/weight-sharing/supernet-search.js';
import { conforms, settings } from './conformance.js';

describe('the search of Auto-DeepLab', () => conforms(autoDeepLabSearch));

/** A search on the first setting, with the validation batches of its steps. */
function searched(options: object): { results: EpochResult[]; batches: Batch<object>[][]; weights: Json[] } {
  const { space, task, definition, build } = settings[0]!;
  const resolved = resolveOptions('the search', autoDeepLabSearch.options(definition), {
    batchSize: 5,
    ...options,
  }) as never;
  const supernet = initialised(build, 3) as unknown as SearchedSupernet<object>;
  const batches: Batch<object>[][] = [];
  const watched: Task<object> = Object.create(task, {
    pass: {
      *value(part: 'train' | 'validation', given: never) {
        for (const batch of task.pass(part, given)) {
          if (part === 'validation' && (given as { training?: object }).training !== undefined)
            batches.at(-1)?.push(batch);
          yield batch;
        }
      },
    },
  });
  const search = autoDeepLabSearch.create({ space, task: watched, supernet, options: resolved, seed: 3 });
  const results: EpochResult[] = [];
  while (!search.trained) {
    batches.push([]);
    for (const _ of search.trainEpoch());
    results.push(search.endEpoch());
  }
  search.free();
  supernet.free();
  return { results, batches, weights: results.map(({ weights }) => weights as Json) };
}

describe('the epochs of Auto-DeepLab', () => {
  const { results, batches, weights } = searched({ epochs: 4, alphaLearningRate: 0.5 });

  it('leave the architecture parameters alone in the first half, and move them in the second', () => {
    expect(batches.map((ofEpoch) => ofEpoch.length > 0)).toEqual([false, false, true, true]);
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).not.toEqual(weights[1]);
    expect(weights[3]).not.toEqual(weights[2]);
    expect(results.map(({ validationLoss }) => validationLoss !== undefined)).toEqual([
      ...[false, false, true, true],
    ]);
  });

  it('take another validation batch in each step, in another order in each epoch', () => {
    const [third, fourth] = batches.slice(2) as [Batch<object>[], Batch<object>[]];
    expect(new Set([...third, ...fourth]).size).toBe(third.length + fourth.length);
    expect(third.length).toBeGreaterThan(1);
  });

  it('journal the entropy of the choices, and how many changed', () => {
    const [first] = results as [EpochResult];
    const { normal } = first.entropy as Record<string, number>;
    // Alphas near zero: almost the logarithm of the number of operations.
    const operations = (first.weights as Record<string, number[][]>).normal![0]!.length;
    expect(normal).toBeCloseTo(Math.log(operations), 4);
    expect((results.at(-1)!.entropy as Record<string, number>).normal).toBeLessThan(normal!);
    expect(results.map(({ changed }) => changed !== undefined)).toEqual([false, true, true, true]);
    expect(Object.values(results[1]!.changed as object).every((count) => count === 0)).toBe(true);
    expect(Object.values(results[2]!.changed as Record<string, number>).some((count) => count > 0)).toBe(
      true,
    );
  });

  it('are trained without alphas for as many epochs as one says', () => {
    expect(searched({ epochs: 2, warmUp: 0 }).batches.map((ofEpoch) => ofEpoch.length > 0)).toEqual([
      true,
      true,
    ]);
  });
});
