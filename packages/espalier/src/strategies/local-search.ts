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
 */
export const localSearch: StrategyDefinition<Options> = {
  name: 'local-search',
  options,
  create: ({ space, seed, options }) => new LocalSearch(space, seed, options),
};

const judged = z.object({ answers: answersJson, goodness: z.number() });
type Judged = z.infer<typeof judged>;

const snapshotJson = z.strictObject({
  random: z.array(z.int()),
  known: z.array(z.tuple([z.string(), z.number().nullable()])),
  running: z.int().min(0),
  centre: judged.nullable(),
  best: judged.nullable(),
  queue: z.array(answersJson),
});

class LocalSearch implements Strategy {
  #random: Random;
  /** The goodness of every proposal by its key; null while it runs, and where it failed. */
  #known = new Map<string, number | null>();
  #running = 0;
  /** Where the climb has come to; null while its beginning is sought. */
  #centre: Judged | null = null;
  /** The best of this round: of the random beginnings, or of the neighbours of the centre. */
  #best: Judged | null = null;
  /** What is yet to be tried in this round, the next one last. */
  #queue: Answer[][] = [];

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly options: Options,
  ) {
    this.#random = Random.of(seed, 'local search');
  }

  ask(): Asked {
    for (;;) {
      const answers = this.#queue.pop();
      if (answers !== undefined) {
        this.#known.set(this.space.key(answers), null);
        this.#running++;
        return { answers };
      }
      if (this.#running > 0) return 'wait';
      if (!this.#beginRound()) return 'finished';
    }
  }

  tell({ answers, outcome }: TrialResult): void {
    this.#running--;
    if (outcome.status === 'failed') return;
    const { goodness } = outcome;
    this.#known.set(this.space.key(answers), goodness);
    this.#consider({ answers: [...answers], goodness });
    if (!this.options.wholeNeighbourhood && this.#canClimb()) this.#climb();
  }

  /** The first climb may begin at an architecture from elsewhere. */
  inform({ answers, outcome }: Pick<TrialResult, 'answers' | 'outcome'>): void {
    if (outcome.status === 'failed') return;
    this.#known.set(this.space.key(answers), outcome.goodness);
    if (this.#centre === null) this.#consider({ answers: [...answers], goodness: outcome.goodness });
  }

  #consider(one: Judged): void {
    if (this.#best === null || one.goodness > this.#best.goodness) this.#best = one;
  }

  /** Whether the best neighbour so far is better than the centre. */
  #canClimb(): boolean {
    return this.#centre !== null && this.#best !== null && this.#best.goodness > this.#centre.goodness;
  }

  /** @returns whether there is anything left to try */
  #beginRound(): boolean {
    const isBeginning = this.#centre === null && this.#best !== null;
    if (!isBeginning && !this.#canClimb()) return this.#beginClimb();
    this.#climb();
    return true;
  }

  /** The best of the round is the new centre, and its neighbours are next. */
  #climb(): void {
    this.#centre = this.#best as Judged;
    this.#best = null;
    this.#queue = [];
    const neighbours = [...this.space.neighbours(this.#centre.answers)];
    for (const place of this.#random.permutation(neighbours.length)) {
      const answers = [...(neighbours[place] as readonly Answer[])];
      const goodness = this.#known.get(this.space.key(answers));
      if (goodness === undefined) this.#queue.push(answers);
      else if (goodness !== null) this.#consider({ answers, goodness });
    }
  }

  /** @returns whether there is anything left to try */
  #beginClimb(): boolean {
    this.#centre = null;
    this.#best = null;
    const drawn = new Map<string, Answer[]>();
    for (let draw = 0; draw < MOST_REDRAWS && drawn.size < this.options.initial; draw++) {
      const answers = this.space.sample(this.#random);
      const key = this.space.key(answers);
      if (!this.#known.has(key)) drawn.set(key, answers);
    }
    this.#queue = [...drawn.values()];
    return drawn.size > 0;
  }

  snapshot(): StrategySnapshot {
    const json = {
      random: [...this.#random.state()],
      known: [...this.#known],
      running: this.#running,
      centre: this.#centre,
      best: this.#best,
      queue: [...this.#queue],
    };
    return { json: json as unknown as Json, tensors: new Map() };
  }

  restore({ json }: StrategySnapshot): void {
    const snapshot = snapshotJson.safeParse(json);
    if (!snapshot.success)
      throw new InputError(`not a snapshot of local search: ${z.prettifyError(snapshot.error)}`);
    const { random, known, running, centre, best, queue } = snapshot.data;
    this.#random = Random.restore(random);
    this.#known = new Map(known);
    this.#running = running;
    this.#centre = centre;
    this.#best = best;
    this.#queue = queue;
  }
}
