import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';
import { type Measured, measuredValue, measureOf } from '../tasks/measure.js';
import { type Bracket, bracketState } from './bracket.js';
import { random } from './random.js';
import type { Proposal, Strategy, StrategyEvent, StrategySnapshot, TrialResult } from './strategy.js';

/** Which epochs the rungs have. */
export interface Rungs {
  readonly minEpochs: number;
  readonly maxEpochs: number;
  readonly eta: number;
}

/** The options of rungs. */
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
    .describe('a rung has eta times the epochs of the one before, and promotes one in eta'),
});

/** How many configurations a search begins. */
export const configurations = z
  .int()
  .min(1)
  .optional()
  .describe('that begin on the first rung; --trials sets it (default: as few as bring one to the last)');

/** What every set of options with rungs has to keep to. */
export const rungsFit: [(rungs: Rungs) => boolean, { path: string[]; message: string }] = [
  ({ minEpochs, maxEpochs }) => minEpochs <= maxEpochs,
  { path: ['minEpochs'], message: 'must not be more than maxEpochs' },
];

/**
 * The epochs of each rung: r, r eta, r eta^2 and so on below R, and then R. Where R/r is a power of eta these are the
 * rungs of the papers, which otherwise stop short of R.
 */
export function rungEpochs({ minEpochs, maxEpochs, eta }: Rungs): number[] {
  const below: number[] = [];
  for (let epochs = minEpochs; epochs < maxEpochs; epochs *= eta) below.push(epochs);
  return [...below, maxEpochs];
}

/** As few configurations as bring one to the last rung: eta^(rungs - 1). */
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

/** An architecture and the last trial that it had. */
interface Configuration {
  readonly answers: readonly Answer[];
  trial: number;
}

/**
 * Successive halving in all its forms: random architectures, most of which are trained for a short time and the best of
 * them longer. The brackets say which; where one has nothing to do, the next one has its turn.
 */
export class SuccessiveHalving implements Strategy {
  readonly #sampler: Strategy;
  /** By number. */
  #configurations: Configuration[] = [];
  /** The trials that have no result yet. */
  #running = new Map<number, { readonly configuration: number; readonly rung: number }>();
  #asked = 0;

  constructor(
    readonly name: string,
    private readonly brackets: readonly Bracket[],
    { space, seed }: { readonly space: Space; readonly seed: number },
  ) {
    this.#sampler = random.create({ space, seed, options: { unique: true } });
  }

  ask(): Proposal | undefined {
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
      const { answers } = this.#sampler.ask() as Proposal;
      this.#configurations.push({ answers, trial });
      return { answers, epochs };
    }
    return undefined;
  }

  tell({ trial, outcome }: TrialResult): readonly StrategyEvent[] {
    const job = this.#running.get(trial);
    if (job === undefined) throw new Error(`the strategy ${this.name} did not ask for trial ${trial}`);
    this.#running.delete(trial);
    const bracket = this.brackets.find((one) => one.has(job.configuration));
    bracket?.tell(job, outcome.status === 'ok' ? scoreOf(outcome) : null);
    return [];
  }

  snapshot(): StrategySnapshot {
    return {
      json: {
        sampler: this.#sampler.snapshot().json,
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
      throw new InputError(`the snapshot is not one of ${this.name}: ${z.prettifyError(snapshot.error)}`);
    const { sampler, configurations, running, asked, brackets } = snapshot.data;
    if (brackets.length !== this.brackets.length)
      throw new InputError(
        `the snapshot is not one of this ${this.name}: it has ${brackets.length} brackets`,
      );
    this.#sampler.restore({ json: sampler, tensors: new Map() });
    this.#configurations = configurations;
    this.#running = new Map(running.map(({ trial, ...job }) => [trial, job]));
    this.#asked = asked;
    this.brackets.forEach((bracket, index) => {
      bracket.restore(brackets[index] as z.infer<typeof bracketState>);
    });
  }
}

/** What is ranked, the higher the better. */
function scoreOf(outcome: Measured): number {
  const value = measuredValue(outcome);
  return measureOf(outcome).better === 'higher' ? value : -value;
}
