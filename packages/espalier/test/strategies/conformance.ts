import { liveTensors } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../src/host-tensor.js';
import { accuracy } from '../../src/measures/accuracy.js';
import type { Measure, Objectives } from '../../src/measures/measure.js';
import { resolveOptions } from '../../src/space/options.js';
import type { Space } from '../../src/space/space.js';
import { createStrategy, type GuardedStrategy } from '../../src/strategies/guarded-strategy.js';
import type {
  AnyStrategyDefinition,
  Asked,
  Proposal,
  StrategyEvent,
  StrategySnapshot,
  TrialOutcome,
} from '../../src/strategies/strategy.js';
import { failed, ok } from './outcomes.js';

interface Expectations {
  readonly options?: object;
  readonly objectives?: Objectives;
  /** Trials that can be outstanding before the strategy waits; missing for one that never waits. */
  readonly outstanding?: number;
  /** How many trials each test asks for: more than one batch of a strategy that learns from batches. */
  readonly trials?: number;
}

/** The tests that every strategy must pass, on any space. The strategy is checked as in a search. */
export function describeStrategy(
  definition: AnyStrategyDefinition,
  space: Space,
  expected: Expectations = {},
): void {
  const { outstanding = Number.POSITIVE_INFINITY, trials = 30, objectives = [accuracy] } = expected;
  const options = resolveOptions(`strategy ${definition.name}`, definition.options, expected.options ?? {});
  const create = (seed: number) => createStrategy(definition, { space, seed, options, objectives });
  const judge = judgeBy(objectives[0]);
  const play = (strategy: GuardedStrategy, more: Partial<Play> = {}) =>
    search(strategy, { trials, workers: 3, judge, arrivals: [0], ...more });

  const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  /** Workers, and which of the running trials gets its result next. */
  const anyPlay = fc.record({
    workers: fc.integer({ min: 1, max: 5 }),
    arrivals: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 20 }),
  });
  const few = { numRuns: 10 };

  const name = `strategy ${definition.name} with ${JSON.stringify(options)} on ${space.name} for ${objectives[0].name}`;
  describe(name, () => {
    it('proposes nothing but decision sequences of the space, at the depth that it names', () => {
      fc.assert(
        fc.property(seeds, anyPlay, (seed, given) => {
          const proposals = proposalsOf(play(create(seed), given));
          expect(proposals.length).toBeGreaterThan(0);
          for (const { answers, depth } of proposals) {
            const deep = depth === undefined ? space : space.withDepth(depth);
            expect(deep.encode(deep.decode(answers))).toEqual(answers);
          }
        }),
        few,
      );
    });

    it('continues only trials that have succeeded, with the same answers, for longer, and each once', () => {
      const some: Judge = (proposal, trial) => (trial % 4 === 1 ? failed : judge(proposal, trial));
      fc.assert(
        fc.property(seeds, anyPlay, (seed, given) => {
          const { log } = play(create(seed), { ...given, judge: some });
          const proposals = proposalsOf({ log });
          const succeeded = new Set<number>();
          let trial = 0;
          for (const entry of log) {
            if ('told' in entry) {
              if (entry.outcome.status === 'ok') succeeded.add(entry.told);
              continue;
            }
            const { continues, answers, depth, epochs } = proposals[trial++]!;
            if (continues === undefined) continue;
            const before = proposals[continues]!;
            // Removed, because a trial is continued once at most.
            expect(succeeded.delete(continues)).toBe(true);
            expect([before.answers, before.depth]).toEqual([answers, depth]);
            expect(before.epochs).toBeLessThan(epochs!);
          }
        }),
        few,
      );
    });

    if (definition.plan !== undefined) {
      it('asks for no more trials and epochs than it plans', () => {
        const plan = definition.plan!(options);
        fc.assert(
          fc.property(seeds, anyPlay, (seed, given) => {
            const { log, asked } = play(create(seed), { ...given, trials: Number.POSITIVE_INFINITY });
            expect(asked).toBeLessThanOrEqual(plan.trials);
            const epochs = proposalsOf({ log }).map((proposal) => proposal.epochs!);
            expect(Math.max(...epochs)).toBeLessThanOrEqual(plan.epochs);
          }),
          { numRuns: 3 },
        );
      });
    }

    it('proposes the same for the same seed and results, and something else for another seed', () => {
      const run = (seed: number) => play(create(seed));
      expect(run(5).log).toEqual(run(5).log);
      expect(proposalsOf(run(5))).not.toEqual(proposalsOf(run(6)));
    });

    it('accepts failed trials, some or all', () => {
      const some: Judge = (proposal, trial) => (trial % 3 === 0 ? failed : judge(proposal, trial));
      for (const judgement of [some, () => failed]) {
        const played = play(create(1), { workers: 2, judge: judgement });
        expect(played.log.filter((entry) => 'told' in entry).length).toBe(played.asked);
        expect(played.asked).toBeGreaterThan(0);
      }
    });

    it(`has at most ${outstanding} trials outstanding, and then waits for a result`, () => {
      const strategy = create(1);
      const open: Proposal[] = [];
      let asked: Asked = strategy.ask();
      for (; typeof asked !== 'string' && open.length < trials; asked = strategy.ask()) open.push(asked);
      const tellAll = () =>
        open.forEach((proposal, trial) => {
          strategy.tell({ ...proposal, trial, outcome: judge(proposal, trial) });
        });
      if (asked === 'finished') {
        expect(outstanding).toBe(Number.POSITIVE_INFINITY);
        tellAll();
        expect(strategy.ask()).toBe('finished');
        return;
      }
      expect(open.length).toBe(Math.min(outstanding, trials));
      if (asked !== 'wait') return;
      const waiting = saved(strategy);
      expect([strategy.ask(), strategy.ask()]).toEqual(['wait', 'wait']);
      expect(saved(strategy)).toEqual(waiting);
      tellAll();
      expect(strategy.ask()).toHaveProperty('answers');
    });

    it('reports events that are plain JSON without a clock', () => {
      const { log } = play(create(1), { workers: 2 });
      for (const entry of log) {
        if (!('told' in entry)) continue;
        expect(JSON.parse(JSON.stringify(entry.events))).toEqual(entry.events);
        for (const event of entry.events) {
          expect(typeof event.event).toBe('string');
          expect(event).not.toHaveProperty('clock');
        }
      }
    });

    it('frees its tensors when it is closed', () => {
      const before = liveTensors();
      const strategy = create(1);
      play(strategy);
      strategy.close();
      expect(liveTensors()).toBe(before);
    });

    const sample = create(1);
    const takesSnapshots = sample.snapshot !== undefined;
    sample.close();
    if (!takesSnapshots) return;

    it('resumes from a snapshot as if nothing had happened, wherever it was taken', () => {
      fc.assert(
        fc.property(seeds, anyPlay, fc.nat({ max: trials }), (seed, given, cut) => {
          const whole = play(create(seed), given);
          const undisturbed = create(seed);
          const first = play(undisturbed, { ...given, trials: cut, drain: false });
          const snapshot = undisturbed.snapshot!();
          const kept = copy(snapshot);
          // What the first one does from here on must not reach the snapshot.
          play(undisturbed, { ...given, from: first });
          expect(copy(snapshot)).toEqual(kept);
          const resumed = create(seed);
          resumed.restore!(kept);
          expect(saved(resumed)).toEqual(kept);
          const rest = play(resumed, { ...given, from: first });
          expect([...first.log, ...rest.log]).toEqual(whole.log);
          for (const strategy of [undisturbed, resumed]) strategy.close();
        }),
        { numRuns: 30 },
      );
    });

    it('frees its tensors when it is closed after it was restored', () => {
      const before = liveTensors();
      const strategy = create(1);
      const first = play(strategy, { trials: Math.ceil(trials / 2), drain: false });
      const other = create(2);
      play(other);
      other.restore!(strategy.snapshot!());
      play(other, { from: first });
      for (const one of [strategy, other]) one.close();
      expect(liveTensors()).toBe(before);
    });

    it('rejects a snapshot that is not its own', () => {
      const foreign = { asked: 0, running: [], strategy: { some: 'thing' } };
      expect(() => create(1).restore!({ json: foreign, tensors: new Map() })).toThrow();
    });
  });
}

type Judge = (proposal: Proposal, trial: number) => TrialOutcome;

/** An outcome that depends on nothing but the answers: any value in the range of the objective will do. */
function judgeBy(objective: Measure): Judge {
  const { least = 0, most = least + 10 } = objective;
  return ({ answers }) => {
    const sum = [...JSON.stringify(answers)].reduce(
      (code, char) => (code * 31 + char.charCodeAt(0)) % 9973,
      7,
    );
    return ok(least + ((most - least) * (sum + 1)) / 9974, objective);
  };
}

type LogEntry =
  | { readonly asked: Proposal }
  | {
      readonly told: number;
      readonly outcome: TrialOutcome;
      readonly events: readonly StrategyEvent[];
    };

interface Play {
  readonly trials: number;
  readonly workers: number;
  readonly judge: Judge;
  /** Which of the running trials gets its result next: a number per result, over and over again. */
  readonly arrivals: readonly number[];
  /** Where another search stopped. */
  readonly from?: Search;
  /** Whether the last trials get their results, as they do by default. */
  readonly drain?: boolean;
}

interface Search {
  readonly log: readonly LogEntry[];
  readonly asked: number;
  readonly told: number;
  readonly open: readonly { readonly proposal: Proposal; readonly trial: number }[];
}

/** Searches as an engine would: asks while a worker is free, and then tells a result. */
function search(
  strategy: GuardedStrategy,
  { trials, workers, judge, arrivals, from, drain = true }: Play,
): Search {
  const log: LogEntry[] = [];
  const open = [...(from?.open ?? [])];
  let { asked, told } = from ?? { asked: 0, told: 0 };
  for (;;) {
    while (open.length < workers && asked < trials) {
      const proposal = strategy.ask();
      if (typeof proposal === 'string') break;
      log.push({ asked: proposal });
      open.push({ proposal, trial: asked++ });
    }
    if (!drain && asked === trials) break;
    if (open.length === 0) break;
    const place = (arrivals[told++ % arrivals.length] as number) % open.length;
    const [{ proposal, trial }] = open.splice(place, 1) as [Search['open'][number]];
    const outcome = judge(proposal, trial);
    log.push({ told: trial, outcome, events: strategy.tell({ ...proposal, trial, outcome }) });
  }
  return { log, asked, told, open };
}

function proposalsOf({ log }: Pick<Search, 'log'>): Proposal[] {
  return log.flatMap((entry) => ('asked' in entry ? [entry.asked] : []));
}

/** A snapshot of the strategy as it comes back from the disk; nothing for one that takes none. */
function saved({ snapshot }: GuardedStrategy): StrategySnapshot | undefined {
  return snapshot === undefined ? undefined : copy(snapshot());
}

function copy({ json, tensors }: StrategySnapshot): StrategySnapshot {
  const copied = new Map<string, HostTensor>();
  for (const [name, tensor] of tensors) copied.set(name, { ...tensor, data: Uint8Array.from(tensor.data) });
  return { json: JSON.parse(JSON.stringify(json)), tensors: copied };
}
