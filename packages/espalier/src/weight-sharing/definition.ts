import type { z } from 'zod';
import type { AnySpaceDefinition } from '../space/space.js';
import type { SupernetSearch, SupernetSearchStart } from './supernet-search.js';
import type { SupernetSettings } from './supernet-settings.js';

/** A strategy that shares weights: its name, its options, and how its search is made. */
export interface WeightSharingDefinition<Options extends SupernetSettings = SupernetSettings> {
  readonly name: string;
  /** By what the space's networks read: options with their documentation and defaults, what `--set` may change. */
  readonly options: {
    readonly images: z.ZodObject & z.ZodType<Options>;
    readonly tokens: z.ZodObject & z.ZodType<Options>;
  };
  /** Options for a laptop: what `--preset small` sets. */
  readonly small?: Partial<Options>;
  /** Options of the space that the strategy searches it with, where the user says nothing else. */
  spaceOptions?(space: AnySpaceDefinition): Readonly<Record<string, boolean>>;
  /** Training images held out to decide, as a share of all of them. */
  readonly validationShare: number;
  create<Model extends object>(start: SupernetSearchStart<Model, Options>): SupernetSearch<Model, Options>;
}

/** A definition whose options are not known: what a list of strategies holds. */
// biome-ignore lint/suspicious/noExplicitAny: the options are checked by the schema, at run time
export type AnyWeightSharingDefinition = WeightSharingDefinition<any>;
