import {
  fused,
  generatorState,
  grad,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
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
    buffers: [],
    trainingLoss: () => weights.sub(alphas).square().sum().div(2),
    validationLoss: () => weights.sub(1).square().sum().div(2).add(alphas.pow(3).sum().div(3)),
  };
  return { problem, weights, alphas };
}

const plain = (weights: readonly Tensor[], learningRate: number) => ({
  learningRate,
  momentum: 0,
  nesterov: false,
  weightDecay: 0,
  optimizer: new optim.SGD(weights, { learningRate }),
});

describe('the gradient of the architecture', () => {
  it('of first order ignores that the weights depend on the architecture', () => {
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

  it.each([false, true])(
    'of second order looks ahead with velocity and weight decay, as the optimiser steps with nesterov = %s',
    (nesterov) => {
      const { problem, weights } = known([0.5, 2], [0.25, -1]);
      const [learningRate, momentum, weightDecay] = [0.1, 0.9, 0.01];
      const step = { learningRate, momentum, nesterov, weightDecay };
      const optimizer = new optim.SGD([weights], step);
      const setGradient = (gradient: number[]) => {
        weights.grad = tensor(gradient, 'float64');
      };
      setGradient([1, -2]);
      optimizer.step();
      const w = weights.toNumbers();
      // The step that the optimiser itself makes from here, with the training gradient w - a.
      const gradient = w.map((value, i) => value - [0.25, -1][i]!);
      const { gradients } = secondOrderGradient(problem, { ...step, optimizer });
      expect(weights.toNumbers()).toEqual(w);
      setGradient(gradient);
      optimizer.step();
      const stepped = weights.toNumbers();
      for (const [i, value] of gradients[0]!.toNumbers().entries())
        expect(value).toBeCloseTo([0.0625, 1][i]! + 0.1 * (stepped[i]! - 1), 10);
    },
  );

  it('of second order clips the training gradient and the direction, and scales the implicit term alike', () => {
    const { problem, weights } = known([0.5, 2], [0.25, -1]);
    const [xi, clip] = [0.1, 0.5];
    const { gradients } = secondOrderGradient(problem, { ...plain([weights], xi), clip });
    // The training gradient w - a is [0.25, 3].
    const c = clip / (Math.hypot(0.25, 3) + 1e-6);
    const direction = [0.5 - xi * c * 0.25 - 1, 2 - xi * c * 3 - 1];
    const d = clip / (Math.hypot(...direction) + 1e-6);
    for (const [i, value] of gradients[0]!.toNumbers().entries())
      expect(value).toBeCloseTo([0.0625, 1][i]! + xi * c * d * direction[i]!, 10);
  });

  it('of second order scales nothing where the gradients are below the clip', () => {
    const { problem, weights } = known([0.5, 2], [0.25, -1]);
    const step = plain([weights], 0.1);
    expect(secondOrderGradient(problem, { ...step, clip: 100 }).gradients[0]!.toNumbers()).toEqual(
      secondOrderGradient(problem, step).gradients[0]!.toNumbers(),
    );
  });

  it('of second order has the same dropout masks in the look-ahead and on both sides of the difference', () => {
    const weights = doubles([0.5, 2, -1, 3, 1, -2]);
    const alphas = doubles([0.25, -1, 2, 1, 0, 1]);
    const drawn = () => noGrad(() => rand([6], { dtype: 'float64' }));
    const problem: BilevelProblem = {
      weights: [weights],
      alphas: [alphas],
      buffers: [],
      trainingLoss: () => weights.sub(alphas).square().mul(drawn()).sum().div(2),
      validationLoss: () => weights.sub(1).square().mul(drawn()).sum().div(2),
    };
    manualSeed(7);
    const [m, n] = [drawn().toNumbers(), drawn().toNumbers()];
    const afterwards = generatorState();
    manualSeed(7);
    const { gradients } = secondOrderGradient(problem, plain([weights], 0.1));
    const [w, a] = [weights.toNumbers(), alphas.toNumbers()];
    for (const [i, value] of gradients[0]!.toNumbers().entries())
      expect(value).toBeCloseTo(0.1 * m[i]! * n[i]! * (w[i]! - 0.1 * m[i]! * (w[i]! - a[i]!) - 1), 10);
    // The next random numbers are those after one pass of either loss.
    expect(generatorState()).toEqual(afterwards);
  });

  it('of second order keeps running statistics of the weights, not of where the look-ahead was', () => {
    const statistics = noGrad(() => tensor([0], 'float64'));
    const { problem, weights } = known([0.5, 2], [0.25, -1]);
    const counted = (loss: () => Tensor, by: number) => () => {
      noGrad(() => statistics.add_(by));
      return loss();
    };
    secondOrderGradient(
      {
        ...problem,
        buffers: [statistics],
        trainingLoss: counted(problem.trainingLoss, 1),
        validationLoss: counted(problem.validationLoss, 100),
      },
      plain([weights], 0.1),
    );
    // Three passes of the training loss.
    expect(statistics.toNumbers()).toEqual([3]);
  });

  it('of second order equals that of first order where the weights minimise the validation loss', () => {
    const { problem, weights } = known([1, 1], [1, 1]);
    expect(secondOrderGradient(problem, plain([weights], 0.1)).gradients[0]!.toNumbers()).toEqual([1, 1]);
  });
});

/** The loss of a small supernet of DARTS on a batch of images, in float64. */
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

/** The same for a text, with a training and a validation batch, and a loss that is smooth around the weights. */
function textProblem(): BilevelProblem {
  manualSeed(3);
  const noDropout = {
    dropoutEmbedding: 0,
    dropoutInput: 0,
    dropoutCellInput: 0,
    dropoutHidden: 0,
    dropoutOutput: 0,
  };
  const space = Space.configure(dartsRnn, { hidden: 4, nodes: 3, ...noDropout });
  const network = buildLanguageSupernet(space, { vocabulary: 7 }).to({ dtype: 'float64' });
  noGrad(() => {
    // Batch norm of tiny states is anything but smooth.
    for (const weight of network.parameters()) weight.mul_(10);
    // The operations are none, tanh, relu, sigmoid and identity: ReLU has a kink.
    network.architectureParameters().recurrent!.narrow(1, 2, 1).fill_(-1000);
  });
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
    buffers: [],
    trainingLoss: lossOn(1),
    validationLoss: lossOn(2),
  };
}

/** The exact gradient, by differentiating the gradient. */
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
  it('of second order is close to the exact one, which differentiates the gradient', () => {
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
        // The two orders differ by far more than the error of equation 8.
        expect(distance(exact, first)).toBeGreaterThan(0);
        expect(distance(found, exact)).toBeLessThan(0.001 * distance(first, exact));
      }),
    );
  });

  it('of first order, and that of the weights, equal central differences of the loss', () => {
    scope(() =>
      fused.withoutKernels(() => {
        const { weights, alphas, loss } = imageLoss();
        const problem = { weights, alphas, buffers: [], trainingLoss: loss, validationLoss: loss };
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
