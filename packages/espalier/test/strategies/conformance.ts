import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../src/host-tensor.js';
import { resolveOptions } from '../../src/space/options.js';
import type { Space } from '../../src/space/space.js';
import type {
  AnyStrategyDefinition,
  Proposal,
  Strategy,
  StrategyEvent,
  StrategySnapshot,
  TrialOutcome,
  TrialResult,
} from '../../src/strategies/strategy.js';

interface Expectations {
  readonly options?: object;
  /** So many trials may be outstanding at most; a strategy that never waits has no such number. */
  readonly outstanding?: number;
  /** Asks that every test makes; more for a strategy that acts on batches of results. */
  readonly trials?: number;
}

type Judge = (proposal: Proposal, trial: number) => TrialOutcome;

/** The tests that every strategy must pass, on any space. */
export function describeStrategy(
  definition: AnyStrategyDefinition,
  space: Space,
  expected: Expectations = {},
): void {
  const { outstanding = Number.POSITIVE_INFINITY, trials = 30 } = expected;
  const options = resolveOptions(`strategy ${definition.name}`, definition.options, expected.options ?? {});
  const create = (seed: number) => definition.create({ space, seed, options });
  const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  const workers = fc.integer({ min: 1, max: 5 });

  describe(`strategy ${definition.name} with ${JSON.stringify(options)} on ${space.name}`, () => {
    it('has the name of its definition', () => {
      expect(create(1).name).toBe(definition.name);
    });

    it('proposes nothing but sheets of the space, at the depth it says', () => {
      fc.assert(
        fc.property(seeds, workers, (seed, parallel) => {
          const { log } = search(create(seed), trials, parallel, judge);
          const proposals = proposalsOf(log);
          expect(proposals.length).toBeGreaterThan(0);
          for (const { answers, depth } of proposals) {
            const deep = depth === undefined ? space : space.withDepth(depth);
            expect(deep.encode(deep.decode(answers))).toEqual(answers);
          }
        }),
        { numRuns: 10 },
      );
    });

    it('goes on only with trainings that ended well, of the same answers, for longer, and each once', () => {
      fc.assert(
        fc.property(seeds, workers, (seed, parallel) => {
          const { log } = search(create(seed), trials, parallel, judge);
          const proposals = proposalsOf(log);
          const told = new Set<number>();
          const continued = new Set<number>();
          let trial = 0;
          for (const entry of log) {
            if ('told' in entry) {
              told.add(entry.told);
              continue;
            }
            const { continues, answers, epochs } = proposals[trial++]!;
            if (continues === undefined) continue;
            const before = proposals[continues]!;
            expect(told.has(continues) && !continued.has(continues)).toBe(true);
            expect(before.answers).toEqual(answers);
            expect(before.epochs).toBeLessThan(epochs!);
            continued.add(continues);
          }
        }),
        { numRuns: 10 },
      );
    });

    it('proposes the same for the same seed and results, and something else for another seed', () => {
      const run = (seed: number) => search(create(seed), trials, 3, judge).log;
      expect(run(5)).toEqual(run(5));
      expect(proposalsOf(run(5))).not.toEqual(proposalsOf(run(6)));
    });

    it('goes on from a snapshot as if nothing had happened, wherever it was taken', () => {
      fc.assert(
        fc.property(seeds, workers, fc.nat({ max: trials }), (seed, parallel, cut) => {
          const whole = search(create(seed), trials, parallel, judge);
          const undisturbed = create(seed);
          const first = search(undisturbed, cut, parallel, judge, { drain: false });
          const snapshot = undisturbed.snapshot();
          const saved = copy(snapshot);
          // What the first one does from here on must not reach the snapshot.
          search(undisturbed, trials, parallel, judge, { from: first });
          expect(copy(snapshot)).toEqual(saved);
          const resumed = create(seed + 1);
          resumed.restore(saved);
          expect(copy(resumed.snapshot())).toEqual(saved);
          const rest = search(resumed, trials, parallel, judge, { from: first });
          expect([...first.log, ...rest.log]).toEqual(whole.log);
        }),
        { numRuns: 30 },
      );
    });

    it('accepts failed trials, some or all', () => {
      const failed: TrialOutcome = { status: 'failed', reason: 'the loss is not a number' };
      const some: Judge = (proposal, trial) => (trial % 3 === 0 ? failed : judge(proposal, trial));
      for (const judgement of [some, () => failed]) {
        const { log } = search(create(1), trials, 2, judgement);
        expect(log.filter((entry) => 'told' in entry).length).toBe(proposalsOf(log).length);
        expect(proposalsOf(log).length).toBeGreaterThan(0);
      }
    });

    it(`has at most ${outstanding} trials outstanding, and waits until it is told`, () => {
      const strategy = create(1);
      const open: Proposal[] = [];
      for (
        let proposal = strategy.ask();
        proposal !== undefined && open.length < trials;
        proposal = strategy.ask()
      ) {
        open.push(proposal);
      }
      expect(open.length).toBe(Math.min(outstanding, trials));
      if (open.length < trials) {
        const waiting = copy(strategy.snapshot());
        expect([strategy.ask(), strategy.ask(), strategy.ask()]).toEqual([undefined, undefined, undefined]);
        expect(copy(strategy.snapshot())).toEqual(waiting);
        open.forEach((proposal, trial) => {
          strategy.tell({ ...proposal, trial, outcome: judge(proposal, trial) });
        });
        expect(strategy.ask()).toBeDefined();
      }
    });

    it('reports events that are plain JSON without a clock', () => {
      const { log } = search(create(1), trials, 2, judge);
      for (const entry of log) {
        if (!('told' in entry)) continue;
        expect(JSON.parse(JSON.stringify(entry.events))).toEqual(entry.events);
        for (const event of entry.events) {
          expect(typeof event.event).toBe('string');
          expect(event).not.toHaveProperty('clock');
        }
      }
    });

    it('rejects a snapshot that is not its own', () => {
      expect(() => create(1).restore({ json: { some: 'thing' }, tensors: new Map() })).toThrow('snapshot');
    });
  });
}

/** An accuracy that depends on nothing but the proposal: any number will do. */
const judge: Judge = ({ answers }) => {
  const sum = [...JSON.stringify(answers)].reduce((code, char) => (code * 31 + char.charCodeAt(0)) % 9973, 7);
  return { status: 'ok', accuracy: sum / 9973 };
};

type LogEntry =
  | { readonly asked: Proposal }
  | { readonly told: number; readonly events: readonly StrategyEvent[] };

interface Search {
  readonly log: readonly LogEntry[];
  readonly asked: number;
  readonly open: readonly { readonly proposal: Proposal; readonly trial: number }[];
}

/** Searches as an engine would: asks while a worker is free, and tells the results in order. */
function search(
  strategy: Strategy,
  trials: number,
  workers: number,
  judgement: Judge,
  { from, drain = true }: { from?: Search; drain?: boolean } = {},
): Search {
  const log: LogEntry[] = [];
  const open = [...(from?.open ?? [])];
  let asked = from?.asked ?? 0;
  for (;;) {
    while (open.length < workers && asked < trials) {
      const proposal = strategy.ask();
      if (proposal === undefined) break;
      log.push({ asked: proposal });
      open.push({ proposal, trial: asked++ });
    }
    if (!drain && asked === trials) break;
    const next = open.shift();
    if (next === undefined) break;
    const result: TrialResult = {
      ...next.proposal,
      trial: next.trial,
      outcome: judgement(next.proposal, next.trial),
    };
    log.push({ told: next.trial, events: strategy.tell(result) });
  }
  return { log, asked, open };
}

function proposalsOf(log: readonly LogEntry[]): Proposal[] {
  return log.flatMap((entry) => ('asked' in entry ? [entry.asked] : []));
}

/** The snapshot as it comes back from the disk. */
function copy({ json, tensors }: StrategySnapshot): StrategySnapshot {
  const copied = new Map<string, HostTensor>();
  for (const [name, tensor] of tensors) copied.set(name, { ...tensor, data: Uint8Array.from(tensor.data) });
  return { json: JSON.parse(JSON.stringify(json)), tensors: copied };
}
