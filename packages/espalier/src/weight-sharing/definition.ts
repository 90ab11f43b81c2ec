import type { z } from 'zod';
import type { AnySpaceDefinition } from '../space/space.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
import type { SupernetSearch, SupernetSearchStart } from './supernet-search.js';
import type { SupernetSettings } from './supernet-settings.js';

/** The schema of a strategy's options. */
export type OptionsOf<Options> = z.ZodObject & z.ZodType<Options>;

/** A strategy that shares weights: its name, its options, and how its search is made. */
export interface WeightSharingDefinition<Options extends SupernetSettings = SupernetSettings> {
  readonly name: string;
  /** Tells it from a strategy that trains each child by itself. */
  readonly sharesWeights: true;
  /**
   * Options with descriptions and defaults, what `--set` may change: those of the task's supernet and its own.
   *
   * @throws InputError where the task cannot be searched with shared weights
   */
  options(task: AnyTaskDefinition): OptionsOf<Options>;
  /** Options for a laptop: what `--preset small` sets. */
  readonly small?: Partial<Options>;
  /** Options of the space that the strategy searches it with, unless the user says otherwise. */
  spaceOptions?(space: AnySpaceDefinition): Readonly<Record<string, boolean>>;
  /** Share of the training data that is held out, and on which the architecture is decided. */
  readonly validationShare: number;
  create<Model extends object>(start: SupernetSearchStart<Model, Options>): SupernetSearch<Model, Options>;
}

/** A definition whose options are not known. */
// biome-ignore lint/suspicious/noExplicitAny: the schema checks the options at run time
export type AnyWeightSharingDefinition = WeightSharingDefinition<any>;

/** A definition as it is, with its types inferred: `export default defineWeightSharing({ name, ... })`. */
export function defineWeightSharing<Options extends SupernetSettings>(
  definition: WeightSharingDefinition<Options>,
): WeightSharingDefinition<Options> {
  return definition;
}
