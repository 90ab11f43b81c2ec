import { join } from 'node:path';
import { nn, noGrad, type Tensor, tensor } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/json.js';
import type { DartsGenotype } from '../../src/networks/darts/genotype.js';
import { createJournal, readJournal } from '../../src/runs/journal.js';
import type { CellChoice } from '../../src/supernets/supernet.js';
import { clockNow, journalEpochs, withJournal } from '../../src/training/journaled-epochs.js';
import { darts } from '../../src/weight-sharing/darts.js';
import { type MixedCell, SelectionByPerturbation } from '../../src/weight-sharing/perturbation.js';
import type { SearchStep } from '../../src/weight-sharing/supernet-search.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { begin, conforms, epoch, finish, type Setting, saved, settings } from './conformance.js';
import { beginKnown, KnownTask } from './known-problem.js';

/** Two steps an epoch on images. */
const given = { selection: 'perturbation', tuneEpochs: 1, epochs: 1, batchSize: 12 };
const [cells, table, recurrent] = settings as [Setting, Setting, Setting];

describe('DARTS with the selection by perturbation', () => conforms(darts, given));

/** Cells of one kind each, whose supernet is worth the sum of the weights times what they are good for. */
function scripted(gains: Readonly<Record<string, readonly (readonly number[])[]>>, choice: CellChoice) {
  const made = Object.entries(gains).map(
    ([name, rows]): MixedCell => ({
      name,
      alphas: new nn.Parameter(noGrad(() => tensor(rows.map((row) => row.map(() => 0))))),
      choice,
    }),
  );
  const weightsOf = (selection: SelectionByPerturbation, { alphas }: MixedCell) =>
    rowsOf(selection.relaxation(alphas));
  return {
    cells: made,
    weightsOf,
    /** Decides a round, and tells what the weights of the first kind of cell were at each measurement. */
    decide(selection: SelectionByPerturbation) {
      const seen: number[][][] = [];
      const steps = [
        ...selection.decide(() => {
          seen.push(weightsOf(selection, made[0] as MixedCell));
          return made.reduce(
            (sum, cell) =>
              sum +
              weightsOf(selection, cell)
                .flatMap((row, edge) =>
                  row.map((weight, k) => weight * (gains[cell.name]?.[edge]?.[k] as number)),
                )
                .reduce((own, value) => own + value, 0),
            0,
          );
        }),
      ];
      return { seen, steps };
    },
  };
}

function rowsOf(matrix: Tensor): number[][] {
  return matrix.unbind(0).map((row) => row.toNumbers());
}

/** Three edges into one node that keeps two; the first of four operations is never kept. */
const choice: CellChoice = { nodes: [{ edges: [0, 1, 2], keeps: 2 }], operations: [1, 2, 3] };
// The first operation would be the best of the first edge.
const gains = {
  cell: [
    [9, 1, 2, 3],
    [0, 5, 1, 1],
    [0, 0, 1, 0.5],
  ],
};

describe('the selection by perturbation', () => {
  it('decides one edge a round, then one node, and keeps that without which most is lost', () => {
    const { cells: made, decide, weightsOf } = scripted(gains, choice);
    const selection = new SelectionByPerturbation(made, 1);
    expect([selection.round, selection.rounds]).toEqual([0, 4]);
    for (let round = 0; round < 3; round++) {
      expect(selection.measurements).toBe(3);
      const { seen, steps } = decide(selection);
      expect(steps).toEqual([1, 2, 3]);
      // One weight is missing each time: a quarter of an edge that is open.
      expect(seen.map((rows) => rows.flat().filter((weight) => weight === 0.25).length)).toEqual(
        new Array(3).fill(12 - 4 * round - 1),
      );
      const decidedRows = weightsOf(selection, made[0] as MixedCell).filter((row) => row.includes(1));
      expect(decidedRows).toHaveLength(round + 1);
    }
    expect(weightsOf(selection, made[0] as MixedCell)).toEqual([
      [0, 0, 0, 1],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ]);
    const { seen } = decide(selection);
    // Without one edge after the other.
    expect(seen.map((rows) => rows.map((row) => row.reduce((sum, weight) => sum + weight)))).toEqual([
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 0],
    ]);
    // The edges alone are worth 3, 5 and 1.
    expect(weightsOf(selection, made[0] as MixedCell)).toEqual([
      [0, 0, 0, 1],
      [0, 1, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect([selection.round, selection.measurements]).toEqual([4, 0]);
  });

  it('decides one edge of every kind of cell in a round', () => {
    const both = { normal: gains.cell, reduce: gains.cell };
    const { cells: made, decide, weightsOf } = scripted(both, choice);
    const selection = new SelectionByPerturbation(made, 1);
    expect([selection.rounds, selection.measurements]).toEqual([4, 6]);
    expect(decide(selection).steps).toEqual([1, 2, 3, 4, 5, 6]);
    for (const cell of made)
      expect(weightsOf(selection, cell).filter((row) => row.includes(1))).toHaveLength(1);
  });

  it('keeps any operation where the space allows it, the first of equals', () => {
    const all: CellChoice = { nodes: [{ edges: [0, 1], keeps: 2 }], operations: [0, 1, 2] };
    // All operations of the first edge are worth the same; without the first of the second, nothing is lost.
    const {
      cells: made,
      decide,
      weightsOf,
    } = scripted(
      {
        cell: [
          [0, 0, 0],
          [0, -1, -2],
        ],
      },
      all,
    );
    const selection = new SelectionByPerturbation(made, 1);
    expect(selection.rounds).toBe(2);
    decide(selection);
    decide(selection);
    expect(weightsOf(selection, made[0] as MixedCell)).toEqual([
      [1, 0, 0],
      [1, 0, 0],
    ]);
  });

  it('decides in another order for another seed', () => {
    const orders = [1, 2, 3, 4, 5, 6].map((seed) => {
      const { cells: made, decide, weightsOf } = scripted(gains, choice);
      const selection = new SelectionByPerturbation(made, seed);
      decide(selection);
      return weightsOf(selection, made[0] as MixedCell).findIndex((row) => row.includes(1));
    });
    expect(new Set(orders).size).toBeGreaterThan(1);
  });

  it('writes what is decided into the parameters for as long as something is derived', () => {
    const { cells: made, decide } = scripted(gains, choice);
    const selection = new SelectionByPerturbation(made, 1);
    const [{ alphas }] = made as [MixedCell];
    const before = alphas.toNumbers();
    for (let round = 0; round < 4; round++) decide(selection);
    const softmax = selection.written(() => rowsOf(alphas.softmax(-1)));
    expect(softmax).toEqual([
      [0, 0, 0, 1],
      [0, 1, 0, 0],
      // A dropped edge has nothing that could be kept.
      [1, 0, 0, 0],
    ]);
    expect(alphas.toNumbers()).toEqual(before);
    expect(() =>
      selection.written(() => {
        throw new Error('in between');
      }),
    ).toThrow('in between');
    expect(alphas.toNumbers()).toEqual(before);
  });

  it('goes on from what was saved', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 50 }), (after, seed) => {
        const {
          cells: made,
          decide,
          weightsOf,
        } = scripted({ normal: gains.cell, reduce: gains.cell }, choice);
        const whole = new SelectionByPerturbation(made, seed);
        for (let round = 0; round < after; round++) decide(whole);
        const json = JSON.parse(JSON.stringify(whole.toJson()));
        const resumed = new SelectionByPerturbation(made, seed);
        resumed.restore(json);
        for (const selection of [whole, resumed])
          while (selection.round < selection.rounds) decide(selection);
        for (const cell of made) expect(weightsOf(resumed, cell)).toEqual(weightsOf(whole, cell));
      }),
    );
  });

  it('rejects a state of other cells, if only one of them is another', () => {
    const message = 'the state of the selection by perturbation is of other cells';
    const [cell] = scripted(gains, choice).cells;
    const selection = new SelectionByPerturbation([cell!], 1);
    const odd = { operations: [null], dropped: [false] };
    expect(() => selection.restore({ round: 0, cells: { [cell!.name]: odd } })).toThrow(message);
    const two = new SelectionByPerturbation([cell!, { ...cell!, name: 'other' }], 1);
    const { cells } = two.toJson() as unknown as { cells: Record<string, Json> };
    expect(() => two.restore({ round: 0, cells: { ...cells, other: odd } })).toThrow(message);
    expect(() => two.restore({ round: 0, cells })).not.toThrow();
  });

  it.each([
    ['earlyStop', { earlyStop: true }],
    ['maxSkips', { maxSkips: 2 }],
  ])('does not go with %s', (_, more) => {
    expect(() => begin(darts, cells, { ...given, ...more })).toThrow('not both');
  });
});

describe('a search that selects by perturbation', () => {
  it('by default trains five epochs after each of its rounds, and one after the last', () => {
    const { search, supernet, end } = begin(darts, table, {
      selection: 'perturbation',
      epochs: 1,
      batchSize: 22,
    });
    // Six edges, and no node to decide.
    expect(search.epochs).toBe(1 + 5 * 5 + 1);
    const { epochs, found } = finish(search);
    expect(epochs).toHaveLength(27);
    expect(epochs.map(({ result }) => (result.selection as { round: number } | undefined)?.round)).toEqual([
      undefined,
      ...[1, 2, 3, 4, 5].flatMap((round) => new Array(5).fill(round)),
      6,
    ]);
    expect(epochs.at(-1)?.result.selection).toEqual({ round: 6, rounds: 6 });
    // What the journal says of the last epoch is what is found.
    expect(found.architecture).toEqual(epochs.at(-1)?.result.architecture);
    expect(found.details.measures).toMatchObject({ accuracy: expect.any(Number) });
    const { cell } = (epochs.at(-1) as (typeof epochs)[0]).result.weights as { cell: number[][] };
    expect(cell.every((row) => row.filter((weight) => weight === 1).length === 1)).toBe(true);
    expect(supernet.derive()).not.toBeUndefined();
    end();
  });

  it('takes 81 epochs with four nodes and both kinds of cells, as its authors do', () => {
    const nodes = [0, 1, 2, 3].map((node) => ({
      edges: Array.from({ length: node + 2 }, (_, state) => (node * (node + 3)) / 2 + state),
      keeps: 2,
    }));
    const alphas = () => tensor(Array.from({ length: 14 }, () => new Array(8).fill(0)));
    const selection = new SelectionByPerturbation(
      ['normal', 'reduce'].map((name) => ({
        name,
        alphas: alphas(),
        choice: { nodes, operations: [1, 2, 3, 4, 5, 6, 7] },
      })),
      1,
    );
    expect(5 * (selection.rounds - 1) + 1).toBe(81);
  });

  it('has the decisions of every round in what it derives, and runs as that in the end', () => {
    const { search, end } = begin(darts, cells, given);
    const { epochs, found } = finish(search);
    // Five edges of each kind, and one node with three edges.
    expect(epochs).toHaveLength(1 + 6);
    const decided = epochs.map(({ result }) => {
      const { normal, reduce } = result.weights as Record<string, number[][]>;
      return [normal, reduce].map((rows) => rows?.filter((row) => row.includes(1)).length);
    });
    expect(decided).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
      [4, 4],
    ]);
    const { architecture, weights } = (epochs.at(-1) as (typeof epochs)[0]).result as unknown as {
      architecture: DartsGenotype;
      weights: { normal: number[][]; reduce: number[][] };
    };
    for (const kind of ['normal', 'reduce'] as const) {
      const kept = weights[kind].flatMap((row, edge) => (row.includes(1) ? [edge] : []));
      // The edges into the first node are 0 and 1, into the second 2, 3 and 4.
      const derived = architecture[kind].map(([, state], place) => (place < 2 ? 0 : 2) + state);
      expect(derived.toSorted()).toEqual(kept);
    }
    // The supernet with all decisions is the architecture.
    const [mixture, alone] = [epochs.at(-1)?.result.measures, found.details.measures] as { loss: number }[];
    expect(mixture?.loss).toBeCloseTo(alone?.loss as number, 5);
    end();
  });

  it('trains with a new optimiser at a tenth of the learning rate', () => {
    const batch = { target: 3, slope: 0 };
    const task = new KnownTask({ train: [batch], validation: [batch] });
    const { search, supernet } = beginKnown(darts, task, {
      ...given,
      learningRate: 0.5,
      finalLearningRate: 0.1,
      momentum: 0.5,
    });
    // One edge is decided in one round, which one epoch follows.
    expect(search.epochs).toBe(2);
    // The gradient is -2, and so is the velocity.
    [...search.trainEpoch()];
    expect(supernet.w.item()).toBe(2);
    const steps = [...search.trainEpoch()];
    // The gradient is -1; the old velocity would add -1 to it.
    expect(supernet.w.item()).toBe(2.05);
    // Two operations are measured before the step; until then the loss is that of the epoch before.
    expect(steps).toEqual([
      { epoch: 2, epochs: 2, step: 1, stepsPerEpoch: 3, loss: 2 },
      { epoch: 2, epochs: 2, step: 2, stepsPerEpoch: 3, loss: 2 },
      { epoch: 2, epochs: 2, step: 3, stepsPerEpoch: 3, loss: 0.5 },
    ]);
    expect(search.trained).toBe(true);
  });

  it('trains the alphas of open edges on, and runs decided edges alone', () => {
    const { search, supernet, end } = begin(darts, cells, { ...given, alphaWeightDecay: 0 });
    epoch(search);
    const rows = () => rowsOf(supernet.architectureParameters().normal as Tensor);
    const before = rows();
    const { result } = epoch(search);
    const after = rows();
    const weights = (result.weights as { normal: number[][] }).normal;
    const decided = weights.findIndex((row) => row.includes(1));
    expect(decided).toBeGreaterThanOrEqual(0);
    for (const [edge, row] of after.entries()) {
      if (edge !== decided) expect(row).not.toEqual(before[edge]);
    }
    end();
  });

  it('goes on in the middle of a round from what was saved', () => {
    const options = { ...given, tuneEpochs: 2, batchSize: 4 };
    const undisturbed = begin(darts, recurrent, options);
    const whole = finish(undisturbed.search);
    undisturbed.end();
    const before = begin(darts, recurrent, options);
    // One epoch of the search; the second round is decided, and has trained one epoch of two.
    for (let i = 0; i < 4; i++) epoch(before.search);
    const load = saved(before);
    const after = begin(darts, recurrent, options);
    load(after);
    const rest = finish(after.search);
    after.end();
    expect(rest.epochs).toEqual(whole.epochs.slice(4));
    expect(rest.found).toEqual(whole.found);
  });

  it('is journaled and saved epoch by epoch: stopped in a round and resumed, it has the same journal', async () => {
    const options = { ...given, tuneEpochs: 2, batchSize: 4 };
    const journalOf = async (stopIn?: number) => {
      const folder = temporaryFolder();
      const file = join(folder, 'journal.jsonl');
      createJournal(file, { event: 'begin' }, clockNow());
      const life = (signal: AbortSignal, report: (step: SearchStep) => void) => {
        const begun = begin(darts, recurrent, options);
        return withJournal(
          folder,
          file,
          () => {},
          async (journal) => {
            journal.write({ event: 'begin' }, clockNow());
            const checkpoint = join(folder, 'checkpoint.safetensors');
            return journalEpochs(begun.search, journal, { checkpoint, signal, report, message() {} });
          },
        ).finally(() => begun.end());
      };
      if (stopIn !== undefined) {
        const stop = new AbortController();
        const done = await life(stop.signal, ({ epoch, step }) => {
          if (epoch === stopIn && step === 2) stop.abort();
        });
        expect(done).toBe(false);
      }
      let first: number | undefined;
      expect(await life(new AbortController().signal, ({ epoch }) => (first ??= epoch))).toBe(true);
      return { first, events: readJournal(file).events.map(({ clock: _, ...event }) => event) };
    };
    const whole = await journalOf();
    // One epoch of the search, then eight rounds, of which the last has one epoch.
    expect(whole.events).toHaveLength(1 + 1 + 2 * 7 + 1);
    // The third round is being measured.
    const resumed = await journalOf(6);
    expect(resumed.first).toBe(6);
    expect(resumed.events).toEqual(whole.events);
  });

  it('measures with the statistics of the batches, and leaves the running ones as they are', () => {
    const { search, supernet, end } = begin(darts, cells, given);
    epoch(search);
    const running = () => [...supernet.namedBuffers()].map(([, buffer]) => buffer.toNumbers());
    const before = running();
    const modes: boolean[] = [];
    const { forward } = supernet as unknown as { forward(...inputs: unknown[]): unknown };
    Object.assign(supernet, {
      forward: (...inputs: unknown[]) => {
        modes.push(supernet.training);
        return forward.apply(supernet, inputs);
      },
    });
    const steps = search.trainEpoch();
    for (let i = 0; i < 14; i++) steps.next();
    expect(modes.length).toBeGreaterThanOrEqual(14);
    expect(modes.every((training) => training)).toBe(true);
    expect(running()).toEqual(before);
    end();
  });

  it('is refused on a supernet that does not say what its cells choose', () => {
    const { supernet, end } = begin(darts, cells);
    Object.assign(supernet, { choices: undefined });
    const options = { ...given };
    expect(() => begin(darts, { ...cells, build: () => supernet }, options)).toThrow(
      "selection 'perturbation': the supernet of space darts-cnn has no choices(); allowed here: magnitude",
    );
    end();
  });
});
