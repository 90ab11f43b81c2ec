import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

process.chdir(suiteFolder());

async function inspect(...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await printed(addInspect, ['inspect', ...args, '--json']));
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
      'darts-v2.txt',
      "DARTS_V2 = Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), " +
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], " +
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), " +
        "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])\n",
    );
    expect(await inspect('darts-v2.txt')).toMatchObject({ params: 3349342, macs: 528359040 });
    writeFileSync('broken.txt', "Genotype(normal=[('sep_conv_3x3', 0");
    expect(await refusal(addInspect, ['inspect', 'broken.txt'])).toMatch(/^broken\.txt:1:\d+/);
    writeFileSync('broken.json', '{"space": ');
    expect(await refusal(addInspect, ['inspect', 'broken.json'])).toMatch(/^broken\.json/);
  });

  it('a name that is none of them says what there is', async () => {
    expect(await refusal(addExport, ['export', 'darts-v3', '--format', 'json'])).toMatch(
      /'darts-v3': no such file, run folder or published architecture; did you mean 'darts-v1'\? published: .*darts-v2/,
    );
  });
});
