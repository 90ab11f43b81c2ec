import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';
import { answersJson } from './answers-json.js';
import type { Asked, Strategy, StrategyDefinition, StrategySnapshot, TrialResult } from './strategy.js';

const options = z.strictObject({
  population: z
    .int()
    .min(1)
    .default(100)
    .describe('P, networks alive; the oldest dies when another is born (Real et al. 2019, section 4: 100)'),
  sample: z
    .int()
    .min(1)
    .default(25)
    .describe('S, networks in a tournament, whose best becomes the parent (Real et al. 2019, section 4: 25)'),
});

type Options = z.output<typeof options>;

/**
 * Regularised evolution (Real et al. 2019, *Regularized Evolution for Image Classifier Architecture Search*, algorithm
 * 1): P random architectures, then mutants of tournament winners. The oldest dies, not the worst, so an architecture
 * survives only if its descendants do well, too.
 *
 * A mutation changes one answer, see `Space.mutate`; the paper's identity mutation (a probability of 0.05) is left out
 * because it would train a network twice. A child that fails never joins the population.
 */
export const evolution: StrategyDefinition<Options> = {
  name: 'evolution',
  options,
  small: { population: 25, sample: 10 },
  asynchronous: true,
  create: ({ space, seed, options }) => new Evolution(space, seed, options),
};

const member = z.object({ answers: answersJson, goodness: z.number() });
type Member = z.infer<typeof member>;

const snapshotJson = z.strictObject({
  random: z.array(z.int()),
  asked: z.int().min(0),
  population: z.array(member),
});

class Evolution implements Strategy {
  #random: Random;
  #asked = 0;
  /** The oldest first. */
  #population: Member[] = [];

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly options: Options,
  ) {
    this.#random = Random.of(seed, 'evolution');
  }

  ask(): Asked {
    const isBeginning = this.#asked++ < this.options.population;
    // Where no child has succeeded yet there is no parent.
    if (isBeginning || this.#population.length === 0) return { answers: this.space.sample(this.#random) };
    return { answers: this.space.mutate(this.#winner(), this.#random) };
  }

  /** Candidates are drawn with replacement, as in algorithm 1. Of equal ones, the first drawn wins. */
  #winner(): readonly Answer[] {
    const drawn = Array.from(
      { length: this.options.sample },
      () => this.#population[this.#random.below(this.#population.length)] as Member,
    );
    return drawn.reduce((best, one) => (one.goodness > best.goodness ? one : best)).answers;
  }

  tell(result: TrialResult): void {
    this.inform(result);
  }

  /** An architecture from elsewhere joins the population, too. */
  inform({ answers, outcome }: Pick<TrialResult, 'answers' | 'outcome'>): void {
    if (outcome.status === 'failed') return;
    this.#population.push({ answers: [...answers], goodness: outcome.goodness });
    if (this.#population.length > this.options.population) this.#population.shift();
  }

  snapshot(): StrategySnapshot {
    const json = { random: this.#random.state(), asked: this.#asked, population: [...this.#population] };
    return { json: json as unknown as Json, tensors: new Map() };
  }

  restore({ json }: StrategySnapshot): void {
    const snapshot = snapshotJson.safeParse(json);
    if (!snapshot.success)
      throw new InputError(`not a snapshot of evolution: ${z.prettifyError(snapshot.error)}`);
    this.#random = Random.restore(snapshot.data.random);
    this.#asked = snapshot.data.asked;
    this.#population = snapshot.data.population;
  }
}
