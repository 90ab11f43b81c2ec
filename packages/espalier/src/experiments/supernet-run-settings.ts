import { z } from 'zod';
import { objectivesSchema } from '../measures/measure.js';
import { optionValues } from '../space/options.js';
import { taskSettings } from '../tasks/task-settings.js';
import { partNow, type RunPlace, taskNow } from './places.js';

export const supernetRunSettings = z.strictObject({
  version: z.string(),
  space: z.string(),
  /** Of the file of a user's space, and of the files that it imports. */
  spaceChecksum: z.string().optional(),
  spaceOptions: optionValues,
  supernetOptions: optionValues,
  strategy: z.string(),
  strategyChecksum: z.string().optional(),
  strategyOptions: optionValues,
  task: taskSettings,
  dataChecksum: z.string(),
  /** What the supernet is built for. */
  input: optionValues,
  objectives: objectivesSchema,
  /** A table of trained networks of the space, which says what the cells of each epoch are worth. */
  table: z
    .strictObject({
      file: z.string(),
      checksum: z.string(),
      options: optionValues,
      /** What its values are. */
      objectives: objectivesSchema,
    })
    .optional(),
  seed: z.int(),
  /** Of each process. */
  threads: z.int().min(1),
  /** How many processes train the supernet; missing: one. */
  processes: z.int().min(2).optional(),
});

/** Everything that a search with shared weights is: with the same settings, the same journal. */
export type SupernetRunSettings = z.infer<typeof supernetRunSettings>;

/** What the user says of a search; everything else is found out. */
export type SupernetRunRequest = Pick<
  SupernetRunSettings,
  | 'space'
  | 'spaceOptions'
  | 'supernetOptions'
  | 'strategy'
  | 'strategyOptions'
  | 'task'
  | 'seed'
  | 'threads'
  | 'processes'
> & {
  /** The table that judges the cells of each epoch; the search does not see what it says. */
  readonly table?: Pick<NonNullable<SupernetRunSettings['table']>, 'file' | 'options'>;
};

/** The word that the journal of such a search begins with. */
export const SUPERNET = 'supernet';

/** What was asked for in a search that was begun. */
export function supernetRequestOf({
  space,
  spaceOptions,
  supernetOptions,
  strategy,
  strategyOptions,
  task: { checksum: _, ...task },
  table,
  seed,
  threads,
  processes,
}: SupernetRunSettings): SupernetRunRequest {
  const request = {
    ...{ space, spaceOptions, supernetOptions, strategy, strategyOptions, task, seed, threads },
    ...(processes === undefined ? {} : { processes }),
  };
  return table === undefined ? request : { ...request, table: { file: table.file, options: table.options } };
}

/** The same with the paths at which everything is now. @throws InputError where a file of the user has changed or is gone */
export function supernetRequestNow(settings: SupernetRunSettings, place: RunPlace): SupernetRunRequest {
  const { space, spaceChecksum, strategy, strategyChecksum, task } = settings;
  return {
    ...supernetRequestOf(settings),
    space: partNow('space', space, spaceChecksum, place),
    strategy: partNow('strategy', strategy, strategyChecksum, place),
    task: taskNow(task, place),
  };
}
