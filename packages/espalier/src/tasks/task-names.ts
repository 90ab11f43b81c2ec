import { InputError } from '../input-error.js';
import { DEFAULT_READS } from '../networks/require-reads.js';
import type { AnySpaceDefinition } from '../space/space.js';
import { imageClassification } from './image-classification/definition.js';
import { languageModelling } from './language-modelling/definition.js';
import { semanticSegmentation } from './semantic-segmentation/definition.js';
import type { AnyTaskDefinition } from './task-definition.js';

/** The tasks in the box. Of several whose networks read the same, the first is the default. */
export const tasks: ReadonlyMap<string, AnyTaskDefinition> = new Map<string, AnyTaskDefinition>(
  [imageClassification, languageModelling, semanticSegmentation].map((definition) => [
    definition.name,
    definition,
  ]),
);

/**
 * The task that the networks of a space are for: the one that the space names; of those whose networks read what its
 * networks read, one that reads such data; or the first.
 *
 * @param data as `--data` has it
 * @throws InputError where no task in the box has such networks
 */
export function usualTask(
  { name, task, reads = DEFAULT_READS }: AnySpaceDefinition,
  data?: string,
): AnyTaskDefinition {
  const fitting = [...tasks.values()].filter(({ networks }) => networks.reads === reads);
  const found =
    task === undefined ? (fitting.find((one) => takes(one, data)) ?? fitting[0]) : tasks.get(task);
  if (found === undefined)
    throw new InputError(
      task === undefined
        ? `space ${name}: its networks read ${reads}, and no task in the box has such networks; name a file with --task`
        : `space ${name}: its task '${task}' is unknown; known: ${[...tasks.keys()].join(', ')}`,
    );
  return found;
}

/** Whether a task has data of this kind, by the word before the colon. */
function takes({ dataForms }: AnyTaskDefinition, data: string | undefined): boolean {
  const wordOf = (form: string) => form.split(':')[0];
  return data !== undefined && dataForms.some((form) => wordOf(form) === wordOf(data));
}
