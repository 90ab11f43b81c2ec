import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addSearch } from '../../src/cli/search.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf, journalReaches, run, start } from './command.js';
import { refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
const CELL = {
  space: 'nasbench201',
  cell: '|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|',
};
// The last batch has 18 of 21 inputs, and neither number is even for both parts.
const training = [
  ...['cell.json', '--data', data, '--channels', '4', '--cells', '1', '--limit', '60', '--batch-size', '21'],
  ...['--epochs', '3', '--threads', '1', '--set', 'learningRate=0.02'],
];
const train = (...more: string[]) => ['train', ...training, ...more];
const two = ['--processes', '2'];

interface Line {
  readonly event: string;
  readonly loss: number;
  readonly measures: { readonly accuracy: number; readonly loss: number };
  readonly architecture?: unknown;
  readonly validationLoss: number;
}
const linesOf = (path: string): Line[] => journalOf(join(folder, path)).map((line) => JSON.parse(line));
const lossesOf = (path: string) =>
  linesOf(path).flatMap(({ event, loss }) => (event === 'epoch' ? loss : []));

/** The processes that a process has started. */
const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a training by two processes', () => {
  beforeAll(async () => {
    process.chdir(folder);
    writeFileSync('cell.json', JSON.stringify(CELL));
    for (const args of [train('--out', 'one'), train('--out', 'two', ...two)]) {
      const { code, stderr } = await run(args, folder);
      expect(code, stderr).toBe(0);
    }
  });

  it('comes to what one process comes to, up to rounding', () => {
    const [one, both] = [lossesOf('one'), lossesOf('two')];
    expect(both).toHaveLength(3);
    for (const [epoch, loss] of both.entries()) expect(loss).toBeCloseTo(one[epoch] as number, 4);
    const [end, ended] = [linesOf('one'), linesOf('two')].map((lines) => lines.at(-1) as Line);
    expect(ended?.measures.loss).toBeCloseTo(end?.measures.loss as number, 3);
  });

  it('says through what its processes exchange, and what each holds of the memory', async () => {
    const { memory, collectives } = JSON.parse((await run(['status', 'two', '--json'], folder)).stdout);
    expect(collectives).toBe('gloo');
    expect(memory).toEqual([1, 2].map((process) => expect.objectContaining({ device: 'cpu', process })));
    const { stdout } = await run(['status', 'two'], folder);
    expect(stdout).toMatch(
      /\n {2}several processes exchange through gloo\n {2}memory of the machine, process [12]: /,
    );
  });

  it('comes to something else where each batch norm normalises by a part', async () => {
    const { code } = await run(train('--out', 'parts', ...two, '--no-sync-batch-norm'), folder);
    expect(code).toBe(0);
    expect(Math.abs((lossesOf('parts')[2] as number) - (lossesOf('one')[2] as number))).toBeGreaterThan(1e-3);
  });

  it.skipIf(process.platform !== 'linux')(
    'ends with one message where a process is killed, and goes on to the same journal',
    async () => {
      const { child, ended } = start(train('--out', 'killed', ...two), folder);
      await journalReaches(join(folder, 'killed'), 2, child);
      const [other = 0] = childrenOf(child.pid as number);
      process.kill(other, 'SIGKILL');
      const { code, stderr } = await ended;
      expect(stderr).toContain('process 1 was lost: killed by SIGKILL. All epochs that are done are kept');
      expect(stderr).toContain('espalier resume ');
      expect(code).toBe(1);
      expect((await run(['resume', 'killed'], folder)).code).toBe(0);
      expect(journalOf(join(folder, 'killed'))).toEqual(journalOf(join(folder, 'two')));
    },
  );

  it.skipIf(process.platform !== 'linux')('leaves no process where the first one is killed', async () => {
    const { child, ended } = start(train('--out', 'headless', ...two), folder);
    await journalReaches(join(folder, 'headless'), 2, child);
    const others = childrenOf(child.pid as number);
    expect(others).toHaveLength(1);
    child.kill('SIGKILL');
    await ended;
    await expect.poll(() => others.filter(isAlive), { timeout: 10_000 }).toEqual([]);
    expect((await run(['resume', 'headless'], folder)).code).toBe(0);
    expect(journalOf(join(folder, 'headless'))).toEqual(journalOf(join(folder, 'two')));
  });

  it('finds the others at an address', async () => {
    const address = ['--address', `127.0.0.1:${await freePort()}`];
    const [first, second] = await Promise.all([
      run(train('--out', 'far', ...two, ...address), folder),
      run(train(...two, ...address, '--rank', '1'), folder),
    ]);
    expect(first.code, first.stderr).toBe(0);
    expect(second.code, second.stderr).toBe(0);
    expect(journalOf(join(folder, 'far'))).toEqual(journalOf(join(folder, 'two')));
  });

  it('refuses a process that would train something else, in all of them', async () => {
    const address = ['--address', `127.0.0.1:${await freePort()}`];
    const [first, second] = await Promise.all([
      run(train('--out', 'mixed', ...two, ...address), folder),
      run(train(...two, ...address, '--rank', '1', '--seed', '7'), folder),
    ]);
    expect(second.stderr).toContain(
      'this process would train something else than the first: seed is 7, there 1',
    );
    expect(first.stderr).toContain('1 of the other processes would train something else');
    expect([first.code, second.code]).toEqual([2, 2]);
  });

  it.each([
    [['--out', 'x', '--rank', '1'], '--rank 1: one process trains alone'],
    [['--out', 'x', '--no-sync-batch-norm'], '--no-sync-batch-norm: one process trains alone'],
    [['--out', 'x', ...two, '--rank', '1'], '--rank 1: without --address this process starts the others'],
    [
      ['--out', 'x', ...two, '--address', 'here:1', '--rank', '2'],
      '--rank 2: allowed: 0 to 1, with --processes 2',
    ],
    [['--out', 'x', ...two, '--address', 'here:1', '--rank', '1'], '--out x: only the process with --rank 0'],
    [
      ['--out', 'x', '--processes', '10'],
      'the smallest batch of the train data has 18 inputs, and that many processes need 20',
    ],
    [two, '--out: a new folder is needed'],
  ])('refuses %j', async (more, said) => {
    expect(await refusal(addTrain, train(...more))).toContain(said);
  });
});

describe('a search with shared weights by two processes', () => {
  const search = (...more: string[]) => [
    ...['search', '--space', 'darts-cnn', '--strategy', 'darts', '--data', data, '--channels', '2'],
    ...[
      '--layers',
      '3',
      '--limit',
      '40',
      '--batch-size',
      '10',
      '--epochs',
      '2',
      '--threads',
      '1',
      '--seed',
      '3',
    ],
    ...more,
  ];

  beforeAll(async () => {
    for (const args of [search('--out', 'search'), search('--out', 'searches', ...two)]) {
      const { code, stderr } = await run(args, folder);
      expect(code, stderr).toBe(0);
    }
  });

  it('finds what one process finds, and has its losses up to rounding', () => {
    const [one, both] = [linesOf('search'), linesOf('searches')];
    expect(both.map(({ event }) => event)).toEqual(['supernet', 'epoch', 'epoch', 'end']);
    for (const [place, line] of both.entries()) {
      const alone = one[place] as Line;
      expect(line.architecture).toEqual(alone.architecture);
      if (line.event !== 'epoch') continue;
      expect(line.loss).toBeCloseTo(alone.loss, 4);
      expect(line.validationLoss).toBeCloseTo(alone.validationLoss, 4);
    }
  });

  it('goes on to the same journal after it was killed', async () => {
    const { child, ended } = start(search('--out', 'cut', ...two), folder);
    await journalReaches(join(folder, 'cut'), 2, child);
    child.kill('SIGKILL');
    await ended;
    const { code, stderr } = await run(['resume', 'cut'], folder);
    expect(code, stderr).toBe(0);
    expect(journalOf(join(folder, 'cut'))).toEqual(journalOf(join(folder, 'searches')));
  });

  it('is none where children are trained', async () => {
    const random = [
      'search',
      '--space',
      'nasbench201',
      '--strategy',
      'random',
      '--data',
      data,
      '--trials',
      '2',
    ];
    expect(await refusal(addSearch, [...random, '--out', 'x', ...two])).toContain(
      '--processes 2: strategy random trains children, --workers at a time',
    );
  });
});
