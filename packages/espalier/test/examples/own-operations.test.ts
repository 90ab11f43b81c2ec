import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addInspect } from '../../src/cli/inspect.js';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addSearch } from '../../src/cli/search.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf } from '../cli/command.js';
import { copyExamples } from '../cli/own-parts.js';
import { printed } from '../cli/printed.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeTinyCifar10 } from '../cli/tiny-cifar10.js';

const folder = suiteFolder();
const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
copyExamples(folder, 'own-operations.ts');
process.chdir(folder);

const OPERATIONS = ['none', 'identity', 'conv_3x3', 'squeeze_excite'];

describe('operations of your own', () => {
  it.each([
    ['darts', []],
    ['random-ws', ['--set', 'candidates=6', '--set', 'finalists=2', '--set', 'batches=1']],
  ])('are searched with shared weights by %s, and what was found is trained', async (strategy, more) => {
    const out = `found-${strategy}`;
    const searched = JSON.parse(
      await printed(addSearch, [
        ...['search', '--space', './own-operations.ts', '--strategy', strategy, '--data', data, '--out', out],
        ...['--limit', '64', '--epochs', '2', '--batch-size', '16', '--threads', '1', '--json', ...more],
      ]),
    );
    expect(searched).toMatchObject({ status: 'finished', epochs: 2, measure: 'accuracy' });
    const { edges, space } = searched.architecture;
    expect(space).toBe(join(folder, 'own-operations.ts'));
    expect(edges).toHaveLength(3);
    for (const edge of edges) expect(OPERATIONS).toContain(edge);
    // DARTS never keeps the operation that is none.
    if (strategy === 'darts') expect(edges).not.toContain('none');
    expect(JSON.parse(readFileSync(join(out, 'best.json'), 'utf8'))).toEqual(searched.architecture);

    const events = journalOf(out).map((line) => JSON.parse(line));
    const rounds = strategy === 'random-ws' ? ['round'] : [];
    expect(events.map(({ event }) => event)).toEqual(['supernet', 'epoch', 'epoch', ...rounds, 'end']);
    expect(events[0].spaceChecksum).toMatch(/^[\da-f]{64}$/);
    const again = JSON.parse(await printed(addReproduce, ['reproduce', out, '--json']));
    expect(again).toMatchObject({ equal: true, lines: events.length });

    const trained = JSON.parse(
      await printed(addTrain, [
        ...['train', out, '--data', data, '--out', `${out}-trained`, '--limit', '60', '--epochs', '1'],
        ...['--batch-size', '20', '--threads', '1', '--json'],
      ]),
    );
    expect(trained).toMatchObject({ status: 'finished', judge: 'test' });
  });

  it('have the parameters that they should, in the network and in the supernet', async () => {
    const sizes = async (...args: string[]) =>
      JSON.parse(await printed(addInspect, ['inspect', ...args, '--json']));
    // Stem and classifier; of an edge the convolution with its norm, and squeeze (16 to 4) and excite (4 to 16).
    const [frame, conv, excite] = [27 * 16 + 2 * 16 + 170, 9 * 16 * 16 + 2 * 16, 16 * 4 + 4 + 4 * 16 + 16];
    expect(await sizes('./own-operations.ts', '--supernet')).toMatchObject({
      params: frame + 3 * (conv + excite),
      architectureParams: 12,
    });
    const { edges } = JSON.parse(readFileSync(join('found-darts', 'best.json'), 'utf8'));
    const of = (name: string) => ({ conv_3x3: conv, squeeze_excite: excite })[name] ?? 0;
    expect((await sizes('found-darts')).params).toBe(
      frame + edges.reduce((sum: number, name: string) => sum + of(name), 0),
    );
    expect(await sizes('./own-operations.ts')).toMatchObject({ size: '64' });
  });
});
