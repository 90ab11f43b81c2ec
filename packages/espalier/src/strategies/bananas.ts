import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Ensemble } from '../predictors/ensemble.js';
import { SequenceEncoding } from '../predictors/sequence-encoding.js';
import { deriveSeed, Random } from '../random/random.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';
import { answersJson } from './answers-json.js';
import type { Asked, Strategy, StrategyDefinition, StrategySnapshot, TrialResult } from './strategy.js';

const options = z.strictObject({
  initial: z.int().min(2).default(10).describe('t_0, random architectures at first (White et al. 2021: 10)'),
  batch: z
    .int()
    .min(1)
    .default(10)
    .describe(
      'k, results that come before the predictor is trained again (White et al. 2021: 10); more where more than k trials run ' +
        'at once: as many as run',
    ),
  candidates: z
    .int()
    .min(1)
    .default(100)
    .describe('c, mutants that the predictor judges each time (White et al. 2021: 100)'),
  parents: z
    .int()
    .min(1)
    .default(10)
    .describe('best architectures so far that are mutated into candidates; the paper does not say how many'),
  ensemble: z.int().min(1).default(5).describe('M, networks of the predictor (White et al. 2021: 5)'),
  layers: z.int().min(0).default(10).describe('hidden layers of each of them (code: 10)'),
  width: z.int().min(1).default(20).describe('units of a hidden layer (code: 20)'),
  epochs: z.int().min(1).default(150).describe('epochs of the training of the predictor (code: 150)'),
  batchSize: z.int().min(1).default(32).describe('examples of a step of the predictor (code: 32)'),
  steps: z
    .int()
    .min(1)
    .default(3000)
    .describe(
      'most steps of a training of the predictor; more examples than make so many in all epochs have fewer epochs, so that ' +
        'a search of thousands does not wait for it; not in the paper, whose searches are shorter',
    ),
  learningRate: z.number().positive().default(0.01).describe('of Adam on the predictor (code: 0.01)'),
});

type Options = z.output<typeof options>;

/** How many mutants are drawn for each candidate that is wanted; small spaces have few that are new. */
const MOST_MUTANTS = 10;

/** So many random draws are made to find an architecture that is new; without one, the space counts as exhausted. */
const MOST_REDRAWS = 100;

/**
 * Bayesian optimisation with a neural predictor (White et al. 2021, *BANANAS: Bayesian Optimization with Neural
 * Architectures for Neural Architecture Search*, algorithm 1). An ensemble learns the value of an architecture from all
 * that were tried, mutants of the best ones are the candidates, and independent Thompson sampling picks among them: each
 * candidate is judged by a draw from the normal distribution of its own forecast.
 *
 * Unlike the paper, which encodes a cell by its paths, the encoding is read off the decision sequence
 * (`SequenceEncoding`), so that every space can be searched. No architecture is proposed twice. When a batch of k is used
 * up, the predictor learns from what was told until then, so no worker waits. With more than k workers it learns once as
 * many results have come as trials run, or as it knew before; until then it judges further batches as it is.
 */
export const bananas: StrategyDefinition<Options> = {
  name: 'bananas',
  options,
  small: { layers: 3 },
  asynchronous: true,
  create: ({ space, seed, options }) => new Bananas(space, seed, options),
};

const tried = z.object({ answers: answersJson, goodness: z.number() });
type Tried = z.infer<typeof tried>;

const snapshotJson = z.strictObject({
  random: z.array(z.int()),
  proposed: z.array(z.string()),
  tried: z.array(tried),
  running: z.int().min(0),
  fresh: z.int().min(0),
  trainings: z.int().min(0),
  learned: z.int().min(0),
  queue: z.array(answersJson),
});

interface Predictor {
  readonly encoding: SequenceEncoding;
  readonly ensemble: Ensemble;
}

class Bananas implements Strategy {
  readonly #seed: number;
  #random: Random;
  /** The keys of all proposals. */
  #proposed = new Set<string>();
  /** What succeeded, in the order of the results. */
  #tried: Tried[] = [];
  /** Trials without a result. */
  #running = 0;
  /** Results since the predictor was trained, also of trials that failed. */
  #fresh = 0;
  /** Trainings of the predictor so far. */
  #trainings = 0;
  /** It has learned from the first so many of what succeeded. */
  #learned = 0;
  /** Made when it is needed: after a restoration again, from the same examples. */
  #predictor: Predictor | undefined;
  /** What is left of the batch, the next one last. */
  #queue: Answer[][] = [];

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly options: Options,
  ) {
    this.#seed = seed;
    this.#random = Random.of(seed, 'bananas');
  }

  ask(): Asked {
    // A predictor needs two values at least; children may have failed.
    const isBeginning = this.#proposed.size < this.options.initial || this.#tried.length < 2;
    if (isBeginning) this.#queue = this.#randomly(1);
    else if (this.#queue.length === 0) this.#queue = this.#batch();
    const answers = this.#queue.pop();
    if (answers === undefined) return 'finished';
    this.#proposed.add(this.space.key(answers));
    this.#running++;
    return { answers };
  }

  tell(result: Pick<TrialResult, 'answers' | 'outcome'>): void {
    this.#running--;
    this.#learnOf(result);
  }

  inform(result: Pick<TrialResult, 'answers' | 'outcome'>): void {
    this.#proposed.add(this.space.key(result.answers));
    this.#learnOf(result);
  }

  #learnOf({ answers, outcome }: Pick<TrialResult, 'answers' | 'outcome'>): void {
    this.#fresh++;
    if (outcome.status === 'ok') this.#tried.push({ answers: [...answers], goodness: outcome.goodness });
  }

  /** New random architectures: as many as are wanted, or as can be found. */
  #randomly(wanted: number, taken: ReadonlySet<string> = new Set()): Answer[][] {
    const drawn = new Map<string, Answer[]>();
    for (let draw = 0; draw < MOST_REDRAWS * wanted && drawn.size < wanted; draw++) {
      const answers = this.space.sample(this.#random);
      const key = this.space.key(answers);
      if (!this.#proposed.has(key) && !taken.has(key)) drawn.set(key, answers);
    }
    return [...drawn.values()];
  }

  /** The architectures to be tried next, the most promising last. */
  #batch(): Answer[][] {
    const { batch } = this.options;
    const candidates = this.#candidates();
    if (this.#fresh >= Math.max(batch, Math.min(this.#running, this.#learned)) || this.#trainings === 0) {
      this.close();
      this.#trainings++;
      this.#learned = this.#tried.length;
      this.#fresh = 0;
    }
    this.#predictor ??= this.#trained();
    const { encoding, ensemble } = this.#predictor;
    const forecasts = ensemble.forecast(encoding.encode(this.#traces(candidates)));
    return candidates
      .map((answers, place) => {
        const { mean, deviation } = forecasts[place] as (typeof forecasts)[number];
        return { answers, hope: mean + deviation * this.#random.normal() };
      })
      .sort((a, b) => a.hope - b.hope)
      .slice(-batch)
      .map(({ answers }) => answers);
  }

  /** The predictor after its last training. */
  #trained(): Predictor {
    const { ensemble: members } = this.options;
    const examples = this.#tried.slice(0, this.#learned);
    const known = this.#traces(examples.map(({ answers }) => answers));
    const encoding = new SequenceEncoding(known);
    const seed = deriveSeed(this.#seed, `bananas ${this.#trainings}`);
    const ensemble = Ensemble.train(
      {
        features: encoding.size,
        encoded: encoding.encode(known),
        values: examples.map(({ goodness }) => goodness),
      },
      { ...this.options, members },
      seed,
      Random.of(seed, 'order of the examples'),
    );
    return { encoding, ensemble };
  }

  #traces(sequences: readonly (readonly Answer[])[]) {
    return sequences.map((one) => this.space.trace(one));
  }

  /** New mutants of the best, and random architectures where there are too few of them. */
  #candidates(): Answer[][] {
    const { candidates: wanted, parents } = this.options;
    const best = [...this.#tried].sort((a, b) => b.goodness - a.goodness).slice(0, parents);
    const found = new Map<string, Answer[]>();
    const most = MOST_MUTANTS * wanted;
    let mutations = 0;
    for (let turn = 0; mutations < most && found.size < wanted; turn++) {
      let { answers } = best[turn % best.length] as Tried;
      let key: string;
      // What is not new is mutated further, because the neighbours of the best have soon been tried.
      do {
        answers = this.space.mutate(answers, this.#random);
        key = this.space.key(answers);
        mutations++;
      } while (mutations < most && (this.#proposed.has(key) || found.has(key)));
      if (!this.#proposed.has(key)) found.set(key, answers);
    }
    if (found.size >= this.options.batch) return [...found.values()];
    return [...found.values(), ...this.#randomly(this.options.batch - found.size, new Set(found.keys()))];
  }

  snapshot(): StrategySnapshot {
    const json = {
      random: [...this.#random.state()],
      proposed: [...this.#proposed],
      tried: [...this.#tried],
      running: this.#running,
      fresh: this.#fresh,
      learned: this.#learned,
      trainings: this.#trainings,
      queue: [...this.#queue],
    };
    return { json: json as unknown as Json, tensors: new Map() };
  }

  restore({ json }: StrategySnapshot): void {
    const snapshot = snapshotJson.safeParse(json);
    if (!snapshot.success)
      throw new InputError(`not a snapshot of bananas: ${z.prettifyError(snapshot.error)}`);
    const { random, proposed, tried: told, running, fresh, trainings, learned, queue } = snapshot.data;
    this.close();
    this.#random = Random.restore(random);
    this.#proposed = new Set(proposed);
    this.#tried = told;
    this.#running = running;
    this.#fresh = fresh;
    this.#trainings = trainings;
    this.#learned = learned;
    this.#queue = queue;
  }

  close(): void {
    this.#predictor?.ensemble.free();
    this.#predictor = undefined;
  }
}
