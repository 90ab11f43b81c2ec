import { describe, expect, test } from 'vitest';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import { drawFound } from '../../src/reports/draw-network.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';

const layers = [
  { filterHeight: 3, filterWidth: 5, filters: 24, strideHeight: 1, strideWidth: 1, inputs: [] },
];
const found = { space: Space.configure(zophCnn, { layers: 1 }), architecture: { layers } };
const task = { name: 'image-classification', data: 'mnist', seed: 1 };
const input = { channels: 1, height: 28, width: 28, classes: 10 };

describe('the picture of what a run found', () => {
  test('has the cells of a space that has some, whatever the task', async () => {
    const { architecture } = dartsV2;
    const cells = await drawFound({ space: Space.configure(dartsCnn), architecture }, 'The network');
    expect(cells).toContain('<title>Cells of a DARTS network</title>');
  });

  test('has the network layer by layer where there are no cells', async () => {
    const network = await drawFound({ ...found, task, input }, 'The network');
    expect(network).toContain('<title>The network</title>');
    expect(network).toContain('3x5 convolution, 24 filters');
  });

  test('is missing where nothing tells what the network is built for', async () => {
    expect(await drawFound(found, 'The network')).toBeUndefined();
    expect(await drawFound({ ...found, task }, 'The network')).toBeUndefined();
  });
});
