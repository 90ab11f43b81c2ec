import { generatorState, noGrad } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { DartsGenotype } from '../../src/networks/darts/genotype.js';
import { buildSupernet } from '../../src/supernets/build-supernet.js';
import { darts } from '../../src/weight-sharing/darts.js';
import { tinyTask } from '../training/tiny-task.js';
import { begin, conforms, epoch, type Setting, settings } from './conformance.js';

describe('DARTS of first order', () => conforms(darts));
describe('DARTS of second order', () => conforms(darts, { order: 2 }));

const MEASURED = { accuracy: expect.any(Number), loss: expect.any(Number) };
const [cells, table, recurrent] = settings as [Setting, Setting, Setting];

describe('DARTS', () => {
  it('journals the derived architecture, the weights of the mixtures and the skip connections of each epoch', () => {
    const { search, supernet, end } = begin(darts, cells);
    const { result } = epoch(search);
    const { architecture, weights, skips, measures, validationLoss } = result as unknown as {
      architecture: { normal: [string, number][]; reduce: [string, number][] };
      weights: { normal: number[][]; reduce: number[][] };
      skips: Record<string, number>;
      measures: { accuracy: number; loss: number };
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
    // There are nine validation images.
    expect(Math.round(measures.accuracy * 9)).toBeCloseTo(measures.accuracy * 9, 10);
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
    // The first step of Adam has the size of the learning rate, whatever the gradient.
    const moved = after.alphas[0]!.map((value, i) => Math.abs(value - before.alphas[0]![i]!));
    for (const distance of moved) expect(distance).toBeLessThan(3.1e-4);
    expect(Math.max(...moved)).toBeGreaterThan(2.9e-4);
    end();
  });

  it('remembers for early stopping the eigenvalues of every second epoch, but not that of an even last one', () => {
    const { search, end } = begin(darts, recurrent, { earlyStop: true, epochs: 4 });
    const taken = Array.from({ length: 4 }, () => epoch(search).result.eigenvalue);
    expect(search.stateJson()).toMatchObject({ eigenvalues: [taken[0], taken[2]] });
    end();
  });

  it('journals the dominant eigenvalue in every second epoch and in the last one, if asked to', () => {
    const { search, supernet, end } = begin(darts, recurrent, { eigenvalue: true, epochs: 4 });
    const alphas = () => Object.values(supernet.architectureParameters()).map((values) => values.toNumbers());
    const found = [1, 2, 3, 4].map(() => {
      [...search.trainEpoch()];
      const before = alphas();
      const { eigenvalue } = search.endEpoch();
      expect(alphas()).toEqual(before);
      return typeof eigenvalue;
    });
    expect(found).toEqual(['number', 'undefined', 'number', 'number']);
    end();
  });

  it.each(settings)(
    '$name: has the same measures and random numbers whether the eigenvalue is watched or not',
    (setting) => {
      const run = (eigenvalue: boolean) => {
        const { search, end } = begin(darts, setting, { eigenvalue });
        const { losses, result } = epoch(search);
        const { eigenvalue: found, ...rest } = result;
        expect(typeof found).toBe(eigenvalue ? 'number' : 'undefined');
        const random = generatorState();
        end();
        return { losses, rest, random };
      };
      expect(run(true)).toEqual(run(false));
    },
  );

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

  it('derives normal cells with no more skip connections than maxSkips', () => {
    const { search, supernet, end } = begin(darts, cells, { maxSkips: 1 });
    epoch(search);
    const { normal } = supernet.architectureParameters();
    const skip = 3;
    noGrad(() => normal!.narrow(1, skip, 1).fill_(5));
    expect(search.endEpoch().skips).toMatchObject({ normal: 1 });
    expect(
      (search.choose().next().value as { architecture: DartsGenotype }).architecture.normal,
    ).toHaveLength(4);
    end();
  });

  it('warns of a collapse on nasbench201, and limits its skip connections', () => {
    const plain = begin(darts, table);
    const limited = begin(darts, table, { maxSkips: 1 });
    const [{ result }, { result: few }] = [plain, limited].map(({ search, supernet }) => {
      noGrad(() => supernet.architectureParameters().cell!.narrow(1, 1, 1).fill_(5));
      return epoch(search);
    }) as [ReturnType<typeof epoch>, ReturnType<typeof epoch>];
    expect(result.skips).toEqual({ cell: 6 });
    expect(result.warning).toBe('collapse under way: 6 of the edges of the cell are skip connections');
    expect(few.skips).toEqual({ cell: 1 });
    expect(few.warning).toBeUndefined();
    plain.end();
    limited.end();
  });

  it('refuses a limit of skip connections for a supernet that has none', () => {
    expect(() => begin(darts, recurrent, { maxSkips: 1 })).toThrow(
      'maxSkips 1: the supernet of space darts-rnn cannot limit the skip connections of a cell; leave it out',
    );
  });

  it('stops early when the eigenvalue has grown by 30%, with the architecture of twelve epochs before', () => {
    const { search, supernet, end } = begin(darts, cells, { earlyStop: true, epochs: 50 });
    // Architectures of 23 epochs, with another operation on the first edge of the normal cell in the eleventh.
    const derived = supernet.derive() as { normal: [string, number][] };
    const past = Array.from({ length: 23 }, (_, i) => ({
      ...derived,
      normal: [[i === 10 ? 'sep_conv_5x5' : 'skip_connect', 0], ...derived.normal.slice(1)],
    }));
    const state = search.stateDict();
    // The epochs 1, 3, ..., 23. The mean of the last five is 1.4, that of the five that end four before is 1.
    const grown = { eigenvalues: [...new Array(11).fill(1), 3], architectures: past, selection: null };
    search.loadState(state, grown, 23, 0);
    expect(search.trained).toBe(true);
    expect(search.choose().next().value).toEqual({
      architecture: past[10],
      details: { stoppedAfter: 23, ofEpoch: 11, measures: MEASURED },
    });
    // The mean of 1.2 is not large enough.
    search.loadState(state, { ...grown, eigenvalues: [...new Array(11).fill(1), 2] }, 23, 0);
    expect(search.trained).toBe(false);
    end();
  });

  it('does not stop early in its last epoch', () => {
    const { search, supernet, end } = begin(darts, cells, { earlyStop: true, epochs: 23 });
    const architectures = new Array(23).fill(supernet.derive());
    const grown = { eigenvalues: [...new Array(11).fill(1), 3], architectures, selection: null };
    search.loadState(search.stateDict(), grown, 23, 0);
    expect(search.trained).toBe(true);
    expect(search.choose().next().value).toMatchObject({ details: { measures: MEASURED } });
    expect(Object.keys((search.choose().next().value as { details: object }).details)).toEqual(['measures']);
    end();
  });

  it('adds the weight decay of the alphas to the eigenvalue, as the authors do', () => {
    const eigenvalue = (alphaWeightDecay: number) => {
      const { search, end } = begin(darts, recurrent, { eigenvalue: true, alphaWeightDecay, warmUp: 1 });
      const { result } = epoch(search);
      end();
      return result.eigenvalue as number;
    };
    expect(eigenvalue(0.5) - eigenvalue(0)).toBeCloseTo(0.5, 6);
  });

  it('also moves the weights of edges with partial channels, and journals only those of operations', () => {
    const build = () => buildSupernet(cells.space, tinyTask.shape, { partialChannels: 2 });
    const { search, supernet, end } = begin(darts, { ...cells, build });
    const edges = () => supernet.architectureParameters().normalEdges?.toNumbers();
    const before = edges();
    const { result } = epoch(search);
    expect(before).toHaveLength(5);
    expect(edges()).not.toEqual(before);
    expect(Object.keys(result.weights as object)).toEqual(['normal', 'reduce']);
    end();
  });
});
