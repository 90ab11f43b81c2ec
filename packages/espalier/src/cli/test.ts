import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { evaluateTrained } from '../experiments/trained-evaluation.js';
import { trainedNetwork } from '../experiments/trained-network.js';
import type { Json } from '../json.js';
import { unionsIn } from '../measures/confusion.js';
import { percent, valueText } from '../reports/figures.js';
import { measureOf } from '../reports/measure-words.js';
import { openTerminal } from '../terminal/terminal.js';
import { collectSetting, shareOut, threadCount, wholeNumber } from './options.js';
import { dataForms, taskFor } from './task-flags.js';

interface TestFlags {
  readonly data?: string;
  readonly batchSize?: number;
  readonly threads: number;
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

export function addTest(program: Command): void {
  program
    .command('test')
    .description(
      'test the network of a finished training again: otherwise, or on other data of the same classes',
    )
    .argument('<training>', 'the folder of a finished training')
    .option('--data <kind:path>', `${dataForms} (default: that of the training)`)
    .option('--batch-size <n>', 'inputs at a time', wholeNumber(1))
    .option('--threads <n>', 'threads of the test', threadCount, availableParallelism())
    .option(
      '--set <key=value>',
      'an option of the training that a test depends on, such as evalScales=[0.5,1,2]; repeatable',
      collectSetting,
      {},
    )
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { data, batchSize, threads, set, json }: TestFlags) => {
      const terminal = openTerminal(json);
      const { found } = await trainedNetwork(path);
      const { definition } = await taskFor(found, undefined);
      const { training } = shareOut(set, [
        { word: 'training', owner: 'the training', schema: definition.training.options },
      ]);
      const options = { ...training, ...(batchSize === undefined ? {} : { batchSize }) };
      const { measures, details, objectives, classes } = await evaluateTrained(path, {
        data,
        options,
        threads,
      });
      terminal.json({ run: path, measures, ...(details === undefined ? {} : { details }) });
      for (const [name, value] of Object.entries(measures))
        terminal.result(`test ${name} ${valueText(measureOf(objectives, name), value)}`);
      for (const [label, value] of (unionsIn(details) ?? []).entries())
        terminal.result(
          `  ${value === null ? 'not there' : percent(value).padStart(9)}  ${classes[label] ?? `class ${label}`}`,
        );
    });
}
