import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { choose } from '../../src/space/language.js';
import type { Space } from '../../src/space/space.js';
import { Table } from '../../src/tables/table.js';
import type { TableOptions } from '../../src/tables/table-options.js';
import { spaceOf } from '../space/tiny-spaces.js';
import { cells, gzipped, rowOf, space, tinyTable } from './tiny-table.js';

const folder = mkdtempSync(join(tmpdir(), 'espalier-table-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const open = (path: string, of: Space = space, options: Partial<TableOptions> = {}) =>
  Table.open(path, of, { continues: false, ...options });
const answersOf = (index: number) => space.encode({ cell: cells[index] as string });

describe('a table in the form of NAS-Bench-201', () => {
  const path = file('cells.csv.gz', gzipped());
  const table = open(path);

  it('is read gzipped with the line ends of CSV, and its columns are known', () => {
    expect(table.size).toBe(125);
    expect(table.columns).toMatchObject({
      architecture: 'arch',
      seen: [
        { epochs: 12, column: 'c10valid_val_12ep' },
        { epochs: 200, column: 'c10valid_val_200ep_mean' },
      ],
      judged: 'c10_test_200ep_mean',
      cost: 'train_time_200ep_s_c10valid',
      epochs: 12,
      costEpochs: 200,
    });
    expect(table.objectives).toMatchObject([{ name: 'accuracy', better: 'higher' }]);
  });

  it('lets a search see the value of 12 epochs for their share of the cost of 200', () => {
    const { brief, test, seconds } = rowOf(17);
    const { seen, judged, cost } = table.look({ answers: answersOf(17) });
    expect([seen, judged]).toEqual([brief / 100, test / 100]);
    expect(cost).toBeCloseTo((seconds * 12) / 200, 10);
  });

  it('has the column of the epochs of the trial, which pays for all of them', () => {
    const { long, seconds } = rowOf(17);
    const { seen, cost } = table.look({ answers: answersOf(17), epochs: 200, epochsDone: 12 });
    expect([seen, cost]).toEqual([long / 100, seconds]);
  });

  it('lets a trial that goes on pay for the rest only, if its option says so', () => {
    const { seconds } = rowOf(17);
    const { cost } = open(path, space, { continues: true }).look({
      answers: answersOf(17),
      epochs: 200,
      epochsDone: 12,
    });
    expect(cost).toBeCloseTo((seconds * 188) / 200, 10);
  });

  it('knows its optimum', () => {
    expect(table.optimum).toBe(Math.max(...cells.map((_, index) => rowOf(index).test)) / 100);
  });

  it('says what is wrong with a trial', () => {
    expect(() => table.look({ answers: answersOf(0), epochs: 50 })).toThrow(
      /a trial ends after 50 epochs; allowed: 12, 200$/,
    );
  });
});

describe('a table of any space', () => {
  const digits = spaceOf(function* () {
    return { digit: yield* choose('digit', [1, 2, 3]) };
  });

  it('may be JSON lines with architectures as objects or as text, of a measure that is better when lower', () => {
    const path = file(
      'digits.jsonl',
      '{"a": {"digit": 1}, "v": 80, "t": 82, "s": 10}\n\n{"a": "{\\"space\\": \\"test\\", \\"digit\\": 3}", "v": 70, "t": 75.5, "s": 20}\n',
    );
    const table = open(path, digits, {
      architecture: 'a',
      seen: 'v',
      judged: 't',
      cost: 's',
      measure: 'perplexity',
    });
    expect(table.look({ answers: [2] })).toEqual({ seen: 70, judged: 75.5, cost: 20 });
    expect(table.optimum).toBe(75.5);
    expect(() => table.look({ answers: [1] })).toThrow(/has no row for {"digit":2}$/);
  });

  it('is judged by what a search sees if nothing else is said', () => {
    const path = file('short.csv', 'a,v,s\n"{""digit"": 2}",0.5,3\n');
    const table = open(path, digits, { architecture: 'a', seen: 'v', cost: 's' });
    expect(table.look({ answers: [1] })).toEqual({ seen: 0.5, judged: 0.5, cost: 3 });
  });

  const known = { architecture: 'a', seen: 'v', cost: 's' };
  const row = (architecture: string, value: string, seconds: string) =>
    `a,v,s\n"{""digit"": 1}",0.5,3\n${architecture},${value},${seconds}\n`;
  const good = '"{""digit"": 2}"';
  it.each<[string, string, Partial<TableOptions>, RegExp]>([
    [
      'no columns said',
      row(good, '0.5', '3'),
      {},
      /table\.architecture=COLUMN must say .*its columns: a, v, s/,
    ],
    [
      'an unknown column',
      row(good, '0.5', '3'),
      { ...known, cost: 'x' },
      /has no column 'x'; its columns: a, v, s/,
    ],
    ['no number', row(good, 'high', '3'), known, /wrong\.csv:3: v is "high"; allowed: a finite number/],
    [
      'percentages',
      row(good, '84.2', '3'),
      known,
      /wrong\.csv:3: v is 84\.2, which is no accuracy; --set table\.percent=true/,
    ],
    ['a trial without cost', row(good, '0.5', '0'), known, /wrong\.csv:3: s is 0; allowed: a number above 0/],
    [
      'an architecture twice',
      row('"{""digit"": 1}"', '0.5', '3'),
      known,
      /wrong\.csv:3: has the architecture of .*wrong\.csv:2 again/,
    ],
    ['no architecture', row('"{""digit"": 9}"', '0.5', '3'), known, /wrong\.csv:3: .*'digit' is 9/],
    ['a row that is too short', 'a,v,s\n1,2\n', known, /wrong\.csv: Invalid Record Length.*line 2/],
    [
      'epochs that nobody sees',
      row(good, '0.5', '3'),
      { ...known, seen: '12:v', epochs: 5 },
      /after epochs 5; allowed: 12/,
    ],
    [
      'a list of columns without epochs',
      row(good, '0.5', '3'),
      { ...known, seen: 'v,s' },
      /'v' is not EPOCHS:COLUMN/,
    ],
    ['no rows', 'a,v,s\n', known, /wrong\.csv: has no rows/],
    [
      'an architecture of another space',
      row('"{""space"": ""darts-cnn""}"', '0.5', '3'),
      known,
      /is of space "darts-cnn", not test/,
    ],
  ])('refuses %s', (_, content, options, message) => {
    expect(() => open(file('wrong.csv', content), digits, options)).toThrow(message);
  });

  it('refuses a file that is not there, and a gzipped one that was cut', () => {
    expect(() => open(join(folder, 'none.csv'))).toThrow(/none\.csv: cannot be read/);
    const cut = gzipped().subarray(0, 500);
    expect(() => open(file('cut.csv.gz', cut))).toThrow(/the gzipped file is broken/);
    expect(tinyTable()).toContain('\r\n');
  });
});
