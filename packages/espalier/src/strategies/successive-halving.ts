import { z } from 'zod';
import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';
import { type Bracket, bracketState } from './bracket.js';
import { random } from './random.js';
import type { Asked, Strategy, StrategySnapshot, StrategyStart, TrialResult } from './strategy.js';

/** The options that determine the epochs of the rungs. */
export interface Rungs {
  readonly minEpochs: number;
  readonly maxEpochs: number;
  readonly eta: number;
}

/** Schemas of these options. */
export const rungOptions = (defaults: Rungs) => ({
  minEpochs: z.int().min(1).default(defaults.minEpochs).describe('r, epochs of the first rung'),
  maxEpochs: z
    .int()
    .min(1)
    .default(defaults.maxEpochs)
    .describe('R, epochs of the last rung; --epochs sets it'),
  eta: z
    .int()
    .min(2)
    .default(defaults.eta)
    .describe('each rung has eta times the epochs of the previous one, and promotes one child in eta'),
});

/** Schema of the number of configurations. */
export const configurations = z
  .int()
  .min(1)
  .optional()
  .describe(
    'number of architectures that begin on the first rung; --trials sets it (default: as few as bring one to the last rung)',
  );

/** The refinement that all options with rungs need. */
export const rungsFit: [(rungs: Rungs) => boolean, { path: string[]; message: string }] = [
  ({ minEpochs, maxEpochs }) => minEpochs <= maxEpochs,
  { path: ['minEpochs'], message: 'must not be more than maxEpochs' },
];

/**
 * The epochs of each rung: r, r eta, r eta^2 and so on as long as they are below R, and then R. If R/r is a power of
 * eta, these are the rungs of the papers, which otherwise stop short of R.
 */
export function rungEpochs({ minEpochs, maxEpochs, eta }: Rungs): number[] {
  const below: number[] = [];
  for (let epochs = minEpochs; epochs < maxEpochs; epochs *= eta) below.push(epochs);
  return [...below, maxEpochs];
}

/** The smallest number of configurations that brings one to the last rung: eta^(rungs - 1). */
export function fewestConfigurations(rungs: Rungs): number {
  return rungs.eta ** (rungEpochs(rungs).length - 1);
}

const snapshotJson = z.strictObject({
  sampler: z.json(),
  configurations: z.array(
    z.strictObject({
      answers: z.array(z.union([z.int(), z.array(z.int())])),
      trial: z.int(),
    }),
  ),
  running: z.array(z.strictObject({ trial: z.int(), configuration: z.int(), rung: z.int() })),
  asked: z.int(),
  brackets: z.array(bracketState),
});

/** An architecture and its last trial. */
interface Configuration {
  readonly answers: readonly Answer[];
  trial: number;
}

/**
 * Successive halving in all its forms. It draws random architectures, trains all of them for a short time, and the best
 * of them further. The brackets decide which. If one has no job, the next is asked.
 */
export class SuccessiveHalving implements Strategy {
  readonly #sampler: Strategy;
  readonly #space: Space;
  readonly #seed: number;
  /** All configurations, by number. */
  #configurations: Configuration[] = [];
  /** The trials that have no result yet. */
  #running = new Map<number, { readonly configuration: number; readonly rung: number }>();
  #asked = 0;

  constructor(
    private readonly name: string,
    private readonly brackets: readonly Bracket[],
    start: Omit<StrategyStart<unknown>, 'options'>,
  ) {
    this.#sampler = random.create({ ...start, options: { unique: true } });
    this.#space = start.space;
    this.#seed = start.seed;
  }

  ask(): Asked {
    for (const bracket of this.brackets) {
      const job = bracket.next();
      if (job === undefined) continue;
      const { configuration, rung, epochs } = job;
      const trial = this.#asked++;
      this.#running.set(trial, { configuration, rung });
      const known = this.#configurations[configuration];
      if (known !== undefined) {
        const { answers, trial: continues } = known;
        known.trial = trial;
        return { answers, epochs, continues };
      }
      const drawn = this.#sampler.ask();
      const answers = typeof drawn === 'string' ? this.#again(configuration) : drawn.answers;
      this.#configurations.push({ answers, trial });
      return { answers, epochs };
    }
    return this.#running.size > 0 ? 'wait' : 'finished';
  }

  /** If the space has fewer architectures than a bracket needs, architectures are tried again with other seeds. */
  #again(configuration: number): readonly Answer[] {
    return this.#space.sample(Random.of(this.#seed, `configuration ${configuration}`));
  }

  tell({ trial, outcome }: TrialResult): void {
    const job = this.#running.get(trial);
    if (job === undefined) throw new Error(`strategy ${this.name} has no running trial ${trial}`);
    this.#running.delete(trial);
    const bracket = this.brackets.find((one) => one.has(job.configuration));
    bracket?.tell(job, outcome.status === 'ok' ? outcome.goodness : null);
  }

  snapshot(): StrategySnapshot {
    return {
      json: {
        sampler: (this.#sampler.snapshot as () => StrategySnapshot)().json,
        configurations: this.#configurations.map(({ answers, trial }) => ({
          answers: structuredClone(answers) as (number | number[])[],
          trial,
        })),
        running: [...this.#running].map(([trial, job]) => ({ trial, ...job })),
        asked: this.#asked,
        brackets: this.brackets.map((bracket) => bracket.state()),
      },
      tensors: new Map(),
    };
  }

  restore({ json }: StrategySnapshot): void {
    const snapshot = snapshotJson.safeParse(json);
    if (!snapshot.success)
      throw new InputError(`not a snapshot of ${this.name}: ${z.prettifyError(snapshot.error)}`);
    const { sampler, configurations, running, asked, brackets } = snapshot.data;
    if (brackets.length !== this.brackets.length)
      throw new InputError(
        `not a snapshot of this ${this.name}: it has ${brackets.length} brackets, not ${this.brackets.length}`,
      );
    this.#sampler.restore?.({ json: sampler, tensors: new Map() });
    this.#configurations = configurations;
    this.#running = new Map(running.map(({ trial, ...job }) => [trial, job]));
    this.#asked = asked;
    this.brackets.forEach((bracket, index) => {
      bracket.restore(brackets[index] as z.infer<typeof bracketState>);
    });
  }
}
