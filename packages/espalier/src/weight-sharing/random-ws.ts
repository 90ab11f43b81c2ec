import type { Tensor } from '@espalier/torch';
import { z } from 'zod';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import { type Batch, evaluate, isBetter } from '../tasks/task.js';
import type { WeightSharingDefinition } from './definition.js';
import { pathOf } from './path.js';
import {
  type ChoiceStep,
  type EpochResult,
  type Found,
  SupernetSearch,
  type SupernetSearchStart,
} from './supernet-search.js';
import { imageSupernetOptions, type SupernetSettings, textSupernetOptions } from './supernet-settings.js';

const own = {
  candidates: z
    .int()
    .min(1)
    .default(1000)
    .describe('architectures drawn in a round of the choice (their code: 1,000)'),
  batches: z
    .int()
    .min(1)
    .default(10)
    .describe('validation batches that each of them is scored on (their code: 10)'),
  finalists: z
    .int()
    .min(1)
    .default(10)
    .describe('the best of a round, which are measured on all validation data (their code: 10)'),
  rounds: z
    .int()
    .min(1)
    .optional()
    .describe(
      'of the choice; by default one for each 10,000 steps of the training, at least one, as in their code',
    ),
};

const imageOptions = z.object({ ...imageSupernetOptions, ...own });
const textOptions = z.object({ ...textSupernetOptions, ...own });

type Options = SupernetSettings & Pick<z.infer<typeof imageOptions>, keyof typeof own>;

/** Steps of the training for one round of the choice. */
const STEPS_A_ROUND = 10_000;

/** max(1, floor(B / 10,000)) rounds for B steps of training, epochs x N / batch size / time steps of a batch. */
export function roundsFor(steps: number): number {
  return Math.max(1, Math.floor(Math.floor(steps) / STEPS_A_ROUND));
}

/** An architecture with its measure. */
interface Scored {
  readonly architecture: unknown;
  readonly value: number;
}

/**
 * Random search with weight sharing (Li & Talwalkar 2019, section 3 and their code): each step draws an architecture
 * evenly at random and trains only its weights. Then architectures are drawn and scored with the shared weights on a
 * few batches of validation data, and the best of them on all of it.
 */
class RandomWeightSharing<Model extends object> extends SupernetSearch<Model, Options> {
  #random: Random;

  constructor(start: SupernetSearchStart<Model, Options>) {
    super(start);
    this.#random = Random.of(this.seed, 'random search with weight sharing');
    // The architecture parameters have no part in it.
    for (const alphas of Object.values(this.supernet.architectureParameters())) alphas.requiresGrad = false;
  }

  #draw(): unknown {
    return this.space.decode(this.space.sample(this.#random));
  }

  protected step(train: Batch<Model>, _next: () => Batch<Model>, learningRate: number): number {
    return this.trainWeights(pathOf(this.supernet, this.#draw()), train, learningRate);
  }

  endEpoch(): EpochResult {
    return {};
  }

  /** How many rounds the choice has. */
  get #rounds(): number {
    const { rounds, epochs, batchSize } = this.options;
    return rounds ?? roundsFor((epochs * this.task.count('train')) / batchSize / this.task.timeSteps);
  }

  *choose(): Generator<ChoiceStep, Found, undefined> {
    const { candidates, finalists } = this.options;
    const rounds = this.#rounds;
    const of = rounds * (candidates + Math.min(candidates, finalists));
    let done = 0;
    let best: Scored | undefined;
    const measured: Json[] = [];
    this.supernet.eval();
    for (let round = 1; round <= rounds; round++) {
      const scored: Scored[] = [];
      for (let i = 0; i < candidates; i++) {
        const architecture = this.#draw();
        scored.push({ architecture, value: this.#measure(architecture, this.options.batches) });
        yield { done: ++done, of, what: `round ${round} of ${rounds}: architectures scored` };
      }
      scored.sort((a, b) => (this.#better(a.value, b.value) ? -1 : this.#better(b.value, a.value) ? 1 : 0));
      for (const { architecture, value: score } of scored.slice(0, finalists)) {
        const value = this.#measure(architecture);
        measured.push({ round, score, [this.task.measure.name]: value });
        if (best === undefined || this.#better(value, best.value)) best = { architecture, value };
        yield { done: ++done, of, what: `round ${round} of ${rounds}: finalists measured` };
      }
    }
    const { architecture, value } = best as Scored;
    return {
      architecture,
      details: { [this.task.measure.name]: value, rounds, candidates, finalists: measured },
    };
  }

  #better(value: number, than: number): boolean {
    return isBetter(this.task.measure, value, than);
  }

  /** On the first batches of the validation data, or on all of it. */
  #measure(architecture: unknown, batches?: number): number {
    const { batchSize } = this.options;
    // Images can be looked at in any number at once, and in few large batches it takes less time.
    const [size, most] =
      this.task.reads === 'images'
        ? [batchSize * this.options.batches, batches === undefined ? undefined : 1]
        : [batchSize, batches];
    return evaluate(this.task, pathOf(this.supernet, architecture), 'validation', {
      size,
      ...(most === undefined ? {} : { most }),
    });
  }

  override stateJson(): Json {
    return [...this.#random.state()];
  }

  override loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    super.loadState(state, json, epoch, loss);
    this.#random = Random.restore(z.array(z.int()).parse(json));
  }
}

export const randomWeightSharing: WeightSharingDefinition<Options> = {
  name: 'random-ws',
  options: { images: imageOptions, tokens: textOptions },
  small: { candidates: 100, batches: 2 },
  // "none" is drawn too on CIFAR-10 and not on Penn Treebank, whose space does not have it (their code).
  spaceOptions: ({ options }) => ('none' in (options?.shape ?? {}) ? { none: true } : {}),
  validationShare: 0.5,
  create: (start) => new RandomWeightSharing(start),
};
