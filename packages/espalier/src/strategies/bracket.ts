import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Halving, PromotionRule, Rung } from './promotion.js';

/** What a free worker is to do: train a configuration until it has had the epochs of a rung. */
export interface Job {
  readonly configuration: number;
  readonly rung: number;
  readonly epochs: number;
}

interface BracketOptions extends Halving {
  /** The number of the first configuration; those of a bracket follow one another. */
  readonly first: number;
  /** Of each rung, counted from the start of the training. */
  readonly epochs: readonly number[];
  readonly rule: PromotionRule;
}

/** What a bracket knows, as plain JSON. */
export const bracketState = z.strictObject({
  started: z.int().min(0),
  rungs: z.array(
    z.strictObject({
      results: z.array(z.strictObject({ configuration: z.int(), score: z.number().nullable() })),
      promoted: z.array(z.int()),
    }),
  ),
});

type BracketState = z.infer<typeof bracketState>;

/** Configurations that begin on one rung, and of which ever fewer climb to the next. */
export class Bracket {
  #started = 0;
  #rungs: { results: Rung['results'][number][]; promoted: number[] }[];

  constructor(private readonly options: BracketOptions) {
    this.#rungs = options.epochs.map(() => ({ results: [], promoted: [] }));
  }

  get rungs(): readonly Rung[] {
    return this.#rungs;
  }

  /** The most trainings that there can be: where a rung promotes no more than 1/eta of it. */
  get trainings(): number {
    const { size, eta, epochs } = this.options;
    return epochs.reduce((sum, _, rung) => sum + Math.floor(size / eta ** rung), 0);
  }

  has(configuration: number): boolean {
    const { first, size } = this.options;
    return configuration >= first && configuration < first + size;
  }

  /**
   * The next job, which is taken: a promotion from the highest rung that has one, or else a configuration that begins.
   * Undefined where results must come first, or there are none to come.
   */
  next(): Job | undefined {
    const { epochs, rule, first, size } = this.options;
    for (let rung = epochs.length - 2; rung >= 0; rung--) {
      const configuration = rule(this.#rungs, rung, this.options);
      if (configuration === undefined) continue;
      this.#rungs[rung]?.promoted.push(configuration);
      return { configuration, rung: rung + 1, epochs: epochs[rung + 1] as number };
    }
    if (this.#started === size) return undefined;
    return { configuration: first + this.#started++, rung: 0, epochs: epochs[0] as number };
  }

  /** @param score null where the training failed */
  tell({ configuration, rung }: Pick<Job, 'configuration' | 'rung'>, score: number | null): void {
    this.#rungs[rung]?.results.push({ configuration, score });
  }

  state(): BracketState {
    return structuredClone({ started: this.#started, rungs: this.#rungs });
  }

  /** @throws InputError for the state of a bracket with other rungs */
  restore({ started, rungs }: BracketState): void {
    if (rungs.length !== this.#rungs.length)
      throw new InputError(`a bracket with ${rungs.length} rungs, not ${this.#rungs.length}`);
    this.#started = started;
    this.#rungs = structuredClone(rungs);
  }
}
