import { liveTensors, nn, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { images } from '../../src/network-kinds/images.js';
import { tokens } from '../../src/network-kinds/tokens.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { profileSteps, type StepProfile, totalOf } from '../../src/profiling/step-profile.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';

setThreads(1);

const image = { channels: 4, height: 6, width: 6, classes: 3 };

const tiny = () =>
  new nn.Sequential(
    new nn.Conv2d(4, 4, 3, { padding: 1, groups: 4, bias: false }),
    new nn.ReLU(),
    new nn.Conv2d(4, 5, 1, { bias: false }),
    new nn.Conv2d(5, 5, 1, { bias: false }),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(5, 3),
  );

function profileOf(network: nn.Layer, steps: number): StepProfile {
  const step = images.trainingStep(network, image, 2);
  const profile = profileSteps(step, steps);
  step.free();
  network.free();
  return profile;
}

const calls = ({ operators }: StepProfile) =>
  Object.fromEntries(
    operators.map((row) => [row.kind === '' ? row.operator : `${row.operator} ${row.kind}`, row.calls]),
  );

/** One logit for each pixel. */
class Dense extends nn.Layer {
  readonly conv = new nn.Conv2d(4, 3, 1);

  forward(input: Tensor): Tensor {
    return this.conv.forward(input);
  }
}

describe('the profile of a training step', () => {
  it('lists each operator with its number of calls, and convolutions by kind', () => {
    expect(calls(profileOf(tiny(), 2))).toEqual({
      'aten::conv2d 3x3 depthwise': 1,
      'aten::conv2d 1x1': 2,
      'aten::relu': 1,
      'aten::adaptive_avg_pool2d': 1,
      'aten::flatten': 1,
      'espalier::matmul': 1,
      'aten::cross_entropy_loss': 1,
      'aten::ones_like': 1,
      'torch::autograd::AccumulateGrad': 5,
      'espalier::sgd_step': 1,
    });
  });

  it('counts the multiply-adds of the whole batch', () => {
    const { operators } = profileOf(tiny(), 2);
    expect(
      operators
        .filter(({ multiplyAdds }) => multiplyAdds > 0)
        .map(({ operator, kind, multiplyAdds }) => [`${operator} ${kind}`, multiplyAdds])
        .sort(),
    ).toEqual([
      ['aten::conv2d 1x1', 2 * 36 * (4 * 5 + 5 * 5)],
      ['aten::conv2d 3x3 depthwise', 2 * 36 * 4 * 9],
      ['espalier::matmul ', 2 * 15],
    ]);
  });

  it('attributes the time of a backward node to the operator that created it', () => {
    const { operators } = profileOf(tiny(), 1);
    const phases = Object.fromEntries(
      operators.map((row) => [
        `${row.operator} ${row.kind}`.trim(),
        (['forward', 'backward', 'update'] as const).filter((phase) => row[phase] > 0).join(),
      ]),
    );
    expect(phases).toEqual({
      'aten::conv2d 3x3 depthwise': 'forward,backward',
      'aten::conv2d 1x1': 'forward,backward',
      'aten::relu': 'forward,backward',
      'aten::adaptive_avg_pool2d': 'forward,backward',
      'aten::flatten': 'forward,backward',
      'espalier::matmul': 'forward,backward',
      'aten::cross_entropy_loss': 'forward,backward',
      'aten::ones_like': 'backward',
      'torch::autograd::AccumulateGrad': 'backward',
      'espalier::sgd_step': 'update',
    });
  });

  it('adds up: operators, slowest first, and the time outside of them make the whole step', () => {
    const { steps, whole, operators, outside } = profileOf(tiny(), 3);
    expect(steps).toBe(3);
    for (const phase of ['forward', 'backward', 'update'] as const) {
      const inside = operators.reduce((sum, row) => sum + row[phase], 0);
      expect(inside).toBeGreaterThan(0);
      expect(outside[phase]).toBeGreaterThan(0);
      expect(inside + outside[phase]).toBeCloseTo(whole[phase], 9);
    }
    const totals = operators.map(totalOf);
    expect(totals).toEqual([...totals].sort((one, other) => other - one));
  });

  it('trains for one step more than it measures, and reports each step', () => {
    const network = tiny();
    const step = images.trainingStep(network, image, 2);
    const before = network.stateDict().get('0.weight')?.toNumbers();
    const reports: string[] = [];
    profileSteps(step, 2, (number, of) => reports.push(`${number} of ${of}`));
    expect(reports).toEqual(['1 of 3', '2 of 3', '3 of 3']);
    expect(network.training).toBe(true);
    expect(network.stateDict().get('0.weight')?.toNumbers()).not.toEqual(before);
    step.free();
    network.free();
  });

  it('covers the cross-entropy over all pixels for a segmentation network', () => {
    expect(calls(profileOf(new Dense(), 1))).toMatchObject({
      'aten::conv2d 1x1': 1,
      'aten::cross_entropy_loss': 1,
    });
  });

  it('covers the cross-entropy over all tokens for a language model', () => {
    const space = Space.configure(dartsRnn, { hidden: 4 });
    const architecture = space.decode(space.sample(Random.of(1, 'cell')));
    const model = buildLanguageModel(space, architecture, { vocabulary: 6 });
    const step = tokens.trainingStep(model, { vocabulary: 6 }, 2);
    expect(calls(profileSteps(step, 1))).toMatchObject({ 'espalier::cross_entropy': 1 });
    step.free();
    model.free();
  });

  it('leaves no tensors behind', () => {
    profileOf(tiny(), 1);
    const before = liveTensors();
    profileOf(tiny(), 1);
    expect(liveTensors()).toBe(before);
  });
});
