import { hasBfloat16, manualSeed, scope, setThreads, type Tensor } from '@espalier/torch';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { requirePrecision } from '../../src/tasks/image-classification/precision.js';
import { evaluate } from '../../src/tasks/task.js';
import { NetworkTraining } from '../../src/training/network-training.js';
import { classify, settingsOf, tinyNetwork, tinyTask } from '../training/tiny-task.js';

setThreads(1);
afterEach(() => vi.restoreAllMocks());

function trained(precision: 'float32' | 'bfloat16') {
  manualSeed(4);
  const network = tinyNetwork();
  const settings = settingsOf({ precision });
  const task = classify(settings);
  const training = new NetworkTraining({ task, network, settings, seed: 1 });
  const first = scope(() => {
    const [batch] = task.pass('train', { size: 5, training: { seed: 1, epoch: 1 } });
    const { loss } = batch!.trainingLoss(network);
    return { dtype: loss.dtype, value: loss.item() };
  });
  while (!training.trained) for (const _ of training.trainEpoch());
  network.eval();
  const accuracy = evaluate(task, network, 'validation', { size: 5 });
  const weights = [...network.stateDict().values()].map((tensor: Tensor) => tensor.dtype);
  return { first, accuracy, weights, loss: training.lastLoss };
}

describe('a training in bfloat16', () => {
  it('has weights and losses in float32, and comes near to that in float32 but not to the same', () => {
    const [whole, half] = [trained('float32'), trained('bfloat16')];
    expect(half.first.dtype).toBe('float32');
    expect(half.weights).toEqual(whole.weights);
    expect(half.first.value).not.toBe(whole.first.value);
    // bfloat16 has 8 bits: a logit of about 1 is right to 0.004.
    expect(half.first.value).toBeCloseTo(whole.first.value, 1);
    expect(half.loss).toBeCloseTo(whole.loss, 0);
  });

  const network = (space: Space<unknown, unknown>) =>
    buildNetwork(space, space.decode(space.sample(Random.of(1, 'network'))), tinyTask.shape);

  it('is refused for networks whose convolutions run on a kernel, which takes float32', () => {
    const darts = network(Space.configure(dartsCnn, { channels: 4, layers: 3 }));
    const ask = () => requirePrecision('bfloat16', darts, tinyTask.shape, 'cpu');
    expect(ask).toThrow(InputError);
    expect(ask).toThrow(
      "precision 'bfloat16': the convolutions of this network run on a kernel that takes float32",
    );
    expect(() => requirePrecision('float32', darts, tinyTask.shape, 'cpu')).not.toThrow();
    // On a GPU no network runs on the kernels.
    expect(() => requirePrecision('bfloat16', darts, tinyTask.shape, 'cuda:0')).not.toThrow();
  });

  it('is let through for others, with a warning on a CPU that has no instructions for it', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    requirePrecision('bfloat16', network(Space.configure(zophCnn, { layers: 2 })), tinyTask.shape, 'cpu');
    expect(warned).toHaveBeenCalledTimes(hasBfloat16() ? 0 : 1);
  });
});
