import { noGrad } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { darts } from '../../src/weight-sharing/darts.js';
import { begin, conforms, epoch, settings } from './conformance.js';

describe('DARTS of first order', () => conforms(darts));
describe('DARTS of second order', () => conforms(darts, { order: 2 }));

const [cells] = settings as [(typeof settings)[0]];

describe('DARTS', () => {
  it('journals of an epoch what it would derive, the weights of the mixtures, and the skip connections', () => {
    const { search, supernet, end } = begin(darts, cells);
    const { result } = epoch(search);
    const { architecture, weights, skips, accuracy, validationLoss } = result as {
      architecture: { normal: [string, number][]; reduce: [string, number][] };
      weights: { normal: number[][]; reduce: number[][] };
      skips: Record<string, number>;
      accuracy: number;
      validationLoss: number;
    };
    expect(architecture).toEqual(supernet.derive());
    for (const kind of ['normal', 'reduce'] as const) {
      // Two nodes with 2 and 3 edges, eight operations.
      expect(weights[kind]).toHaveLength(5);
      for (const row of weights[kind]) {
        expect(row).toHaveLength(8);
        expect(row.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 6);
      }
      expect(skips[kind]).toBe(architecture[kind].filter(([name]) => name === 'skip_connect').length);
    }
    // A share of nine validation images.
    expect(Math.round(accuracy * 9)).toBeCloseTo(accuracy * 9, 10);
    expect(validationLoss).toBeGreaterThan(0);
    end();
  });

  it('moves both the architecture and the weights', () => {
    const { search, supernet, end } = begin(darts, cells);
    const numbers = () => ({
      alphas: Object.values(supernet.architectureParameters()).map((alphas) => alphas.toNumbers()),
      weights: supernet.parameters().map((weight) => weight.toNumbers()),
    });
    const before = numbers();
    search.trainEpoch().next();
    const after = numbers();
    expect(after.alphas[0]).not.toEqual(before.alphas[0]);
    expect(after.weights[0]).not.toEqual(before.weights[0]);
    // The first step of Adam is the learning rate, whatever the gradient.
    const moved = after.alphas[0]!.map((value, i) => Math.abs(value - before.alphas[0]![i]!));
    for (const distance of moved) expect(distance).toBeLessThan(3.1e-4);
    expect(Math.max(...moved)).toBeGreaterThan(2.9e-4);
    end();
  });

  it('journals the dominant eigenvalue where that is asked for, and leaves the architecture parameters alone', () => {
    const { search, supernet, end } = begin(darts, cells, { eigenvalue: true });
    [...search.trainEpoch()];
    const alphas = () => Object.values(supernet.architectureParameters()).map((values) => values.toNumbers());
    const before = alphas();
    const { eigenvalue } = search.endEpoch();
    expect(Number.isFinite(eigenvalue)).toBe(true);
    expect(alphas()).toEqual(before);
    end();
  });

  it('warns of a collapse when the normal cell fills with skip connections', () => {
    const { search, supernet, end } = begin(darts, cells);
    epoch(search);
    const { normal } = supernet.architectureParameters();
    const skip = 3;
    noGrad(() => normal!.narrow(1, skip, 1).fill_(5));
    expect(search.endEpoch().warning).toBe(
      'collapse under way: 4 of the edges of the normal cell are skip connections',
    );
    end();
  });

  it('stops early where the eigenvalue has grown by a third, with the architecture of five epochs before', () => {
    const { search, supernet, end } = begin(darts, cells, { earlyStop: true, epochs: 50 });
    // Ten architectures, each with another operation on the first edge of the normal cell.
    const derived = supernet.derive() as { normal: [string, number][] };
    const past = Array.from({ length: 10 }, (_, i) => ({
      ...derived,
      normal: [[i === 4 ? 'sep_conv_5x5' : 'skip_connect', 0], ...derived.normal.slice(1)],
    }));
    const state = search.stateDict();
    // The means of five are 1 and 1.4: 1 / 1.4 is below 0.75.
    const grown = { eigenvalues: [1, 1, 1, 1, 1, 1, 1, 1, 2, 2], architectures: past };
    search.loadState(state, grown, 10, 0);
    expect(search.trained).toBe(true);
    expect(search.choose().next().value).toEqual({
      architecture: past[4],
      details: { stoppedAfter: 10, ofEpoch: 5, accuracy: expect.any(Number) },
    });
    // 1 / 1.2 is not.
    search.loadState(state, { ...grown, eigenvalues: [1, 1, 1, 1, 1, 1, 1, 1, 1, 2] }, 10, 0);
    expect(search.trained).toBe(false);
    end();
  });
});
