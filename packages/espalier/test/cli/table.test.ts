import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { addSearch } from '../../src/cli/search.js';
import { addTable } from '../../src/cli/table.js';
import { Space } from '../../src/space/space.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { Table } from '../../src/tables/table.js';
import { writeEstimator } from './own-parts.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
process.chdir(folder);

/** Cells of two nodes: five architectures, one for each operation. */
const space = Space.configure(nasBench201, { nodes: 2 });

/** Sees a value after each of three epochs, and another one for each seed of the search. */
writeFileSync(
  'steps.ts',
  `import { accuracy, defineEstimator, z } from 'espalier';

export default defineEstimator({
  name: 'steps',
  options: z.strictObject({ gain: z.number().describe('what three epochs are worth') }),
  open: ({ options: { gain } }) => ({
    objectives: [accuracy],
    estimate({ answers: [operation] }) {
      const after = (epoch) => ({ epoch, measures: { accuracy: operation / 10 + (gain * epoch) / 3 } });
      return { measures: { accuracy: operation / 10 + gain }, epochs: [1, 2, 3].map(after) };
    },
  }),
});
`,
);
const search = (out: string, ...more: string[]) =>
  printed(addSearch, [
    ...['search', '--space', 'nasbench201', '--set', 'space.nodes=2', '--strategy', 'exhaustive'],
    ...['--workers', '1', '--out', out, ...more],
  ]);
const table = async (...words: string[]) =>
  JSON.parse(await printed(addTable, ['table', ...words, '--json']));
const rowsOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .sort((one, other) => one.seen_accuracy_1ep - other.seen_accuracy_1ep);

describe('espalier table', () => {
  it('has what the first search saw after each epoch, and the mean of the others', async () => {
    await search('one', '--estimator', './steps.ts', '--set', 'gain=0.3', '--seed', '1');
    await search('two', '--estimator', './steps.ts', '--set', 'gain=0.4', '--seed', '2');
    await search('three', '--estimator', './steps.ts', '--set', 'gain=0.5', '--seed', '3');
    const made = await table('one', 'two', 'three', '--out', 'cells.jsonl.gz');
    const bytes = readFileSync('cells.jsonl.gz');
    expect(made).toEqual({
      file: 'cells.jsonl.gz',
      bytes: bytes.length,
      architectures: 5,
      leftOut: 0,
      space: 'nasbench201',
      spaceOptions: { nodes: 2 },
      measure: 'accuracy',
      best: 0.4 + 0.45,
      agreement: 1,
    });
    const rows = rowsOf(gunzipSync(bytes).toString('utf8'));
    const expected = [...space.enumerate()].map((answers) => {
      const [operation] = answers as [number];
      const digits = (value: number) => Number(value.toPrecision(6));
      return {
        architecture: space.decode(answers),
        seen_accuracy_1ep: digits(operation / 10 + 0.1),
        seen_accuracy_2ep: digits(operation / 10 + 0.2),
        seen_accuracy_3ep: digits(operation / 10 + 0.3),
        judged_accuracy: digits(operation / 10 + 0.45),
      };
    });
    expect(rows.map(({ cost, ...row }) => row)).toEqual(expected);
    for (const { cost } of rows) expect(cost).toBeGreaterThan(0);
  });

  it('is known to a bench: what is seen of how many epochs, and what the rest of a training costs', () => {
    const opened = Table.open('cells.jsonl.gz', space, {});
    const rows = rowsOf(gunzipSync(readFileSync('cells.jsonl.gz')).toString('utf8'));
    const [{ architecture, cost }] = rows;
    const answers = space.encode(architecture);
    expect(opened.look({ answers })).toEqual({ seen: 0.3, judged: 0.45, cost });
    expect(opened.look({ answers, epochs: 1 })).toEqual({ seen: 0.1, judged: 0.45, cost: cost / 3 });
    const rest = opened.look({ answers, epochs: 3, epochsDone: 1 });
    expect(rest.cost).toBeCloseTo((cost * 2) / 3, 12);
    expect(opened.optimum).toBe(0.85);
  });

  it('has one column of values where nothing is known of epochs, which also judges', async () => {
    writeEstimator('digits.ts');
    await search('alone', '--estimator', './digits.ts', '--trials', '3', '--seed', '1');
    expect(await table('alone', '--out', 'alone.jsonl')).toMatchObject({ architectures: 3, agreement: null });
    const opened = Table.open('alone.jsonl', space, {});
    expect(opened.columns).toMatchObject({
      seen: [{ epochs: undefined, column: 'seen_accuracy' }],
      judged: 'seen_accuracy',
      costEpochs: undefined,
      continues: false,
    });
  });

  it('has the cost that an estimator says, in its unit', async () => {
    writeEstimator('costly.ts', { costUnit: 'tons' });
    await search('costly', '--estimator', './costly.ts', '--trials', '2', '--seed', '1');
    await table('costly', '--cost', 'tons', '--out', 'costly.jsonl');
    const rows = rowsOf(readFileSync('costly.jsonl', 'utf8'));
    expect(rows.map(({ cost }) => cost)).toEqual([2, 2]);
    expect(await refusal(addTable, ['table', 'one', '--cost', 'tons', '--out', 'no.jsonl'])).toBe(
      "--cost 'tons': allowed: seconds",
    );
  });

  it('leaves out what not all searches have measured, and says so', async () => {
    const { stdout } = await spokenTable('one', 'alone', '--out', 'few.jsonl');
    expect(stdout).toContain('few.jsonl: 3 architectures of space nasbench201');
    expect(stdout).toContain('2 are left out, which not all of the searches have measured');
    expect(stdout).toContain(
      "espalier bench --space nasbench201 --set 'space.nodes=2' --table few.jsonl --strategy ...",
    );
  });

  it('refuses searches that do not belong together, and trials of different kinds', async () => {
    const refused = (...words: string[]) => refusal(addTable, ['table', ...words, '--out', 'no.jsonl']);
    expect(await refused('one', 'two', 'one')).toBe('one: is there twice');
    await search('larger', '--estimator', './digits.ts', '--set', 'space.nodes=3', '--trials', '2');
    expect(await refused('one', 'larger')).toBe(
      'larger: cannot be in one table with one: its option space.nodes is 3, not 2',
    );
    await printed(addSearch, [
      ...[
        'search',
        '--space',
        'nasbench201',
        '--set',
        'space.nodes=2',
        '--strategy',
        'asha',
        '--trials',
        '3',
      ],
      ...['--estimator', './digits.ts', '--set', 'maxEpochs=4', '--workers', '1', '--out', 'rungs'],
    ]);
    expect(await refused('rungs')).toBe(
      'rungs: its strategy trains children for different times; a table is made of searches that train all alike',
    );
    expect(await refusal(addTable, ['table', 'one', '--out', 'nowhere/no.jsonl'])).toBe(
      '--out nowhere/no.jsonl: there is no folder nowhere',
    );
  });
});

const spokenTable = async (...words: string[]) => ({ stdout: await printed(addTable, ['table', ...words]) });
