import { expect, it } from 'vitest';
import { run } from './command.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();

it('espalier inspect gives the sizes of a supernet that reads tokens', async () => {
  const words = ['inspect', 'darts-rnn', '--supernet', '--hidden', '300'];
  const { stdout } = await run([...words, '--json'], folder);
  expect(JSON.parse(stdout)).toMatchObject({
    space: 'darts-rnn',
    options: { hidden: 300, nodes: 8 },
    input: { vocabulary: 10_000 },
    params: 4_810_000,
    architectureParams: 180,
    macs: 9_840_000,
  });
  expect((await run(words, folder)).stdout).toBe(
    'supernet of darts-rnn: 4,810,000 parameters, 180 architecture parameters, 9,840,000 multiply-adds for one token\n',
  );
});

it('espalier inspect gives the sizes of a supernet of paths and cells', async () => {
  const words =
    'inspect auto-deeplab --supernet --image-size 65 --filter-multiplier 2 --set layers=5 --set blocks=3';
  const { stdout } = await run([...words.split(' '), '--json'], folder);
  expect(JSON.parse(stdout)).toMatchObject({
    space: 'auto-deeplab',
    input: { channels: 3, height: 65, width: 65, classes: 19 },
    params: 403_150,
    // 9 edges of 8 operations; 5 layers, 4 levels, 3 moves.
    architectureParams: 72 + 60,
    macs: 78_818_962,
  });
});
