import { noGrad, scope, type Tensor } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Accumulator } from '../measures/accumulator.js';
import { goodness, isBetter, type Measures } from '../measures/measure.js';
import { Random } from '../random/random.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { type Batch, Diverged, type Sample } from '../tasks/task.js';
import type { OptionsOf, WeightSharingDefinition } from './definition.js';
import { PathsOnOneInput, pathOf } from './path.js';
import { type Finalist, ROUND, type Round, readRound } from './round-event.js';
import {
  type ChoiceStep,
  type EpochResult,
  type Found,
  SupernetSearch,
  type SupernetSearchStart,
} from './supernet-search.js';
import { type SupernetSettings, supernetOptions } from './supernet-settings.js';

const own = {
  candidates: z
    .int()
    .min(1)
    .default(1000)
    .describe('architectures drawn in each round of the choice (their code: 1,000)'),
  batches: z
    .int()
    .min(1)
    .default(10)
    .describe(
      'validation batches that each of them is scored on (their code: 10 of images, all of a text). Here all candidates see ' +
        'the same batches, unaugmented; in their code each sees the next ones of a shuffled, augmented pass, so that chance ' +
        'decides too',
    ),
  finalists: z
    .int()
    .min(1)
    .default(10)
    .describe(
      'the best of each round, which are measured on all validation data (their code: 10 on images, 1 on texts)',
    ),
  candidatesAnEpoch: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'architectures drawn after each epoch and scored on one validation batch, the best of which is journaled; they change ' +
        'nothing of the search (Li & Talwalkar 2019: none; Dong & Yang 2020 on NAS-Bench-201: 100)',
    ),
  rounds: z
    .int()
    .min(1)
    .optional()
    .describe(
      'rounds of the choice; by default one for every 10,000 steps of the training, at least one. The best finalist of all ' +
        'rounds is taken (both as in their code)',
    ),
};

type Options = SupernetSettings & z.infer<z.ZodObject<typeof own>>;

/** Steps of the training for one round of the choice. */
const STEPS_A_ROUND = 10_000;

/** max(1, floor(B / 10,000)) rounds for B steps of training: epochs x N / batch size / time steps of a batch. */
export function roundsFor(steps: number): number {
  return Math.max(1, Math.floor(Math.floor(steps) / STEPS_A_ROUND));
}

/** Images scored at once: more do not run faster, and what is kept of them takes memory. */
const BEST_SIZE = 128;

/** What the batches so far add up to for one architecture. */
interface Total {
  readonly accumulator: Accumulator;
  finite: boolean;
}

function add<Model>(total: Total, batch: Batch<Model>, model: Model): void {
  const tally = scope(() => noGrad(() => batch.tally(model)));
  total.finite &&= tally.finite;
  total.accumulator.add(tally);
}

/** An architecture and its measure on a few batches. */
interface Scored {
  readonly architecture: Json;
  readonly value: number;
}

/** @throws InputError for an event that is not that of this round */
function recordedRound(event: JournalEvent, round: number): Round {
  const recorded = readRound(event);
  if (recorded.round !== round)
    throw new InputError(`the journal has round ${recorded.round} where round ${round} has to come`);
  return recorded;
}

/**
 * Random search with weight sharing (Li & Talwalkar 2019, section 3 and their code): each step draws an architecture
 * uniformly at random and trains only its weights. Then architectures are drawn and scored with the shared weights on a
 * few batches of validation data, and the best of them are measured on all of it.
 */
class RandomWeightSharing<Model extends object> extends SupernetSearch<Model, Options> {
  #random: Random;

  constructor(start: SupernetSearchStart<Model, Options>) {
    super(start);
    this.#random = Random.of(this.seed, 'random search with weight sharing');
    // The architecture parameters take no part.
    for (const alphas of Object.values(this.supernet.architectureParameters())) alphas.requiresGrad = false;
  }

  #draw(random = this.#random): unknown {
    return this.space.decode(this.space.sample(random));
  }

  protected step(train: Batch<Model>, _next: () => Batch<Model>, learningRate: number): number {
    return this.trainWeights(pathOf(this.supernet, this.#draw()), train, learningRate);
  }

  endEpoch(): EpochResult {
    const { candidatesAnEpoch } = this.options;
    if (candidatesAnEpoch === 0) return {};
    const random = Random.of(this.seed, `candidates after epoch ${this.epoch}`);
    const drawn = Array.from({ length: candidatesAnEpoch }, () => this.#draw(random));
    this.supernet.eval();
    const totals = this.#totals(drawn);
    for (const _ of this.#score(drawn, totals, 1));
    const [best] = this.#ranked(drawn, totals.map(this.#scoreOf));
    return best === undefined ? {} : { architecture: best.architecture, score: best.value };
  }

  /** How many rounds the choice has. */
  get #rounds(): number {
    const { rounds, epochs, batchSize } = this.options;
    return rounds ?? roundsFor((epochs * this.task.count('train')) / batchSize / this.task.timeSteps);
  }

  /** Each round is an event of the journal, since at the settings of the paper a round takes hours. */
  *choose(
    recorded: () => JournalEvent | undefined = () => undefined,
  ): Generator<ChoiceStep, Found, undefined> {
    const { candidates, finalists } = this.options;
    const rounds = this.#rounds;
    const perRound = candidates + Math.min(candidates, finalists);
    const of = rounds * perRound;
    let best: Finalist | undefined;
    const measured: Json[] = [];
    this.supernet.eval();
    for (let round = 1; round <= rounds; round++) {
      const drawn = Array.from({ length: candidates }, () => this.#draw());
      const event = recorded();
      const known = event?.event === ROUND ? recordedRound(event, round) : undefined;
      const its = known ?? (yield* this.#measure(drawn, round, { done: (round - 1) * perRound, of }));
      for (const finalist of its.finalists) {
        const { score, measures } = finalist;
        measured.push({ round, score, measures });
        if (measures === null) continue;
        const value = this.#valueOf(measures);
        if (best === undefined || this.#better(value, this.#valueOf(best.measures as Measures)))
          best = finalist;
      }
      yield {
        done: round * perRound,
        of,
        what: `round ${round} of ${rounds}: finalists measured`,
        event: { event: ROUND, ...its },
      };
    }
    if (best === undefined)
      throw new Diverged(
        `diverged: none of the ${rounds * candidates} architectures gives finite numbers with the shared weights`,
      );
    return {
      architecture: this.space.validate(best.architecture),
      details: { measures: best.measures as Measures, rounds, candidates, finalists: measured },
    };
  }

  /** A round: scores the architectures on a few batches, and measures the best of them on all validation data. */
  *#measure(
    drawn: readonly unknown[],
    round: number,
    { done: before, of }: { readonly done: number; readonly of: number },
  ): Generator<ChoiceStep, Round, undefined> {
    const { candidates, finalists } = this.options;
    const what = `round ${round} of ${this.#rounds}`;
    const totals = this.#totals(drawn);
    for (const share of this.#score(drawn, totals, this.options.batches))
      yield { done: Math.floor(before + share * candidates), of, what: `${what}: architectures scored` };
    const scores = totals.map(this.#scoreOf);
    const scored = this.#ranked(drawn, scores);
    const its: Finalist[] = [];
    for (const { architecture, value: score } of scored.slice(0, finalists)) {
      const measures = this.validateIfFinite(pathOf(this.supernet, architecture)) ?? null;
      its.push({ architecture, score, measures });
      // The event of the round stands for its last finalist.
      if (its.length < Math.min(scored.length, finalists))
        yield { done: before + candidates + its.length, of, what: `${what}: finalists measured` };
    }
    return { round, scores, finalists: its };
  }

  #totals(drawn: readonly unknown[]): Total[] {
    return drawn.map(() => ({ accumulator: this.task.accumulator(), finite: true }));
  }

  /** Null for a path whose outputs are not finite: it drops out. */
  readonly #scoreOf = ({ accumulator, finite }: Total): number | null => {
    const value = this.#valueOf(accumulator.measures());
    return finite && Number.isFinite(value) ? value : null;
  };

  /** Architectures with their scores, the best first. */
  #ranked(drawn: readonly unknown[], scores: readonly (number | null)[]): Scored[] {
    const scored = drawn.flatMap((architecture, i): Scored[] => {
      const value = scores[i] ?? null;
      return value === null ? [] : [{ architecture: architecture as Json, value }];
    });
    return scored.sort((a, b) => goodness(this.objective, b.value) - goodness(this.objective, a.value));
  }

  #better(value: number, than: number): boolean {
    return isBetter(this.objective, value, than);
  }

  #valueOf(measures: Measures): number {
    return measures[this.objective.name] as number;
  }

  /** Adds up the first batches of the validation data for each architecture. Yields the share that is done. */
  #score(
    architectures: readonly unknown[],
    totals: readonly Total[],
    batches: number,
  ): Generator<number, void, undefined> {
    return this.task.independentBatches
      ? this.#scoreTogether(architectures, totals, batches)
      : this.#scoreInTurn(architectures, totals, batches);
  }

  /** Batch after batch, all architectures on each, since they share the beginning of the network. */
  *#scoreTogether(
    architectures: readonly unknown[],
    totals: readonly Total[],
    batches: number,
  ): Generator<number, void, undefined> {
    const { batchSize } = this.options;
    const images = Math.min(batchSize * batches, this.task.count('validation'));
    // As many images, in batches of a size that runs well: in evaluation batches do not influence the outputs.
    const size = Math.max(1, Math.ceil(images / Math.ceil(images / BEST_SIZE)));
    let seen = 0;
    for (const batch of this.task.pass('validation', { size })) {
      if (seen >= images) break;
      const paths = new PathsOnOneInput(this.supernet);
      try {
        for (const [i, architecture] of architectures.entries()) {
          add(totals[i] as Total, batch, paths.of(architecture));
          yield (seen + (batch.count * (i + 1)) / architectures.length) / images;
        }
      } finally {
        paths.free();
      }
      seen += batch.count;
    }
  }

  /** Architecture after architecture: each reads the text from its beginning. */
  *#scoreInTurn(
    architectures: readonly unknown[],
    totals: readonly Total[],
    batches: number,
  ): Generator<number, void, undefined> {
    const { batchSize: size } = this.options;
    for (const [i, architecture] of architectures.entries()) {
      const path = pathOf(this.supernet, architecture);
      let done = 0;
      for (const batch of this.task.pass('validation', { size })) {
        if (done++ >= batches) break;
        add(totals[i] as Total, batch, path);
      }
      yield (i + 1) / architectures.length;
    }
  }

  override stateJson(): Json {
    return [...this.#random.state()];
  }

  override loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    super.loadState(state, json, epoch, loss);
    this.#random = Random.restore(z.array(z.int()).parse(json));
  }

  /** Of the architecture found, with the shared weights. */
  override samples({ architecture }: Found): readonly Sample[] | undefined {
    this.supernet.eval();
    return this.task.samples?.(pathOf(this.supernet, architecture), 'validation');
  }
}

export const randomWeightSharing: WeightSharingDefinition<Options> = {
  name: 'random-ws',
  sharesWeights: true,
  options: (task) => z.strictObject({ ...supernetOptions(task), ...own }) as unknown as OptionsOf<Options>,
  small: { candidates: 100, batches: 2 },
  // Their code draws 'none' too on CIFAR-10, and not on Penn Treebank, whose space does not have it.
  spaceOptions: ({ options }) => ('none' in (options?.shape ?? {}) ? { none: true } : {}),
  validationShare: 0.5,
  create: (start) => new RandomWeightSharing(start),
};
