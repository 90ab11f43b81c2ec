import { nn } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { autoDeepLabL } from '../../src/hub/auto-deeplab-l.js';
import { autoDeepLabM } from '../../src/hub/auto-deeplab-m.js';
import { autoDeepLabS } from '../../src/hub/auto-deeplab-s.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';

const cityscapes = { channels: 3, height: 1025, width: 2049, classes: 19 };

describe.each([
  // The paper, table 2: millions of parameters.
  { entry: autoDeepLabS, filterMultiplier: 20, published: '10.15' },
  { entry: autoDeepLabM, filterMultiplier: 32, published: '21.62' },
  { entry: autoDeepLabL, filterMultiplier: 48, published: '44.42' },
])('$entry.name', ({ entry, filterMultiplier, published }) => {
  const space: Space = Space.configure(autoDeepLab, entry.options);

  it('is an architecture of its space', () => {
    expect(entry.space).toBe(space.name);
    expect(space.options.filterMultiplier).toBe(filterMultiplier);
    expect(space.decode(space.encode(entry.architecture))).toEqual(entry.architecture);
  });

  it(`has the published ${published}M parameters, and exactly the number recorded in the hub`, () => {
    const network = buildNetwork(space, entry.architecture, cityscapes);
    expect(network).toBeInstanceOf(nn.Layer);
    const parameters = network.parameterCount();
    network.free();
    expect(parameters).toBe(entry.figures.params);
    expect((parameters / 1e6).toFixed(2)).toBe(published);
  });
});

it('auto-deeplab-s has 10147427 parameters', () => {
  expect(autoDeepLabS.figures.params).toBe(10_147_427);
});
