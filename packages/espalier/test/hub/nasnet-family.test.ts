import { setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { amoebanetA } from '../../src/hub/amoebanet-a.js';
import { nasnetA } from '../../src/hub/nasnet-a.js';
import type { PublishedArchitecture } from '../../src/hub/published-architecture.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { type InputShape, Space } from '../../src/space/space.js';
import { nasnet } from '../../src/spaces/nasnet.js';

setThreads(2);

const cifar: InputShape = { channels: 3, height: 32, width: 32, classes: 10 };
const imagenet = (size: number): InputShape => ({ channels: 3, height: size, width: size, classes: 1000 });

function network(entry: PublishedArchitecture, options: object, shape: InputShape) {
  const space = Space.configure(nasnet, { ...entry.options, ...options });
  return buildNetwork(space, space.validate(entry.architecture), shape);
}

function figures(entry: PublishedArchitecture, options: object, shape: InputShape) {
  const built = network(entry, options, shape);
  const params = built.parameterCount();
  const macs = multiplyAdds(traceClassifier(built, shape).calls);
  built.free();
  return { params, macs };
}

function params(entry: PublishedArchitecture, options: object, shape: InputShape): number {
  const built = network(entry, options, shape);
  const count = built.parameterCount();
  built.free();
  return count;
}

describe('nasnet-a', () => {
  it('has the published size for CIFAR-10 at 6 @ 768', () => {
    expect(params(nasnetA, {}, cifar)).toBe(3_346_538);
    expect(nasnetA.figures.params).toBe(3_346_538);
    expect(params(nasnetA, { filters: null, channels: 32 }, cifar)).toBe(3_346_538);
  });

  it('has the size and multiply-adds of the mobile network for ImageNet at 4 @ 1056', () => {
    const options = { cells: 4, filters: 1056, layout: 'imagenet' };
    expect(figures(nasnetA, options, imagenet(224))).toEqual({ params: 5_289_978, macs: 563_638_816 });
  });

  it('has the size of the large network for ImageNet at 6 @ 4032', () => {
    const options = {
      cells: 6,
      filters: 4032,
      layout: 'imagenet',
      stemFilters: 96,
      skipReductionInput: true,
    };
    expect(params(nasnetA, options, imagenet(331))).toBe(88_753_150);
  });
});

describe('amoebanet-a', () => {
  it('has the published sizes for CIFAR-10: 3.2M at F = 36, 2.6M at F = 32', () => {
    expect(params(amoebanetA, {}, cifar)).toBe(3_218_266);
    expect(amoebanetA.figures.params).toBe(3_218_266);
    expect(params(amoebanetA, { channels: 32 }, cifar)).toBe(2_567_754);
  });

  it('has the published size and multiply-adds of the mobile network for ImageNet: 5.1M and 555M', () => {
    const options = { cells: 4, channels: 50, layout: 'imagenet' };
    expect(figures(amoebanetA, options, imagenet(224))).toEqual({ params: 5_086_930, macs: 554_687_204 });
  });

  it('has the published size of the large network for ImageNet: 86.7M at F = 190', () => {
    const options = { cells: 6, channels: 190, layout: 'imagenet' };
    expect(params(amoebanetA, options, imagenet(331))).toBe(86_718_797);
  });
});
