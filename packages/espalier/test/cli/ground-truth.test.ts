import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './command.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();

async function inspect(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(['inspect', ...args, '--json'], folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** The published figures, through the command that a user types. */
describe('espalier inspect gives the published figures of', () => {
  it.each([
    ['darts-v2 --channels 36 --layers 20', { params: 3349342, macs: 528359040 }],
    ['nasnet-a --cells 6 --filters 768', { params: 3346538 }],
    [
      'nasnet-a --cells 4 --filters 1056 --layout imagenet --image-size 224',
      { params: 5289978, macs: 563638816 },
    ],
    ['auto-deeplab-s', { params: 10147427 }],
    ['darts-v2-rnn --hidden 850 --vocabulary 10000', { params: 22960000 }],
    [
      'darts-cnn --supernet --channels 16 --layers 8',
      { params: 1930618, architectureParams: 224, macs: 300255744 },
    ],
  ])('%s', async (words, figures) => {
    expect(await inspect(...words.split(' '))).toMatchObject(figures);
  });

  it.each([
    ['darts-cnn', '1076746950455072400'],
    ['nasbench201', '15625'],
    ['darts-rnn', '2642411520'],
    // 28,657 paths of 556,627,761,561,600 cells each.
    ['auto-deeplab', '15951281763070771200'],
  ])('space %s', async (space, size) => {
    expect(await inspect(space)).toMatchObject({ space, size });
  });

  it('a genotype in the Python that published code prints', async () => {
    writeFileSync(
      join(folder, 'darts-v2.txt'),
      "DARTS_V2 = Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), " +
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], " +
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), " +
        "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])\n",
    );
    expect(await inspect('darts-v2.txt')).toMatchObject({ params: 3349342, macs: 528359040 });
    writeFileSync(join(folder, 'broken.txt'), "Genotype(normal=[('sep_conv_3x3', 0");
    const { code, stderr } = await run(['inspect', 'broken.txt'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^espalier: broken\.txt:1:\d+/);
    writeFileSync(join(folder, 'broken.json'), '{"space": ');
    expect((await run(['inspect', 'broken.json'], folder)).stderr).toMatch(/^espalier: broken\.json/);
  });

  it('a name that is none of them says what there is', async () => {
    const { code, stderr } = await run(['export', 'darts-v3', '--format', 'json'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /'darts-v3': no such file, run folder or published architecture; published: .*darts-v2/,
    );
  });
});
