import type { z } from 'zod';
import { allStrategies, sharesWeights } from '../experiments/find-strategy.js';
import { InputError } from '../input-error.js';
import { spaces } from '../spaces/space-names.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
import { tasks } from '../tasks/task-names.js';
import type { Terminal } from '../terminal/terminal.js';
import { describeOptions } from './options.js';

/** Options that `--set` can change. */
type NamedOptions =
  | { readonly schema: z.ZodObject | undefined }
  /** Options that differ by task, and the tasks in the box that have them. */
  | { readonly by: (task: AnyTaskDefinition) => z.ZodObject; readonly tasks: readonly AnyTaskDefinition[] };

const inBox = [...tasks.values()];

/**
 * What `--set` can change besides a space, by its name: strategies, and the training of networks. A strategy that is named
 * like a space has its word before its name.
 */
export const namedOptions: ReadonlyMap<string, NamedOptions> = new Map<string, NamedOptions>([
  ...[...allStrategies.values()].map((strategy): [string, NamedOptions] => [
    spaces.has(strategy.name) ? `strategy.${strategy.name}` : strategy.name,
    sharesWeights(strategy)
      ? {
          by: (task) => strategy.options(task),
          tasks: inBox.filter(({ supernet }) => supernet !== undefined),
        }
      : { schema: strategy.options },
  ]),
  ['training', { by: (task) => task.training.options, tasks: inBox }],
]);

/**
 * Lists options with their defaults.
 *
 * @param task whose options are listed; by default those of every task in the box
 */
export function inspectOptions(
  name: string,
  options: NamedOptions,
  task: AnyTaskDefinition | undefined,
  terminal: Terminal,
): void {
  const of = name === 'training' ? name : `strategy ${name.replace('strategy.', '')}`;
  if (task !== undefined && !('by' in options))
    throw new InputError(`--task ${task.name}: the options of ${of} are the same for every task`);
  const groups =
    'by' in options
      ? (task === undefined ? options.tasks : [task]).map((one) => ({
          task: one.name,
          options: describeOptions(options.by(one)),
        }))
      : [{ options: describeOptions(options.schema) }];
  terminal.json({ name, options: groups });
  for (const group of groups) {
    terminal.result(`${of}${'task' in group ? `, task ${group.task}` : ''}:`);
    for (const option of group.options)
      terminal.result(`  ${option.name} = ${JSON.stringify(option.default)}  ${option.description}`);
    if (group.options.length === 0) terminal.result('  no options');
  }
}
