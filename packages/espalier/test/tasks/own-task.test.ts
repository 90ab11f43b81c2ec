import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nn, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import '../../src/index.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { findSpace } from '../../src/spaces/find-space.js';
import { findTask } from '../../src/tasks/find-task.js';
import { evaluate } from '../../src/tasks/task.js';
import { initialised } from '../../src/training/train-child.js';
import { conformsToTask } from './conformance.js';

const example = (file: string) => fileURLToPath(new URL(`../../../../examples/${file}`, import.meta.url));

const { definition } = await findTask(example('own-task.ts'), process.cwd());
const space = Space.configure((await findSpace(example('small-mlp.ts'), process.cwd())).definition);
const data = `csv:${example('own-task-data.csv')}`;
const settings = { name: example('own-task.ts'), data, limit: 30, validation: 10, seed: 1 };

describe('the task in the examples, regression from a CSV file', () => {
  conformsToTask({
    definition,
    settings,
    space,
    batchSize: 7,
    oneBatch: { size: 1000 },
    traced: { inputs: ['row'], outputs: ['prediction'] },
    float64: (network) => ({
      forward: (rows: Tensor) => (network as nn.Layer).forward(rows.to({ dtype: 'float64' })),
    }),
    wrong: [
      ['another kind of data', { data: 'text:words' }, 'data "text:words": write csv:FILE'],
      ['a missing file', { data: `csv:${example('nowhere.csv')}` }, /nowhere\.csv: ENOENT/],
      [
        'a file that is not of numbers',
        { data: `csv:${example('small-mlp.ts')}` },
        /small-mlp\.ts:\d+: not numbers: /,
      ],
      ['too many held out', { validation: 30 }, 'validation 30: allowed: less than the 30 training rows'],
    ],
  });

  it('predicts of the rows of a file what its evaluation measures', async () => {
    const opened = await definition.open({ name: settings.name, data, seed: 1 });
    const architecture = space.decode(space.sample(Random.of(3, 'architecture')));
    const network = initialised(() => definition.networks.build(space, architecture, opened.input), 1);
    const file = example('own-task-data.csv');
    const { json, lines } = await definition.predict({
      network,
      input: opened.input,
      space,
      file,
      signature: opened.signature,
      flags: {},
    });
    const { predictions } = json as { predictions: number[] };
    const targets = readTargets(file);
    expect([predictions.length, lines.length]).toEqual([targets.length, targets.length]);
    const tested = [...predictions.keys()].filter((row) => row % 5 === 4);
    const errors = tested.map((row) => predictions[row]! - targets[row]!);
    const mse = errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length;
    const mean = tested.reduce((sum, row) => sum + targets[row]!, 0) / tested.length;
    const spread = tested.reduce((sum, row) => sum + (targets[row]! - mean) ** 2, 0) / tested.length;
    const measured = evaluate(opened.task(definition.training.options.parse({}) as never), network, 'test', {
      size: 8,
    });
    expect(measured.mse! / mse).toBeCloseTo(1, 5);
    expect(measured.r2).toBeCloseTo(1 - mse / spread, 5);
    network.free();
  });

  it('refuses a network that gives more than one number for a row', async () => {
    const opened = await definition.open(settings);
    const wide = new nn.Linear(3, 2);
    expect(() => opened.requireTrainable(wide, 'wide', {})).toThrow(
      'space wide: its network gives [1,2] for a row; needed: [1, 1]',
    );
    wide.free();
  });
});

function readTargets(file: string): number[] {
  const [, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return rows.map((row) => Number(row.split(',').at(-1)));
}
