import {
  fused,
  grad,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  scope,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { buildLanguageSupernet, buildSupernet } from '../../src/supernets/build-supernet.js';
import {
  type BilevelProblem,
  firstOrderGradient,
  secondOrderGradient,
} from '../../src/weight-sharing/architecture-gradient.js';

const doubles = (values: number[]) => new nn.Parameter(noGrad(() => tensor(values, 'float64')));

/** L_train = sum (w - a)^2 / 2, L_val = sum (w - 1)^2 / 2 + sum a^3 / 3: all derivatives are known. */
function known(w: number[], a: number[]) {
  const weights = doubles(w);
  const alphas = doubles(a);
  const problem: BilevelProblem = {
    weights: [weights],
    alphas: [alphas],
    trainingLoss: () => weights.sub(alphas).square().sum().div(2),
    validationLoss: () => weights.sub(1).square().sum().div(2).add(alphas.pow(3).sum().div(3)),
  };
  return { problem, weights, alphas };
}

const plain = (weights: readonly Tensor[], learningRate: number) => ({
  learningRate,
  momentum: 0,
  weightDecay: 0,
  optimizer: new optim.SGD(weights, { learningRate }),
});

describe('the gradient of the architecture', () => {
  it('of first order takes the weights for what they are', () => {
    const { problem } = known([0.5, 2], [0.25, -1]);
    const { gradients, loss } = firstOrderGradient(problem);
    // d/da a^3/3 = a^2.
    expect(gradients[0]!.toNumbers()).toEqual([0.0625, 1]);
    expect(loss).toBeCloseTo((0.25 + 1) / 2 + (0.015625 - 1) / 3, 12);
  });

  it('of second order is that of the validation loss after a step of the weights', () => {
    const { problem, weights } = known([0.5, 2], [0.25, -1]);
    const xi = 0.1;
    const { gradients, loss } = secondOrderGradient(problem, plain([weights], xi));
    // w' = w - xi (w - a) = [0.475, 1.7]; dw'/da = xi.
    const stepped = [0.475, 1.7];
    const expected = [0, 1].map((i) => [0.0625, 1][i]! + xi * (stepped[i]! - 1));
    for (const [i, value] of gradients[0]!.toNumbers().entries()) expect(value).toBeCloseTo(expected[i]!, 10);
    expect(loss).toBeCloseTo((0.525 ** 2 + 0.7 ** 2) / 2 + (0.015625 - 1) / 3, 12);
    expect(weights.toNumbers()).toEqual([0.5, 2]);
  });

  it('of second order looks along the velocity and the decay of the weights too', () => {
    const { problem, weights } = known([0.5, 2], [0.25, -1]);
    const [learningRate, momentum, weightDecay] = [0.1, 0.9, 0.01];
    const optimizer = new optim.SGD([weights], { learningRate, momentum, weightDecay });
    weights.grad = tensor([1, -2], 'float64');
    optimizer.step();
    optimizer.zeroGrad();
    const w = weights.toNumbers();
    // The velocity is the gradient with its decay, [1.005, -1.98].
    const change = w.map((value, i) => value - [0.25, -1][i]! + 0.01 * value + 0.9 * [1.005, -1.98][i]!);
    const expected = w.map((value, i) => [0.0625, 1][i]! + 0.1 * (value - 0.1 * change[i]! - 1));
    const { gradients } = secondOrderGradient(problem, { learningRate, momentum, weightDecay, optimizer });
    for (const [i, value] of gradients[0]!.toNumbers().entries()) expect(value).toBeCloseTo(expected[i]!, 10);
    expect(weights.toNumbers()).toEqual(w);
  });

  it('of second order is that of first order where the weights are at their best', () => {
    const { problem, weights } = known([1, 1], [1, 1]);
    expect(secondOrderGradient(problem, plain([weights], 0.1)).gradients[0]!.toNumbers()).toEqual([1, 1]);
  });
});

/** A small supernet of DARTS for images, in float64 on ATen, with a batch. */
function imageLoss() {
  manualSeed(3);
  const space = Space.configure(dartsCnn, { channels: 2, layers: 3, nodes: 2 });
  const network = buildSupernet(space, { channels: 1, height: 8, width: 8, classes: 3 }).to({
    dtype: 'float64',
  });
  const images = randn([4, 1, 8, 8], { dtype: 'float64' });
  const labels = tensor([0, 1, 2, 1], 'int64');
  const loss = () => network.forward(images).crossEntropyLoss(labels);
  return { weights: network.parameters(), alphas: Object.values(network.architectureParameters()), loss };
}

/** The same for a text, with a training and a validation batch: its loss has hardly a kink. */
function textProblem(): BilevelProblem {
  manualSeed(3);
  const noDropout = { dropoutInput: 0, dropoutCellInput: 0, dropoutHidden: 0, dropoutOutput: 0 };
  const space = Space.configure(dartsRnn, { hidden: 4, nodes: 3, ...noDropout });
  const network = buildLanguageSupernet(space, { vocabulary: 7 }).to({ dtype: 'float64' });
  const lossOn = (seed: number) => {
    const random = Random.of(seed, 'tokens');
    const [tokens, next] = [0, 1].map(() =>
      tensor(
        Array.from({ length: 5 }, () => Array.from({ length: 6 }, () => random.below(7))),
        'int64',
      ),
    ) as [Tensor, Tensor];
    return () => {
      const { logits } = network.forward(tokens, network.initialState(6));
      return fused.crossEntropy(logits, next);
    };
  };
  return {
    weights: network.parameters(),
    alphas: Object.values(network.architectureParameters()),
    trainingLoss: lossOn(1),
    validationLoss: lossOn(2),
  };
}

/** The exact gradient, through the gradient of the gradient. */
function exactGradient(
  { weights, alphas, trainingLoss, validationLoss }: BilevelProblem,
  xi: number,
): number[] {
  const before = weights.map((weight) => noGrad(() => weight.clone()));
  const setTo = (values: readonly Tensor[]) =>
    noGrad(() => {
      for (const [i, value] of values.entries()) weights[i]!.copy_(value);
    });
  const first = grad(trainingLoss(), weights);
  setTo(before.map((weight, i) => weight.sub(first[i]!, { alpha: xi })));
  const ofValidation = grad(validationLoss(), [...alphas, ...weights]);
  setTo(before);
  const direct = ofValidation.slice(0, alphas.length);
  const direction = ofValidation.slice(alphas.length);
  const inner = grad(trainingLoss(), weights, { createGraph: true });
  const product = inner
    .map((gradient, i) => gradient.mul(direction[i]!).sum())
    .reduce((sum, term) => sum.add(term));
  const mixed = grad(product, alphas);
  return direct.flatMap((gradient, i) => gradient.sub(mixed[i]!, { alpha: xi }).flatten().toNumbers());
}

describe('the gradient of the architecture of a supernet', () => {
  it('of second order is the exact one, through the gradient of the gradient', () => {
    scope(() =>
      fused.withoutKernels(() => {
        const problem = textProblem();
        const xi = 0.025;
        const exact = exactGradient(problem, xi);
        const { gradients } = secondOrderGradient(problem, plain(problem.weights, xi));
        const found = gradients.flatMap((gradient) => gradient.flatten().toNumbers());
        const first = firstOrderGradient(problem).gradients.flatMap((gradient) =>
          gradient.flatten().toNumbers(),
        );
        const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, i) => value - b[i]!));
        // The two terms differ by much more than the differences of equation 8 are off.
        expect(distance(exact, first)).toBeGreaterThan(0);
        expect(distance(found, exact)).toBeLessThan(0.1 * distance(first, exact));
      }),
    );
  });

  it('of first order, and that of the weights, are the differences of the loss to both sides', () => {
    scope(() =>
      fused.withoutKernels(() => {
        const { weights, alphas, loss } = imageLoss();
        const problem = { weights, alphas, trainingLoss: loss, validationLoss: loss };
        const { gradients } = firstOrderGradient(problem);
        const ofWeights = grad(loss(), weights);
        const checked: [Tensor, Tensor][] = [
          ...alphas.map((alpha, i): [Tensor, Tensor] => [alpha, gradients[i]!]),
          ...weights.slice(0, 8).map((weight, i): [Tensor, Tensor] => [weight, ofWeights[i]!]),
        ];
        const step = 1e-6;
        for (const [parameter, gradient] of checked) {
          const numbers = gradient.flatten().toNumbers();
          for (const place of new Set([0, Math.floor(numbers.length / 2), numbers.length - 1])) {
            const at = (offset: number) => {
              const flat = noGrad(() => parameter.detach().reshape([-1]).narrow(0, place, 1));
              noGrad(() => flat.add_(offset));
              const value = noGrad(() => loss().item());
              noGrad(() => flat.sub_(offset));
              return value;
            };
            const difference = (at(step) - at(-step)) / (2 * step);
            expect(Math.abs(difference - numbers[place]!)).toBeLessThan(
              1e-6 * Math.max(1, Math.abs(difference)),
            );
          }
        }
      }),
    );
  });
});
