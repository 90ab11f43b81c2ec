import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bracket, type Job } from '../../src/strategies/bracket.js';
import { asynchronous, type PromotionRule, type Rung, synchronous } from '../../src/strategies/promotion.js';

interface Play {
  readonly size: number;
  readonly eta: number;
  readonly rungs: number;
  readonly workers: number;
  /** Null for a training that fails. */
  readonly accuracy: (configuration: number, rung: number) => number | null;
  /** Which of the running jobs ends next: a number per result, over and over again. */
  readonly arrivals: readonly number[];
}

interface Hooks {
  /** After each ask: the rungs before it, and the job that it gave. */
  readonly asked?: (before: readonly Rung[], job: Job | undefined) => void;
  /** After so many asks, another bracket takes over from the state of this one. */
  readonly replaceAfter?: number;
}

/** Runs all jobs of a bracket with some workers. Returns them in the order in which they were given out. */
function play(given: Play, rule: PromotionRule, { asked = () => {}, replaceAfter }: Hooks = {}) {
  const { size, eta, rungs, workers, accuracy, arrivals } = given;
  const epochs = Array.from({ length: rungs }, (_, rung) => eta ** rung);
  const create = () => new Bracket({ first: 0, size, eta, epochs, rule });
  let bracket = create();
  const jobs: Job[] = [];
  const running: Job[] = [];
  let asks = 0;
  let ended = 0;
  for (;;) {
    while (running.length < workers) {
      if (asks++ === replaceAfter) {
        const state = JSON.parse(JSON.stringify(bracket.state()));
        bracket = create();
        bracket.restore(state);
      }
      const before = structuredClone(bracket.rungs);
      const job = bracket.next();
      asked(before, job);
      if (job === undefined) break;
      jobs.push(job);
      running.push(job);
    }
    if (running.length === 0) return { jobs, bracket };
    const next = (arrivals[ended++ % arrivals.length] as number) % running.length;
    const [job] = running.splice(next, 1) as [Job];
    bracket.tell(job, accuracy(job.configuration, job.rung));
  }
}

/** Any bracket, with any accuracies, failures, workers and order of arrival. */
const anyPlay: fc.Arbitrary<Play> = fc
  .record({
    size: fc.integer({ min: 1, max: 40 }),
    eta: fc.integer({ min: 2, max: 4 }),
    rungs: fc.integer({ min: 1, max: 4 }),
    workers: fc.integer({ min: 1, max: 7 }),
    // Few values, so that many are equal; some fail.
    values: fc.array(fc.integer({ min: -1, max: 12 }), { minLength: 160, maxLength: 160 }),
    arrivals: fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 80 }),
  })
  .map(({ values, ...given }) => ({
    ...given,
    accuracy: (configuration, rung) => {
      const value = values[configuration * 4 + rung] as number;
      return value < 0 ? null : value / 12;
    },
  }));

/** The results of a rung, best first, as the papers rank them. */
const ranking = ({ results }: Rung) =>
  [...results].sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || a.configuration - b.configuration);

/** top_k(rung, n/eta) without those promoted before (algorithm 2) and without those that failed. */
const promotable = (rung: Rung, eta: number) =>
  ranking(rung)
    .slice(0, Math.floor(rung.results.length / eta))
    .filter(({ score }) => score !== null)
    .map(({ configuration }) => configuration)
    .filter((configuration) => !rung.promoted.includes(configuration));

/** The promotion that a free worker has to do next, from the highest rung that has one. */
function firstPromotion(rungs: readonly Rung[], of: (rung: Rung) => readonly number[]) {
  for (let rung = rungs.length - 2; rung >= 0; rung--) {
    const [configuration] = of(rungs[rung] as Rung);
    if (configuration !== undefined) return { configuration, rung: rung + 1 };
  }
  return undefined;
}

describe.each([
  ['asynchronous', asynchronous(false)],
  ['asynchronous, with mispromotions,', asynchronous(true)],
  ['synchronous', synchronous],
])('%s halving', (_, rule) => {
  it('takes every configuration through the rungs in order, each once, and promotes none that failed', () => {
    fc.assert(
      fc.property(anyPlay, (given) => {
        const reached = new Map<number, number>();
        for (const { configuration, rung, epochs } of play(given, rule).jobs) {
          expect(rung).toBe((reached.get(configuration) ?? -1) + 1);
          expect(epochs).toBe(given.eta ** rung);
          if (rung > 0) expect(given.accuracy(configuration, rung - 1)).not.toBeNull();
          reached.set(configuration, rung);
        }
        expect([...reached.keys()]).toEqual([...Array(given.size).keys()]);
      }),
    );
  });

  it('resumes from its state as if nothing had happened, wherever it was taken', () => {
    fc.assert(
      fc.property(anyPlay, fc.nat({ max: 60 }), (given, replaceAfter) => {
        expect(play(given, rule, { replaceAfter }).jobs).toEqual(play(given, rule).jobs);
      }),
    );
  });
});

describe('the rule of ASHA', () => {
  it('never has more than n/eta promoted from a rung with n results, and all of them among the best n/eta then', () => {
    fc.assert(
      fc.property(anyPlay, (given) => {
        play(given, asynchronous(false), {
          asked: (before, job) => {
            for (const { results, promoted } of before)
              expect(promoted.length).toBeLessThanOrEqual(Math.floor(results.length / given.eta));
            if (job !== undefined && job.rung > 0)
              expect(promotable(before[job.rung - 1] as Rung, given.eta)).toContain(job.configuration);
          },
        });
      }),
    );
  });

  /** Expects every ask to return a promotion that is due, or else a new configuration as long as there is one. */
  function expectNobodyIdle(given: Play, rule: PromotionRule, due: (rung: Rung) => readonly number[]) {
    let started = 0;
    play(given, rule, {
      asked: (before, job) => {
        const promotion = firstPromotion(before, due);
        if (promotion !== undefined) expect(job).toMatchObject(promotion);
        else if (started < given.size) expect(job).toMatchObject({ configuration: started++, rung: 0 });
        else expect(job).toBeUndefined();
      },
    });
  }

  it('leaves no worker idle while something can be promoted or started', () => {
    fc.assert(
      fc.property(anyPlay, (given) => {
        expectNobodyIdle(given, asynchronous(false), (rung) =>
          rung.promoted.length < Math.floor(rung.results.length / given.eta)
            ? promotable(rung, given.eta)
            : [],
        );
      }),
    );
  });

  it('with mispromotions is algorithm 2 as printed', () => {
    fc.assert(
      fc.property(anyPlay, (given) => {
        expectNobodyIdle(given, asynchronous(true), (rung) => promotable(rung, given.eta));
      }),
    );
  });

  it('has promoted n/eta of each rung in the end if none failed, in whatever order results arrived', () => {
    fc.assert(
      fc.property(anyPlay, (given) => {
        const accuracy = (configuration: number, rung: number) => given.accuracy(configuration, rung) ?? 0;
        const { bracket, jobs } = play({ ...given, accuracy }, asynchronous(false));
        expect(bracket.rungs.map(({ results }) => results.length)).toEqual(
          bracket.rungs.map((_, rung) => Math.floor(given.size / given.eta ** rung)),
        );
        expect(jobs).toHaveLength(bracket.trainings);
      }),
    );
  });

  /** Nine configurations, one worker; the best of all is the eighth, and the first six have 1 and 6 as their best. */
  const nine: Play = {
    size: 9,
    eta: 3,
    rungs: 3,
    workers: 1,
    arrivals: [0],
    accuracy: (configuration) => [0.7, 0.1, 0.2, 0.3, 0.4, 0.8, 0.5, 0.9, 0.6][configuration] as number,
  };
  const written = (jobs: readonly Job[]) =>
    jobs.map(({ configuration, rung }) => `${configuration + 1}@${rung}`).join(' ');

  it('with r = 1, R = 9, eta = 3 promotes 1, 6 and 8 of nine while the others begin, and 8 to the end', () => {
    expect(written(play(nine, asynchronous(false)).jobs)).toBe(
      '1@0 2@0 3@0 1@1 4@0 5@0 6@0 6@1 7@0 8@0 9@0 8@1 8@2',
    );
  });

  it('with two workers begins another configuration if nothing can be promoted yet', () => {
    // 1 and 2 run; 1 ends, 3 begins; 2 ends, 4 begins; 3 ends: of 1, 2 and 3 the first is promoted; and so on.
    expect(written(play({ ...nine, workers: 2 }, asynchronous(false)).jobs)).toBe(
      '1@0 2@0 3@0 4@0 1@1 5@0 6@0 7@0 6@1 8@0 9@0 8@1 8@2',
    );
  });

  it('promotes more than n/eta of a rung only if mispromotions are allowed', () => {
    // Of two the second is the better; then come two that are both better than it.
    const worseFirst: Play = {
      ...nine,
      size: 4,
      eta: 2,
      rungs: 2,
      accuracy: (configuration) => [0.1, 0.2, 0.3, 0.4][configuration] as number,
    };
    expect(written(play(worseFirst, asynchronous(false)).jobs)).toBe('1@0 2@0 2@1 3@0 4@0 4@1');
    expect(written(play(worseFirst, asynchronous(true)).jobs)).toBe('1@0 2@0 2@1 3@0 3@1 4@0 4@1');
  });
});

describe('successive halving', () => {
  it('promotes what sorting each rung would promote, in whatever order results arrive', () => {
    fc.assert(
      fc.property(anyPlay, (given) => {
        const { bracket } = play(given, synchronous);
        let survivors = [...Array(given.size).keys()];
        bracket.rungs.forEach(({ results }, rung) => {
          expect(results.map(({ configuration }) => configuration).sort((a, b) => a - b)).toEqual(
            [...survivors].sort((a, b) => a - b),
          );
          survivors = survivors
            .map((configuration) => ({ configuration, accuracy: given.accuracy(configuration, rung) }))
            .filter(({ accuracy }) => accuracy !== null)
            .sort((a, b) => b.accuracy! - a.accuracy! || a.configuration - b.configuration)
            .slice(0, Math.floor(given.size / given.eta ** (rung + 1)))
            .map(({ configuration }) => configuration);
        });
      }),
    );
  });

  it('waits for all of a rung before it promotes the first', () => {
    fc.assert(
      fc.property(anyPlay, (given) => {
        const closed = new Map<number, number>();
        const { bracket } = play(given, synchronous, {
          asked: (before, job) => {
            if (job === undefined || job.rung === 0) return;
            closed.set(job.rung - 1, (before[job.rung - 1] as Rung).results.length);
          },
        });
        // No result came to a rung after something was promoted from it.
        for (const [rung, results] of closed) expect(bracket.rungs[rung]?.results).toHaveLength(results);
      }),
    );
  });

  it('promotes those that succeeded if fewer did than a rung promotes', () => {
    // Nine begin and 2 succeed, where 3 could be promoted; the next rung is full with these 2.
    const few: Play = {
      size: 9,
      eta: 3,
      rungs: 3,
      workers: 2,
      arrivals: [0],
      accuracy: (configuration) => (configuration === 3 ? 0.5 : configuration === 8 ? 0.75 : null),
    };
    const { jobs, bracket } = play(few, synchronous);
    expect(jobs.slice(9)).toEqual([
      { configuration: 8, rung: 1, epochs: 3 },
      { configuration: 3, rung: 1, epochs: 3 },
      { configuration: 8, rung: 2, epochs: 9 },
    ]);
    expect(bracket.rungs.map(({ promoted }) => promoted)).toEqual([[8, 3], [8], []]);
  });

  it('never stalls, however many trainings fail', () => {
    fc.assert(
      fc.property(anyPlay, fc.array(fc.boolean(), { minLength: 160, maxLength: 160 }), (given, fails) => {
        const accuracy = (configuration: number, rung: number) =>
          fails[configuration * 4 + rung] ? null : given.accuracy(configuration, rung);
        const { bracket } = play({ ...given, accuracy }, synchronous);
        bracket.rungs.slice(0, -1).forEach(({ results, promoted }, rung) => {
          const succeeded = results.filter(({ score }) => score !== null).length;
          const most = Math.floor(given.size / given.eta ** (rung + 1));
          expect(promoted).toHaveLength(Math.min(succeeded, most));
        });
      }),
    );
  });
});
