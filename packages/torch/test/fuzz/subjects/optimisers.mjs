import { adamStep, clipGradients, sgdStep } from '../../../dist/fused/optimiser-steps.js';
import { noGrad, tensor } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer } from '../draws.mjs';
import { input, state } from '../tensors.mjs';

const shapes = (g) =>
  Array.from({ length: integer(g, 1, 4) }, () =>
    Array.from({ length: integer(g, 0, 3) }, () => integer(g, chance(g, 10) ? 0 : 1, 5)),
  );
const plain = { learned: false };

export const sgd = {
  draw(g) {
    const dtype = drawDtype(g);
    const all = shapes(g);
    return {
      parameters: all.map((shape) => state(g, shape, { dtype })),
      gradients: all.map((shape) => input(g, shape, { dtype, ...plain })),
      velocities: chance(g, 60) ? all.map((shape) => state(g, shape, { dtype })) : [],
      nesterov: chance(g, 50),
    };
  },
  ours({ parameters, gradients, velocities, nesterov }) {
    sgdStep(parameters, gradients, velocities, {
      learningRate: 0.5,
      momentum: 0.75,
      nesterov,
      weightDecay: 0.125,
    });
    return [];
  },
  theirs: ({ parameters, gradients, velocities, nesterov }) =>
    noGrad(() => {
      for (const [place, parameter] of parameters.entries()) {
        const slope = gradients[place].add(parameter.mul(0.125));
        const velocity = velocities[place];
        velocity?.mul_(0.75).add_(slope);
        const step = velocity === undefined ? slope : nesterov ? slope.add(velocity.mul(0.75)) : velocity;
        parameter.sub_(step.mul(0.5));
      }
      return [];
    }),
  states: ({ parameters, velocities }) => [...parameters, ...velocities],
};

const rule = { rate: 0.5, root: 0.25, betas: [0.75, 0.875], epsilon: 0.01, weightDecay: 0.125, shrinks: 0.5 };

export const adam = {
  draw(g) {
    const dtype = drawDtype(g);
    const all = shapes(g);
    return {
      parameters: all.map((shape) => state(g, shape, { dtype })),
      gradients: all.map((shape) => input(g, shape, { dtype, ...plain })),
      means: all.map((shape) => state(g, shape, { dtype })),
      squares: all.map((shape) => state(g, shape, { dtype, values: 'positive' })),
    };
  },
  ours({ parameters, gradients, means, squares }) {
    adamStep(parameters, gradients, means, squares, rule);
    return [];
  },
  theirs: ({ parameters, gradients, means, squares }) =>
    noGrad(() => {
      for (const [place, parameter] of parameters.entries()) {
        const slope = gradients[place].add(parameter.mul(rule.weightDecay));
        means[place].mul_(rule.betas[0]).add_(slope.mul(1 - rule.betas[0]));
        squares[place].mul_(rule.betas[1]).add_(slope.square().mul(1 - rule.betas[1]));
        const step = means[place].div(squares[place].sqrt().div(rule.root).add(rule.epsilon)).mul(rule.rate);
        parameter.mul_(rule.shrinks).sub_(step);
      }
      return [];
    }),
  states: ({ parameters, means, squares }) => [...parameters, ...means, ...squares],
};

export const clip = {
  draw(g) {
    const dtype = drawDtype(g);
    return { gradients: shapes(g).map((shape) => state(g, shape, { dtype })) };
  },
  ours: ({ gradients }) => [tensor([clipGradients(gradients, 1.5)])],
  theirs: ({ gradients }) =>
    noGrad(() => {
      const norm = Math.sqrt(
        gradients.reduce((sum, each) => sum + each.to({ dtype: 'float64' }).square().sum().item(), 0),
      );
      if (1.5 / (norm + 1e-6) < 1) for (const each of gradients) each.mul_(1.5 / (norm + 1e-6));
      return [tensor([norm])];
    }),
  states: ({ gradients }) => gradients,
};
