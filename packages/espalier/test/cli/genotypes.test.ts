import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addEvaluate } from '../../src/cli/evaluate.js';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf, run } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();

/** Two nodes in a list each; the second cell concatenates one node. */
const nested = (operation: string) =>
  `Genotype(normal=[[('${operation}', 0), ('skip_connect', 1)], [('skip_connect', 0), ('none', 2)]], ` +
  "normal_concat=range(2, 4), reduce=[[('max_pool_3x3', 0), ('max_pool_3x3', 1)], [('skip_connect', 2), " +
  "('sep_conv_7x7', 1)]], reduce_concat=[3])";

const LOG = [0, 1]
  .map(
    (epoch) =>
      `epoch ${epoch} lr 0.025\ngenotype = ${nested(epoch === 0 ? 'sep_conv_3x3' : 'conv_7x1_1x7')}\n`,
  )
  .join('');

beforeAll(() => {
  process.chdir(folder);
  writeFileSync('log.txt', LOG);
});

describe('the genotype of a log', () => {
  it('is inspected, the last one or that of an epoch', async () => {
    const inspected = async (...flags: string[]) =>
      JSON.parse(await printed(addInspect, ['inspect', 'log.txt', '--json', ...flags]));
    const { architecture } = await inspected('--layers', '3', '--channels', '4');
    expect(architecture).toMatchObject({
      space: 'darts-cnn',
      options: { nodes: 2, none: true, concat: { normal: [2, 3], reduce: [3] } },
      normal: [
        ['conv_7x1_1x7', 0],
        ['skip_connect', 1],
        ['skip_connect', 0],
        ['none', 2],
      ],
      normal_concat: [2, 3],
      reduce_concat: [3],
    });
    const first = await inspected('--layers', '3', '--channels', '4', '--epoch', '0');
    expect(first.architecture.normal[0]).toEqual(['sep_conv_3x3', 0]);
    const { stderr, code } = await run(['inspect', 'log.txt', '--layers', '3', '--channels', '4'], folder);
    expect({ stderr, code }).toEqual({
      stderr: 'note: log.txt has several genotypes; taken: the one of line 4, epoch 1\n',
      code: 0,
    });
  });

  it('is exported as JSON that is the same genotype, as a picture and as a program', async () => {
    await printed(addExport, ['export', 'log.txt', '--format', 'json', '--out', 'found.json']);
    const found = JSON.parse(readFileSync('found.json', 'utf8'));
    const again = await printed(addExport, ['export', 'found.json', '--format', 'json']);
    expect(JSON.parse(again)).toEqual(found);
    expect(found.options).toMatchObject({ nodes: 2, none: true });
    expect(await printed(addExport, ['export', 'log.txt', '--format', 'svg'])).toContain('conv_7x1_1x7');
    const small = ['--layers', '3', '--channels', '4', '--image-size', '16'];
    await printed(addExport, ['export', 'log.txt', '--format', 'pytorch', '--out', 'net.py', ...small]);
    expect(readFileSync('net.py', 'utf8')).toContain('nn.Conv2d(4, 4, (1, 7)');
  });

  it('is trained', async () => {
    const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
    const small = '--layers 3 --channels 4 --epochs 1 --limit 40 --batch-size 20 --threads 1'.split(' ');
    const set = ['--set', 'auxiliaryWeight=0', '--epoch', '0'];
    await printed(addTrain, ['train', 'log.txt', '--data', data, '--out', 'trained', ...small, ...set]);
    const [begin, , end] = journalOf('trained').map((line) => JSON.parse(line));
    expect(begin.architecture).toMatchObject({ options: { nodes: 2, layers: 3 }, reduce_concat: [3] });
    expect(begin.architecture.normal[0]).toEqual(['sep_conv_3x3', 0]);
    expect(end.event).toBe('end');
  });

  it('is evaluated', async () => {
    const data = `cifar10:${join(folder, 'cifar')}`;
    const small = '--layers 3 --channels 4 --epochs 1 --limit 40 --batch-size 20 --threads 1'.split(' ');
    const args = [...small, '--test-seeds', '1', '--set', 'auxiliaryWeight=0', '--epoch', '0'];
    await printed(addEvaluate, ['evaluate', 'log.txt', '--data', data, '--out', 'evaluated', ...args]);
    const [begin] = journalOf('evaluated').map((line) => JSON.parse(line));
    expect(begin.methods).toMatchObject([{ name: 'log' }]);
    expect(begin.methods[0].candidates[0].architecture.normal[0]).toEqual(['sep_conv_3x3', 0]);
  });

  it.each([
    [
      addInspect,
      ['inspect', 'log.txt', '--epoch', '7'],
      'log.txt: holds no genotype of epoch 7; it has genotypes of epochs 0, 1',
    ],
    [addInspect, ['inspect', 'darts-v2', '--epoch', '7'], "--epoch 7: 'darts-v2' is no log"],
    [addInspect, ['inspect', 'darts-cnn', '--epoch', '7'], "--epoch 7: 'darts-cnn' is a space"],
    [addInspect, ['inspect', 'darts', '--epoch', '7'], "--epoch 7: 'darts' lists options"],
    [addEvaluate, ['evaluate', 'darts-v2', '--epoch', '7'], '--epoch 7: none of the arguments is a log'],
    [addInspect, ['inspect', 'log.txt', '--set', 'nodes=3'], "space darts-cnn: 'normal' is "],
  ])('is refused with %#', async (add, args, message) => {
    expect(await refusal(add, args)).toContain(message);
  });
});
