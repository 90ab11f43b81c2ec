import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';
import { answersJson } from './answers-json.js';
import type { Asked, Strategy, StrategyDefinition, StrategySnapshot, TrialResult } from './strategy.js';

/** So many draws are made to find the beginnings of a climb; if none of them is new, the space counts as exhausted. */
const MOST_REDRAWS = 100;

const options = z.strictObject({
  initial: z
    .int()
    .min(1)
    .default(10)
    .describe('random architectures of which the best is where a climb begins (White et al. 2020, code: 10)'),
  wholeNeighbourhood: z
    .boolean()
    .default(true)
    .describe(
      'whether all neighbours are tried before a step goes to the best of them; otherwise a step goes to the first one ' +
        'that is better (White et al. 2020, section 3: true)',
    ),
});

type Options = z.output<typeof options>;

/**
 * Local search (White et al. 2020, *Local Search is State of the Art for Neural Architecture Search Benchmarks*): from
 * the best of some random architectures, steps go to the best neighbour until none is better; then another climb
 * begins. Neighbours differ in one answer, see `Space.neighbours`, and are tried in random order. No architecture is
 * tried twice. A search ends when the space is exhausted.
 *
 * With one worker this is the algorithm of the paper. Where more workers ask than a climb has architectures to try, another
 * climb begins beside it, so that no worker waits for the last result of a round. Earlier climbs come first.
 */
export const localSearch: StrategyDefinition<Options> = {
  name: 'local-search',
  options,
  asynchronous: true,
  create: ({ space, seed, options }) => new LocalSearch(space, seed, options),
};

const judged = z.object({ answers: answersJson, goodness: z.number() });
type Judged = z.infer<typeof judged>;

const known = z.union([z.number(), z.enum(['running', 'failed'])]);

const snapshotJson = z.strictObject({
  random: z.array(z.int()),
  known: z.array(z.tuple([z.string(), known])),
  exhausted: z.boolean(),
  climbs: z.array(
    z.strictObject({
      centre: judged.nullable(),
      best: judged.nullable(),
      queue: z.array(answersJson),
      awaited: z.array(z.string()),
    }),
  ),
});

/** One climb. */
interface Climb {
  /** Where it has come to; null while its beginning is sought. */
  centre: Judged | null;
  /** The best of this round: of the random beginnings, or of the neighbours of the centre. */
  best: Judged | null;
  /** What is yet to be tried in this round, the next one last. */
  queue: Answer[][];
  /** Keys of what is running and belongs to this round. */
  readonly awaited: Set<string>;
}

class LocalSearch implements Strategy {
  #random: Random;
  /** The goodness of every proposal by its key, if it has one. */
  #known = new Map<string, z.infer<typeof known>>();
  /** Whether draws have brought nothing new. */
  #exhausted = false;
  #climbs: Climb[] = [newClimb()];

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly options: Options,
  ) {
    this.#random = Random.of(seed, 'local search');
  }

  ask(): Asked {
    for (const climb of this.#climbs) {
      const answers = this.#next(climb);
      if (answers !== undefined) return { answers };
    }
    const another = newClimb();
    const answers = this.#next(another);
    if (answers === undefined)
      return this.#climbs.some(({ awaited }) => awaited.size > 0) ? 'wait' : 'finished';
    this.#climbs.push(another);
    return { answers };
  }

  /** What a climb tries next; undefined where it waits for results, or the space is exhausted. */
  #next(climb: Climb): Answer[] | undefined {
    for (;;) {
      const answers = climb.queue.pop();
      if (answers === undefined) {
        if (climb.awaited.size > 0 || !this.#beginRound(climb)) return undefined;
        continue;
      }
      const key = this.space.key(answers);
      const isNew = !this.#known.has(key);
      if (isNew) this.#known.set(key, 'running');
      this.#include(climb, answers, key);
      if (isNew) return answers;
    }
  }

  /** Includes an architecture that is known, or running, in the round. */
  #include(climb: Climb, answers: readonly Answer[], key: string): void {
    const goodness = this.#known.get(key);
    if (goodness === 'running') climb.awaited.add(key);
    else if (typeof goodness === 'number') consider(climb, { answers: [...answers], goodness });
  }

  tell({ answers, outcome }: Pick<TrialResult, 'answers' | 'outcome'>): void {
    const key = this.space.key(answers);
    this.#known.set(key, outcome.status === 'failed' ? 'failed' : outcome.goodness);
    for (const climb of this.#climbs) {
      if (!climb.awaited.delete(key)) continue;
      this.#include(climb, answers, key);
      if (!this.options.wholeNeighbourhood && canClimb(climb)) this.#climb(climb);
    }
  }

  /** The first climb may begin at an architecture from elsewhere. */
  inform({ answers, outcome }: Pick<TrialResult, 'answers' | 'outcome'>): void {
    if (outcome.status === 'failed') return;
    const key = this.space.key(answers);
    this.#known.set(key, outcome.goodness);
    const [first] = this.#climbs as [Climb];
    if (first.centre === null) this.#include(first, answers, key);
  }

  /** @returns whether there is anything left to try */
  #beginRound(climb: Climb): boolean {
    const isBeginning = climb.centre === null && climb.best !== null;
    if (!isBeginning && !canClimb(climb)) return this.#beginAgain(climb);
    this.#climb(climb);
    return true;
  }

  /** The best of the round is the new centre, and its neighbours are next. */
  #climb(climb: Climb): void {
    const centre = climb.best as Judged;
    climb.centre = centre;
    climb.best = null;
    climb.queue = [];
    const neighbours = [...this.space.neighbours(centre.answers)];
    for (const place of this.#random.permutation(neighbours.length)) {
      const answers = [...(neighbours[place] as readonly Answer[])];
      const key = this.space.key(answers);
      if (this.#known.has(key)) this.#include(climb, answers, key);
      else climb.queue.push(answers);
    }
  }

  /** @returns whether there is anything left to try */
  #beginAgain(climb: Climb): boolean {
    climb.centre = null;
    climb.best = null;
    if (this.#exhausted) return false;
    const drawn = new Map<string, Answer[]>();
    for (let draw = 0; draw < MOST_REDRAWS && drawn.size < this.options.initial; draw++) {
      const answers = this.space.sample(this.#random);
      const key = this.space.key(answers);
      if (!this.#known.has(key)) drawn.set(key, answers);
    }
    climb.queue = [...drawn.values()];
    this.#exhausted = drawn.size === 0;
    return !this.#exhausted;
  }

  snapshot(): StrategySnapshot {
    const json = {
      random: [...this.#random.state()],
      known: [...this.#known],
      exhausted: this.#exhausted,
      climbs: this.#climbs.map(({ centre, best, queue, awaited }) => ({
        centre,
        best,
        queue: [...queue],
        awaited: [...awaited],
      })),
    };
    return { json: json as unknown as Json, tensors: new Map() };
  }

  restore({ json }: StrategySnapshot): void {
    const snapshot = snapshotJson.safeParse(json);
    if (!snapshot.success)
      throw new InputError(`not a snapshot of local search: ${z.prettifyError(snapshot.error)}`);
    const { random, known: values, exhausted, climbs } = snapshot.data;
    this.#random = Random.restore(random);
    this.#known = new Map(values);
    this.#exhausted = exhausted;
    this.#climbs = climbs.map(({ awaited, ...climb }) => ({ ...climb, awaited: new Set(awaited) }));
  }
}

function newClimb(): Climb {
  return { centre: null, best: null, queue: [], awaited: new Set() };
}

function consider(climb: Climb, one: Judged): void {
  if (climb.best === null || one.goodness > climb.best.goodness) climb.best = one;
}

/** Whether the best neighbour so far is better than the centre. */
function canClimb({ centre, best }: Climb): boolean {
  return centre !== null && best !== null && best.goodness > centre.goodness;
}
