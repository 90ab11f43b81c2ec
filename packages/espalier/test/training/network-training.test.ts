import {
  fromTypedArray,
  fused,
  generatorState,
  manualSeed,
  nn,
  noGrad,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { Network } from '../../src/networks/network.js';
import type { ImageModel } from '../../src/tasks/image-classification/image-classification.js';
import type { ImageTrainingOptions } from '../../src/tasks/image-classification/training-options.js';
import { Diverged, evaluate } from '../../src/tasks/task.js';
import { NetworkTraining, type StepReport } from '../../src/training/network-training.js';
import { requireUseful } from '../../src/training/optimisers.js';
import { initialised } from '../../src/training/train-child.js';
import { ScriptedTask, Weights } from './scripted-task.js';
import { classify, settingsOf, tinyNetwork } from './tiny-task.js';

setThreads(1);

interface Begun {
  readonly network: Network;
  readonly training: NetworkTraining<ImageModel>;
}

function begin(settings: ImageTrainingOptions = settingsOf(), seed = 1, weights = seed): Begun {
  const network = initialised(tinyNetwork, weights);
  return { network, training: new NetworkTraining({ task: classify(settings), network, settings, seed }) };
}

function end({ network, training }: Begun): void {
  training.free();
  network.free();
}

const bytes = (state: ReadonlyMap<string, Tensor>) =>
  new Map([...state].map(([name, value]) => [name, value.toTypedArray()]));

/** The reports of all the epochs left, and what the network and the optimiser came to. */
function train(begun: Begun, epochs: number) {
  const reports: StepReport[] = [];
  while (begun.training.epoch < epochs) reports.push(...begun.training.trainEpoch());
  const state = begun.training.stateDict();
  return { reports, state: bytes(state), loss: begun.training.lastLoss };
}

describe('a training', () => {
  it('has the same losses and weights, bit for bit, for the same seed', () => {
    const run = (seed: number) => {
      const begun = begin(settingsOf(), seed, 1);
      const result = train(begun, 2);
      end(begun);
      return result;
    };
    const first = run(1);
    expect(run(1)).toEqual(first);
    // The weights begin the same: order, augmentation and dropout are another seed's.
    expect(run(2).reports.map(({ loss }) => loss)).not.toEqual(first.reports.map(({ loss }) => loss));
  });

  it('initialises the weights from its seed', () => {
    const weights = (seed: number) => {
      const network = initialised(tinyNetwork, seed);
      const values = bytes(network.stateDict());
      expect((network as ReturnType<typeof tinyNetwork>).conv.weight.isContiguous('channels_last')).toBe(
        true,
      );
      network.free();
      return values;
    };
    expect(weights(1)).toEqual(weights(1));
    expect(weights(1).get('conv.weight')).not.toEqual(weights(2).get('conv.weight'));
  });

  it.each([
    {},
    { optimiser: 'adam' },
    { optimiser: 'rmsprop-tf', epsilon: 1, squareDecay: 0.9, averageDecay: 0.9 },
  ] as const)('resumes from the state saved after an epoch as if it had never stopped: %j', (given) => {
    const settings = settingsOf(given);
    const undisturbed = begin(settings);
    const whole = train(undisturbed, 3);
    end(undisturbed);

    const first = begin(settings);
    const before = train(first, 1);
    end(first);
    // Other weights, other momentum, other random numbers: all of it must be put back.
    const second = begin(settings, 1, 99);
    train(second, 1);
    const shapes = new Map([...second.training.stateDict()].map(([name, { shape }]) => [name, shape]));
    const state = new Map(
      [...before.state].map(([name, values]) => [name, fromTypedArray(values, shapes.get(name)!)]),
    );
    manualSeed(99);
    second.training.loadState(state, { values: [], best: null, wentBack: false }, 1, before.loss);
    expect(second.training.epoch).toBe(1);
    expect(second.training.lastLoss).toBe(before.loss);
    const after = train(second, 3);
    end(second);

    expect([...before.reports, ...after.reports]).toEqual(whole.reports);
    expect(after.state).toEqual(whole.state);
    expect(after.loss).toBe(whole.loss);
  });

  it('rejects the state of another network, and one without the state of the random numbers', () => {
    const begun = begin();
    expect(() => begun.training.loadState(new Map(), null, 1, 0)).toThrow("the state has no 'generator'");
    const generator = new Map([['generator', fromTypedArray(generatorState(), [generatorState().length])]]);
    expect(() => begun.training.loadState(generator, null, 1, 0)).toThrow(
      'the state does not fit the network: conv.weight is missing',
    );
    expect(begun.training.epoch).toBe(0);
    end(begun);
  });

  it('reports at every step the mean loss of the epoch so far, over images and not over batches', () => {
    // Nothing is learned, and the features do not count: every image of a class has the same loss.
    const other = begin(settingsOf({ augment: false, learningRate: 1e-30, momentum: 0, weightDecay: 0 }));
    noGrad(() => {
      other.network.stateDict().get('classifier.weight')!.zero_();
      other.network
        .stateDict()
        .get('classifier.bias')!
        .copy_(tensor([0, 0, 1]));
    });
    const reports = [...other.training.trainEpoch()];
    expect(reports.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(reports[0]).toMatchObject({ epoch: 1, stepsPerEpoch: 5, learningRate: 1e-30 });
    // 8, 7 and 7 images of the classes; log(2 + e) for a class, 1 less for the last.
    const log = Math.log(2 + Math.E);
    expect(reports.at(-1)!.loss).toBeCloseTo((15 * log + 7 * (log - 1)) / 22, 5);
    expect(other.training.lastLoss).toBe(reports.at(-1)!.loss);
    end(other);
  });

  it('keeps the learning rate constant, lowers it along half a cosine step by step, or lowers it after each epoch', () => {
    const rates = (schedule: ImageTrainingOptions['schedule']) => {
      const begun = begin(settingsOf({ schedule, learningRate: 0.2, epochs: 2 }));
      const { reports } = train(begun, 2);
      end(begun);
      return reports.map(({ learningRate }) => learningRate);
    };
    expect(rates('constant')).toEqual(new Array(10).fill(0.2));
    const exponential = rates('exponential');
    for (const [step, rate] of exponential.entries())
      expect(rate).toBeCloseTo(step < 5 ? 0.2 : 0.2 * 0.97, 15);
    const cosine = rates('cosine');
    expect(cosine).toHaveLength(10);
    for (const [step, rate] of cosine.entries())
      expect(rate).toBeCloseTo(0.1 * (1 + Math.cos((Math.PI * step) / 10)), 15);
    for (const [step, rate] of rates('poly').entries())
      expect(rate).toBeCloseTo(0.2 * (1 - step / 10) ** 0.9, 15);
  });

  it.each([
    ['exponential', [0.2, 0.2, 0.1, 0.05]],
    ['step', [0.2, 0.2, 0.1, 0.1]],
  ] as const)('lowers the learning rate from an epoch on: %s', (schedule, expected) => {
    const begun = begin(settingsOf({ schedule, learningRate: 0.2, epochs: 4, decay: 0.5, decayEpoch: 2 }));
    const { reports } = train(begun, 4);
    end(begun);
    const ofEpochs = [1, 2, 3, 4].map((epoch) => reports.find((one) => one.epoch === epoch)?.learningRate);
    expect(ofEpochs).toEqual(expected);
  });

  it('lowers the learning rate every 2.4 epochs, in the middle of one', () => {
    const begun = begin(
      settingsOf({ schedule: 'exponential', learningRate: 0.2, epochs: 5, decay: 0.5, decayEvery: 2.4 }),
    );
    const { reports } = train(begun, 5);
    end(begun);
    const rates = reports.map(({ learningRate }) => learningRate);
    // Five steps an epoch: after 12 and 24 steps.
    expect(rates).toEqual([...new Array(12).fill(0.2), ...new Array(12).fill(0.1), 0.05]);
  });

  it('raises the probability of dropping a path from step to step', () => {
    const seen: number[] = [];
    const network = Object.assign(initialised(tinyNetwork, 1), { dropPathProbability: -1 });
    const settings = settingsOf({ epochs: 2, dropPath: 0.2, dropPathGrowsBy: 'step' });
    const training = new NetworkTraining({ task: classify(settings), network, settings, seed: 1 });
    while (!training.trained) for (const _ of training.trainEpoch()) seen.push(network.dropPathProbability);
    // The authors' current_step / total_training_steps.
    expect(seen).toHaveLength(10);
    for (const [step, value] of seen.entries()) expect(value).toBeCloseTo((0.2 * step) / 10, 15);
    training.free();
    network.free();
  });

  it.each([
    // Every gradient is 2. Plain: 4 steps of 0.1 x 2.
    [{}, -0.8],
    // Adam divides a constant gradient by itself.
    [{ optimiser: 'adam' }, -0.4],
    // With alpha 0, the mean square is the last square.
    [{ optimiser: 'rmsprop', squareDecay: 0, epsilon: 2 }, -0.1 * 4 * (2 / (2 + 2))],
    [{ optimiser: 'rmsprop-tf', squareDecay: 0, epsilon: 5 }, -0.1 * 4 * (2 / Math.sqrt(4 + 5))],
    // Velocities of 1/2, 3/4, 7/8 and 15/16.
    [
      { optimiser: 'rmsprop', squareDecay: 0, epsilon: 2, momentum: 0.5 },
      -0.1 * (0.5 + 0.75 + 0.875 + 0.9375),
    ],
  ] as const)('moves the weights by the rule %j', (rule, expected) => {
    const network = new Weights(1);
    const task = new ScriptedTask({ gradient: [2], stepsPerEpoch: 4 });
    const plain = settingsOf({ epochs: 1, momentum: 0, weightDecay: 0, learningRate: 0.1, ...rule });
    const training = new NetworkTraining<Weights>({
      network,
      task,
      settings: { ...plain, batchSize: 1 },
      seed: 1,
    });
    for (const _ of training.trainEpoch());
    expect(network.weight.toNumbers()[0]).toBeCloseTo(expected, 6);
    training.free();
    network.free();
  });

  it.each(['epsilon', 'squareDecay'] as const)('refuses %s where sgd has no use for it', (option) => {
    const rule = { ...settingsOf(), [option]: 0.5 };
    expect(() => requireUseful(rule)).toThrow(
      `training option '${option}' is 0.5: optimiser sgd has no mean square of the gradients; allowed with adam, rmsprop, rmsprop-tf`,
    );
    expect(() => requireUseful({ ...rule, optimiser: 'adam' })).not.toThrow();
  });

  it('raises the probability of dropping a path linearly from epoch to epoch', () => {
    const network = Object.assign(initialised(tinyNetwork, 1), { dropPathProbability: -1 });
    const settings = settingsOf({ epochs: 4, dropPath: 0.2 });
    const training = new NetworkTraining({ task: classify(settings), network, settings, seed: 1 });
    const probabilities = [];
    while (!training.trained) {
      [...training.trainEpoch()];
      probabilities.push(network.dropPathProbability);
    }
    // The authors' drop_path_prob * epoch / epochs, with epochs counted from 0.
    for (const [epoch, value] of probabilities.entries()) expect(value).toBeCloseTo(0.05 * epoch, 15);
    training.free();
    network.free();
  });

  it('leaves networks alone that drop paths as they please, or none', () => {
    const probabilityAfter = (dropPath: number, own: object) => {
      const network = Object.assign(initialised(tinyNetwork, 1), own);
      const settings = settingsOf({ epochs: 4, dropPath });
      const training = new NetworkTraining({ task: classify(settings), network, settings, seed: 1 });
      training.trainEpoch().next();
      training.free();
      network.free();
      return 'dropPathProbability' in network ? network.dropPathProbability : 'none';
    };
    expect(probabilityAfter(0, { dropPathProbability: 0.3 })).toBe(0.3);
    expect(probabilityAfter(0.2, {})).toBe('none');
  });

  it('moves the weights by the learning rate times the gradient', () => {
    const begun = begin(settingsOf({ augment: false, momentum: 0, weightDecay: 0, learningRate: 0.25 }));
    const bias = begun.network.stateDict().get('classifier.bias')!;
    const before = bias.toNumbers();
    begun.training.trainEpoch().next();
    const gradient = bias.grad!.toNumbers();
    const after = bias.toNumbers();
    expect(gradient.some((value) => Math.abs(value) > 0.01)).toBe(true);
    for (const [index, value] of after.entries())
      expect(value).toBeCloseTo(before[index]! - 0.25 * gradient[index]!, 6);
    end(begun);
  });

  it('has the loss of an epoch, if only of one input', () => {
    const network = new Weights(1);
    noGrad(() => network.weight.fill_(3));
    const task = new ScriptedTask({ gradient: [2], stepsPerEpoch: 1 });
    const settings = { ...settingsOf({ epochs: 1 }), batchSize: 1 };
    const training = new NetworkTraining<Weights>({ network, task, settings, seed: 1 });
    expect(training.lastLoss).toBeNaN();
    expect([...training.trainEpoch()].map(({ loss }) => loss)).toEqual([6]);
    expect(training.lastLoss).toBe(6);
    training.free();
    network.free();
  });

  describe('clips the norm of the gradient', () => {
    // The gradient (3, 0, 4) has the norm 5.
    function firstStep(clip: number): number[] {
      const network = new Weights(3);
      const task = new ScriptedTask({ gradient: [3, 0, 4], stepsPerEpoch: 1 });
      const settings = settingsOf({ epochs: 1, learningRate: 1, momentum: 0, weightDecay: 0, clip });
      const training = new NetworkTraining<Weights>({ network, task, settings, seed: 1 });
      for (const _ of training.trainEpoch());
      const weights = network.weight.toNumbers();
      training.free();
      network.free();
      return weights;
    }

    const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5));

    it.each<[string, <T>(body: () => T) => T]>([
      ['with kernels', (body) => body()],
      ['without kernels', fused.withoutKernels],
    ])('%s', (_, within) => {
      expect(within(() => firstStep(2.5))).toEqual(close([-1.5, 0, -2]));
      // A shorter one stays as it is, and 0 clips nothing.
      expect(within(() => firstStep(6))).toEqual(close([-3, 0, -4]));
      expect(within(() => firstStep(0))).toEqual(close([-3, 0, -4]));
    });
  });

  it('learns', () => {
    const network = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 3));
    const settings = settingsOf({ epochs: 20, augment: false });
    const training = new NetworkTraining({ task: classify(settings), network, settings, seed: 1 });
    const { reports } = train({ network, training }, 20);
    expect(reports.at(-1)!.loss).toBeLessThan(0.1);
    network.eval();
    expect(evaluate(classify(settings), network, 'test', { size: 5 }).accuracy).toBe(1);
    end({ network, training });
  });

  it('stops when the loss is not finite any more, and says where', () => {
    const begun = begin(settingsOf({ learningRate: 1e30 }));
    let error: unknown;
    try {
      [...begun.training.trainEpoch()];
    } catch (reason) {
      error = reason;
    }
    expect(error).toBeInstanceOf(Diverged);
    expect((error as Error).message).toMatch(
      /^diverged: the loss is (NaN|Infinity) in epoch 1, step [2-5] of 5$/,
    );
    expect(begun.training.epoch).toBe(0);
    expect(begun.training.lastLoss).toBeNaN();
    end(begun);
  });
});
