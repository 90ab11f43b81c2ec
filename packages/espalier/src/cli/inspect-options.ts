import type { z } from 'zod';
import { allStrategies, sharesWeights } from '../experiments/find-strategy.js';
import { tasks } from '../tasks/task-names.js';
import type { Terminal } from '../terminal/terminal.js';
import { describeOptions } from './options.js';

/** Options under one heading; `task` where they differ by task. */
interface OptionsOf {
  readonly task?: string;
  readonly schema: z.ZodObject | undefined;
}

const byTask = (schemaOf: (task: string) => z.ZodObject | undefined): OptionsOf[] =>
  [...tasks.keys()].map((task) => ({ task, schema: schemaOf(task) }));

/** What `--set` can change besides a space, by its name: strategies, and the training of networks. */
export const namedOptions: ReadonlyMap<string, readonly OptionsOf[]> = new Map([
  ...[...allStrategies.values()].map((strategy): [string, OptionsOf[]] => [
    strategy.name,
    sharesWeights(strategy)
      ? [...tasks.values()]
          .filter(({ supernet }) => supernet !== undefined)
          .map((task) => ({ task: task.name, schema: strategy.options(task) }))
      : [{ schema: strategy.options }],
  ]),
  ['training', byTask((task) => tasks.get(task)?.training.options)],
]);

/** Lists options with their defaults. */
export function inspectOptions(name: string, groups: readonly OptionsOf[], terminal: Terminal): void {
  const of = name === 'training' ? name : `strategy ${name}`;
  terminal.json({
    name,
    options: groups.map(({ task, schema }) => ({
      ...(task === undefined ? {} : { task }),
      options: describeOptions(schema),
    })),
  });
  for (const { task, schema } of groups) {
    const options = describeOptions(schema);
    terminal.result(`${of}${task === undefined ? '' : `, task ${task}`}:`);
    for (const option of options)
      terminal.result(`  ${option.name} = ${JSON.stringify(option.default)}  ${option.description}`);
    if (options.length === 0) terminal.result('  no options');
  }
}
