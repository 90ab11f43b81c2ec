import { noGrad } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { DARTS_OPERATIONS, type DartsGenotype } from '../../src/networks/darts/genotype.js';
import { Diverged, evaluate } from '../../src/tasks/task.js';
import { pathOf } from '../../src/weight-sharing/path.js';
import { randomWeightSharing, roundsFor } from '../../src/weight-sharing/random-ws.js';
import { begin, conforms, epoch, settings } from './conformance.js';

describe('random search with weight sharing', () => {
  conforms(randomWeightSharing, { candidates: 6, finalists: 2, batches: 1 });

  it.each([
    // CIFAR-10: half of 50,000 images, batches of 64, 150 epochs: B = 58,593.
    [(150 * 25_000) / 64, 5],
    // Penn Treebank: 929,589 tokens, 64 texts of 35 tokens, 50 epochs: B = 20,749.
    [(50 * 929_589) / 64 / 35, 2],
    [19_999.9, 1],
    [20_000, 2],
    [10, 1],
  ])('has max(1, floor(B / 10,000)) rounds: for B = %d', (steps, rounds) => {
    expect(roundsFor(steps)).toBe(rounds);
  });

  const [cells] = settings as [(typeof settings)[0]];

  it('trains in a step only the weights of the architecture that it has drawn', () => {
    const { search, supernet, end } = begin(randomWeightSharing, cells, { momentum: 0, weightDecay: 0 });
    const state = () => new Map([...supernet.stateDict()].map(([name, value]) => [name, value.toNumbers()]));
    const before = state();
    search.trainEpoch().next();
    const operations = [...state()].flatMap(([name, values]) => {
      const edge = /^(cells\.0\._ops\.\d+\._ops\.\d+)\..*weight$/.exec(name)?.[1];
      return edge !== undefined && String(values) !== String(before.get(name)) ? [edge] : [];
    });
    // Two nodes with two edges each, of which those of pooling, skipping and nothing have no weights.
    expect(new Set(operations).size).toBeLessThanOrEqual(4);
    const moved = [...state()].filter(([name, values]) => String(values) !== String(before.get(name)));
    expect(moved.map(([name]) => name)).toContain('classifier.weight');
    end();
  });

  it('chooses the best of the finalists, which it has measured on all validation data', () => {
    const { search, supernet, end } = begin(randomWeightSharing, cells, {
      candidates: 8,
      finalists: 3,
      batches: 1,
    });
    while (!search.trained) epoch(search);
    const choice = search.choose();
    const steps = [];
    let next = choice.next();
    for (; !next.done; next = choice.next()) steps.push(next.value.done);
    expect(steps).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
    const { architecture, details } = next.value;
    const finalists = details.finalists as { round: number; score: number; accuracy: number }[];
    expect(finalists).toHaveLength(3);
    expect(details.accuracy).toBe(Math.max(...finalists.map(({ accuracy }) => accuracy)));
    // Sorted by their scores on the first batches.
    expect(finalists.map(({ score }) => score)).toEqual(
      finalists.map(({ score }) => score).sort((a, b) => b - a),
    );
    supernet.eval();
    expect(evaluate(cells.task, pathOf(supernet, architecture), 'validation', { size: 9 })).toBe(
      details.accuracy,
    );
    end();
  });

  it('leaves out an architecture that gives no numbers, and diverges where none gives any', () => {
    const { search, supernet, end } = begin(randomWeightSharing, cells, {
      candidates: 40,
      finalists: 40,
      batches: 1,
    });
    const state = supernet.stateDict();
    // One operation of one edge of the first cell.
    noGrad(() => state.get('cells.0._ops.1._ops.4.op.1.weight')!.fill_(Number.NaN));
    const drain = () => {
      const choice = search.choose();
      let next = choice.next();
      while (!next.done) next = choice.next();
      return next.value;
    };
    const { architecture, details } = drain();
    const spoilt = (genotype: unknown) =>
      (genotype as DartsGenotype).normal
        .slice(0, 2)
        .some(([operation, from]) => operation === DARTS_OPERATIONS[4] && from === 1);
    expect(spoilt(architecture)).toBe(false);
    // Some were drawn that have it, and they are not among those that were measured.
    const { length } = details.finalists as unknown[];
    expect([length > 0, length < 40]).toEqual([true, true]);
    noGrad(() => state.get('classifier.weight')!.fill_(Number.NaN));
    expect(drain).toThrow(
      new Diverged('diverged: none of the 40 architectures gives finite numbers with the shared weights'),
    );
    end();
  });
});
