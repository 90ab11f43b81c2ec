import { noGrad, scope } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { isBetter } from '../../src/measures/measure.js';
import { DARTS_OPERATIONS, type DartsGenotype } from '../../src/networks/darts/genotype.js';
import { Random } from '../../src/random/random.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { Diverged, evaluate, type Part } from '../../src/tasks/task.js';
import { pathOf } from '../../src/weight-sharing/path.js';
import { randomWeightSharing, roundsFor } from '../../src/weight-sharing/random-ws.js';
import type { Round } from '../../src/weight-sharing/round-event.js';
import { begin, conforms, epoch, settings } from './conformance.js';
import { beginKnown, KnownTask } from './known-problem.js';

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

  it('has as many rounds by default as its own training says', () => {
    /** 700,000 inputs in sequences of 35. */
    class Long extends KnownTask {
      override readonly timeSteps = 35;

      override count(part: Part): number {
        return part === 'train' ? 700_000 : super.count(part);
      }
    }
    const batch = { target: 0, slope: 0 };
    const task = new Long({ train: [batch], validation: [batch] });
    // 2 * 700,000 / 2 / 35 steps.
    const given = { epochs: 2, batchSize: 2, candidates: 3, finalists: 1 };
    const { search } = beginKnown(randomWeightSharing, task, given);
    const choice = search.choose();
    let next = choice.next();
    while (!next.done) next = choice.next();
    expect(next.value.details.rounds).toBe(2);
    search.free();
  });

  const [cells] = settings as [(typeof settings)[0]];

  it('trains only the weights of the architecture drawn in a step', () => {
    const { search, supernet, end } = begin(randomWeightSharing, cells, { momentum: 0, weightDecay: 0 });
    const state = () => new Map([...supernet.stateDict()].map(([name, value]) => [name, value.toNumbers()]));
    const before = state();
    search.trainEpoch().next();
    const operations = [...state()].flatMap(([name, values]) => {
      const edge = /^(cells\.0\._ops\.\d+\._ops\.\d+)\..*weight$/.exec(name)?.[1];
      return edge !== undefined && String(values) !== String(before.get(name)) ? [edge] : [];
    });
    // Two nodes with two edges each. Pooling, skip connections and 'none' have no weights.
    expect(new Set(operations).size).toBeLessThanOrEqual(4);
    const moved = [...state()].filter(([name, values]) => String(values) !== String(before.get(name)));
    expect(moved.map(([name]) => name)).toContain('classifier.weight');
    end();
  });

  it('chooses the best of the finalists on all validation data', () => {
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
    const finalists = details.finalists as {
      round: number;
      score: number;
      measures: { accuracy: number };
    }[];
    expect(finalists).toHaveLength(3);
    const { accuracy } = details.measures as { accuracy: number };
    expect(accuracy).toBe(Math.max(...finalists.map(({ measures }) => measures.accuracy)));
    // Sorted by their scores on the first batches.
    expect(finalists.map(({ score }) => score)).toEqual(
      finalists.map(({ score }) => score).sort((a, b) => b - a),
    );
    supernet.eval();
    expect(evaluate(cells.task, pathOf(supernet, architecture), 'validation', { size: 9 }).accuracy).toBe(
      accuracy,
    );
    end();
  });

  it('takes the rounds that the journal has from there, and draws on as if it had measured them', () => {
    const given = { candidates: 4, finalists: 2, batches: 1, rounds: 3 };
    const whole = begin(randomWeightSharing, cells, given);
    const events: JournalEvent[] = [];
    const drain = (search: typeof whole.search, recorded: readonly JournalEvent[]) => {
      const seen: (number | undefined)[] = [];
      let at = 0;
      const choice = search.choose(() => recorded[at]);
      let next = choice.next();
      for (; !next.done; next = choice.next()) {
        const { event, done } = next.value;
        seen.push(done);
        if (event === undefined) continue;
        if (recorded[at] === undefined) events.push(event);
        else expect(event).toEqual(recorded[at]);
        at++;
      }
      return { seen, found: next.value };
    };
    const first = drain(whole.search, []);
    expect(events.map(({ round }) => round)).toEqual([1, 2, 3]);
    for (const { scores, finalists } of events as unknown as Round[]) {
      expect(scores).toHaveLength(4);
      const best = [...(scores as number[])].sort((a, b) => b - a).slice(0, 2);
      expect(finalists.map(({ score }) => score)).toEqual(best);
    }
    const again = begin(randomWeightSharing, cells, given);
    // Nothing is measured in the first two rounds: one report each.
    const second = drain(again.search, JSON.parse(JSON.stringify(events.slice(0, 2))));
    expect(second.seen).toEqual([6, 12, ...first.seen.slice(12)]);
    expect(second.found).toEqual(first.found);
    expect(() => drain(again.search, [{ event: 'round', round: 2, scores: [], finalists: [] }])).toThrow(
      'the journal has round 2 where round 1 has to come',
    );
    whole.end();
    again.end();
  });

  it.each([
    // The first of nine validation images, in one batch.
    [0, { batchSize: 3, batches: 2 }, [6]],
    [0, { batchSize: 3, batches: 10 }, [9]],
    // Four columns of 10 tokens, 5 a batch; the last token of a column is only predicted.
    [2, { batchSize: 4, batches: 1 }, [20]],
    [2, { batchSize: 4, batches: 2 }, [20, 16]],
  ])(
    'scores every candidate on the same first batches of the validation data: %d with %j',
    (place, given, counts) => {
      const setting = settings[place]!;
      const seen: number[][] = [];
      const pass = (...[part, options]: Parameters<typeof setting.task.pass>) => counted(part, options);
      function* counted(...args: Parameters<typeof setting.task.pass>) {
        for (const batch of setting.task.pass(...args)) {
          const tally = (model: object) => {
            seen.push([batch.count]);
            return batch.tally(model);
          };
          yield { ...batch, tally };
        }
      }
      const task = new Proxy(setting.task, {
        get: (target, key) => {
          const value = key === 'pass' ? pass : Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const { search, end } = begin(
        randomWeightSharing,
        { ...setting, task },
        { ...given, candidates: 3, finalists: 1 },
      );
      const choice = search.choose();
      for (let i = 0; i < 3; i++) choice.next();

      expect(seen.flat().toSorted()).toEqual(counts.flatMap((count) => [count, count, count]).toSorted());
      end();
    },
  );

  it.each(settings)(
    '$name: journals after an epoch the best of as many architectures as are asked for, and goes on as it would have',
    (setting) => {
      const run = (candidatesAnEpoch: number) => {
        const begun = begin(randomWeightSharing, setting, {
          candidates: 3,
          finalists: 1,
          batches: 1,
          candidatesAnEpoch,
        });
        const results = [epoch(begun.search), epoch(begun.search)];
        const { architecture, score } = results[1]!.result;
        // The same draws and the same batch, one by one.
        const random = Random.of(1, 'candidates after epoch 2');
        const drawn = Array.from({ length: candidatesAnEpoch }, () =>
          setting.space.decode(setting.space.sample(random)),
        );
        begun.supernet.eval();
        const [objective] = setting.task.measures;
        const values = drawn.map((candidate) => {
          const total = setting.task.accumulator();
          for (const batch of setting.task.pass('validation', {
            size: setting.name === 'darts-rnn' ? 4 : 6,
          })) {
            total.add(scope(() => noGrad(() => batch.tally(pathOf(begun.supernet, candidate)))));
            break;
          }
          return total.measures()[objective.name]!;
        });
        const best = values.reduce(
          (place, value, i) => (isBetter(objective, value, values[place]!) ? i : place),
          0,
        );
        const found = { architecture, score };
        const wanted = { architecture: drawn[best], score: values[best] };
        const after = { state: begun.search.stateJson(), losses: results.map(({ losses }) => losses) };
        begun.end();
        return { found, wanted, after };
      };
      const [none, some] = [run(0), run(5)];
      expect(none.found).toEqual({});
      expect(some.found).toEqual(some.wanted);
      expect(some.after).toEqual(none.after);
    },
  );

  it("draws 'none' where the space has an option for it, as on CIFAR-10", () => {
    expect(randomWeightSharing.spaceOptions?.(dartsCnn)).toEqual({ none: true });
    expect(randomWeightSharing.spaceOptions?.(dartsRnn)).toEqual({});
    expect(randomWeightSharing.spaceOptions?.(nasBench201)).toEqual({});
  });

  it('drops architectures whose outputs are not finite, and diverges if there are no others', () => {
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
    // Some of those drawn have the operation, and they are not among the finalists.
    const { length } = details.finalists as unknown[];
    expect([length > 0, length < 40]).toEqual([true, true]);
    noGrad(() => state.get('classifier.weight')!.fill_(Number.NaN));
    expect(drain).toThrow(
      new Diverged('diverged: none of the 40 architectures gives finite numbers with the shared weights'),
    );
    end();
  });
});
