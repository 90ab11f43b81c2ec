import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Halving, PromotionRule, Rung } from './promotion.js';

/** A job for a free worker: train a configuration up to the epochs of a rung. */
export interface Job {
  readonly configuration: number;
  readonly rung: number;
  readonly epochs: number;
}

interface BracketOptions extends Halving {
  /** Number of the first configuration. The configurations of a bracket are numbered consecutively. */
  readonly first: number;
  /** Epochs of each rung, counted from the start of the training. */
  readonly epochs: readonly number[];
  readonly rule: PromotionRule;
}

/** The state of a bracket, as plain JSON. */
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

/** A set of configurations that all begin on one rung, of which fewer and fewer are promoted to the next. */
export class Bracket {
  #started = 0;
  #rungs: { results: Rung['results'][number][]; promoted: number[] }[];

  constructor(private readonly options: BracketOptions) {
    this.#rungs = options.epochs.map(() => ({ results: [], promoted: [] }));
  }

  get rungs(): readonly Rung[] {
    return this.#rungs;
  }

  /** The largest possible number of jobs, given that a rung promotes no more than 1/eta of its configurations. */
  get trainings(): number {
    const { size, eta, epochs } = this.options;
    return epochs.reduce((sum, _, rung) => sum + Math.floor(size / eta ** rung), 0);
  }

  has(configuration: number): boolean {
    const { first, size } = this.options;
    return configuration >= first && configuration < first + size;
  }

  /**
   * Takes the next job: a promotion from the highest rung that has one, or else a new configuration. Undefined if
   * results are needed first, or if the bracket is finished.
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

  /** @param score null if the training failed */
  tell({ configuration, rung }: Pick<Job, 'configuration' | 'rung'>, score: number | null): void {
    this.#rungs[rung]?.results.push({ configuration, score });
  }

  state(): BracketState {
    return structuredClone({ started: this.#started, rungs: this.#rungs });
  }

  /** @throws InputError for the state of a bracket with another number of rungs */
  restore({ started, rungs }: BracketState): void {
    if (rungs.length !== this.#rungs.length)
      throw new InputError(`a bracket with ${rungs.length} rungs, not ${this.#rungs.length}`);
    this.#started = started;
    this.#rungs = structuredClone(rungs);
  }
}
