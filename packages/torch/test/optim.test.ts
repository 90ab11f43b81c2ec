import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  backward,
  fromTypedArray,
  fused,
  liveTensors,
  loadTensors,
  manualSeed,
  nn,
  ones,
  optim,
  randn,
  saveTensors,
  scope,
  type Tensor,
  tensor,
} from '../src/index.js';
import { decode, expectTensor, readFixture, type TensorJson } from './fixtures.js';
import { worst } from './fused/comparison.js';

type Gradients = (TensorJson | null)[];

const fixture = readFixture<{
  start: TensorJson[];
  gradients: Gradients[];
  rates: number[];
  paths: {
    rule: 'SGD' | 'Adam' | 'AdamW' | 'RMSProp';
    options: optim.SGDOptions & optim.AdamOptions & optim.RMSPropOptions;
    varying: boolean;
    path: TensorJson[][];
  }[];
  clipped: { most: number; norm: number; gradients: Gradients }[];
  schedules: { cosine: number[]; step: number[] };
}>('optimizers.json');

function startingParameters(): nn.Parameter[] {
  return fixture.start.map((value) => new nn.Parameter(decode(value)));
}

function setGradients(parameters: readonly Tensor[], gradients: Gradients): void {
  for (const [place, gradient] of gradients.entries())
    (parameters[place] as Tensor).grad = gradient === null ? undefined : decode(gradient);
}

const ways = [
  ['by the kernels', (body: () => void) => body()],
  ['by libtorch\u2019s operators', fused.withoutKernels],
] as const;

describe.each(ways)('optimisers take PyTorch\u2019s steps %s', (_, way) => {
  it.each(fixture.paths.map((each) => [each.rule, JSON.stringify(each.options), each] as const))(
    '%s %s',
    (rule, _, each) => {
      const run = () => {
        const parameters = startingParameters();
        const optimizer = new optim[rule](parameters, each.options);
        for (const [step, expected] of each.path.entries()) {
          setGradients(parameters, fixture.gradients[step] as Gradients);
          if (each.varying) optimizer.learningRate = fixture.rates[step] as number;
          optimizer.step();
          for (const [place, value] of expected.entries())
            expectTensor(parameters[place] as Tensor, value, 1e-13);
        }
        optimizer.free();
        for (const parameter of parameters) parameter.free();
      };
      scope(() => way(run));
    },
  );
});

describe("RMSProp in TensorFlow's form", () => {
  it('begins with a mean square of 1, adds epsilon inside the root, and has the learning rate in its momentum', () => {
    const parameter = new nn.Parameter(tensor([1, -2], 'float64'));
    const rule = {
      squareDecay: 0.9,
      epsilon: 1,
      momentum: 0.5,
      weightDecay: 0.1,
      form: 'tensorflow',
    } as const;
    const optimizer = new optim.RMSProp([parameter], { learningRate: 0.1, ...rule });
    const values = [1, -2];
    const [square, velocity] = [
      [1, 1],
      [0, 0],
    ];
    for (const [rate, slopes] of [
      [0.1, [3, -1]],
      [0.02, [-0.5, 2]],
    ] as const) {
      scope(() => {
        parameter.grad = tensor([...slopes], 'float64');
        optimizer.learningRate = rate;
        optimizer.step();
      });
      for (const [i, slope] of slopes.entries()) {
        const gradient = slope + 0.1 * values[i]!;
        square[i] = 0.9 * square[i]! + 0.1 * gradient ** 2;
        velocity[i] = 0.5 * velocity[i]! + (rate * gradient) / Math.sqrt(square[i]! + 1);
        values[i]! -= velocity[i]!;
        expect(parameter.toNumbers()[i]).toBeCloseTo(values[i]!, 14);
      }
    }
    optimizer.free();
    parameter.free();
  });

  it('refuses a mean square that never forgets', () => {
    scope(() =>
      expect(() => new optim.RMSProp([tensor([1])], { learningRate: 1, squareDecay: 1 })).toThrow(
        "RMSProp's decay of the mean square is in [0, 1), not 1",
      ),
    );
  });
});

describe('a step by the kernels', () => {
  const rules = {
    SGD: (parameters: Tensor[]) =>
      new optim.SGD(parameters, { learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
    Adam: (parameters: Tensor[]) => new optim.Adam(parameters, { learningRate: 0.1, weightDecay: 0.01 }),
  };

  it.each(Object.entries(rules))('of %s does not depend on the memory layout of its tensors', (_, make) => {
    scope(() => {
      manualSeed(3);
      const draw = (shape: number[]) => randn(shape, { dtype: 'float64' });
      // A tensor large enough for two threads, a gradient with another layout than its parameter, a part of a larger tensor.
      const given = [
        [draw([40, 30, 20, 20]), draw([40, 30, 20, 20]).contiguous({ memoryFormat: 'channels_last' })],
        [draw([6, 5]).narrow(1, 1, 3), draw([6, 3])],
        [draw([4]), draw([1]).expand([4])],
      ] as const;
      const steps = ways.map(([, way]) => {
        const parameters = given.map(([start]) => start.clone());
        parameters[1] = draw([6, 5]).narrow(1, 1, 3).copy_(given[1][0]);
        const optimizer = make(parameters);
        way(() => {
          for (let step = 0; step < 3; step++) {
            for (const [place, [, gradient]] of given.entries())
              parameters[place]!.grad = gradient.mul(step + 1);
            optim.clipGradientNorm(parameters, 5);
            optimizer.step();
          }
        });
        optimizer.free();
        return parameters.flatMap((parameter) => parameter.toNumbers());
      });
      const [own, other] = steps as [number[], number[]];
      expect(worst(own, other)).toBeLessThan(1e-11);
    });
  });

  it('makes a backward pass fail that needs the old value of a parameter', () => {
    const parameter = new nn.Parameter(ones([3], { dtype: 'float32' }));
    scope(() => {
      const loss = parameter.mul(parameter).sum();
      parameter.grad = ones([3], { dtype: 'float32' });
      new optim.SGD([parameter], { learningRate: 0.1 }).step();
      expect(() => backward(loss)).toThrow(/modified by an inplace operation/);
    });
    parameter.free();
  });
});

describe('an optimiser', () => {
  it('leaves parameters without a gradient, and its memory of them, unchanged', () => {
    const parameters = startingParameters();
    const adam = new optim.Adam(parameters, { learningRate: 0.1, weightDecay: 0.5 });
    adam.step();
    expect(adam.stateDict().size).toBe(1);
    for (const [place, parameter] of parameters.entries())
      expectTensor(parameter, fixture.start[place] as TensorJson);
    setGradients(parameters, fixture.gradients[1] as Gradients);
    adam.step();
    expect([...adam.stateDict().keys()].sort()).toEqual([
      'mean.0',
      'mean.1',
      'square.0',
      'square.1',
      'steps',
    ]);
    expect(adam.stateDict().get('steps')?.toNumbers()).toEqual([1, 1, 0]);
    expectTensor(parameters[2] as Tensor, fixture.start[2] as TensorJson);
  });

  it('clears gradients with zeroGrad', () => {
    const parameters = startingParameters();
    setGradients(parameters, fixture.gradients[1] as Gradients);
    new optim.SGD(parameters, { learningRate: 0.1 }).zeroGrad();
    expect(parameters.map((parameter) => parameter.grad)).toEqual([undefined, undefined, undefined]);
  });

  it('keeps no tensor but its memory', () => {
    const layer = new nn.Linear(3, 2);
    const before = liveTensors();
    const adam = new optim.AdamW(layer.parameters(), { learningRate: 0.1, weightDecay: 0.1 });
    for (let step = 0; step < 3; step++) {
      scope(() => backward(layer.forward(ones([1, 3])).sum()));
      adam.step();
      adam.zeroGrad();
    }
    expect(liveTensors() - before).toBe(4);
    adam.free();
    expect(liveTensors()).toBe(before);
    layer.free();
  });

  it('accepts parameters later, which start at their first step', () => {
    const early = new nn.Parameter(tensor([1], 'float64'));
    const late = new nn.Parameter(tensor([1], 'float64'));
    const adam = new optim.Adam([early], { learningRate: 0.1 });
    const step = () => {
      early.grad = tensor([2], 'float64');
      late.grad = tensor([2], 'float64');
      adam.step();
    };
    step();
    adam.add([late]);
    step();
    expect(adam.parameters).toEqual([early, late]);
    // Adam's first step has the size of the learning rate, whatever the gradient.
    expect(late.item()).toBeCloseTo(0.9, 8);
    expect(early.item()).toBeCloseTo(0.8, 8);
    expect(adam.stateDict().get('steps')?.toNumbers()).toEqual([2, 1]);
  });

  it('rejects invalid settings', () => {
    const parameters = startingParameters();
    expect(() => new optim.SGD([], { learningRate: 1 })).toThrow('an optimiser needs at least one parameter');
    expect(() => new optim.SGD(parameters, { learningRate: 1, nesterov: true })).toThrow('Nesterov');
    expect(() => new optim.Adam(parameters, { learningRate: 1, betas: [0.9, 1] })).toThrow('not 1');
  });
});

describe('an optimiser\u2019s state', () => {
  const rules: Record<string, (parameters: readonly Tensor[]) => optim.Optimizer> = {
    SGD: (parameters) =>
      new optim.SGD(parameters, { learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
    Adam: (parameters) => new optim.Adam(parameters, { learningRate: 0.01, weightDecay: 1e-3 }),
    AdamW: (parameters) => new optim.AdamW(parameters, { learningRate: 0.01, weightDecay: 1e-2 }),
  };

  it.each(Object.entries(rules))('of %s resumes training from a file, to the bit', (_, make) => {
    const folder = mkdtempSync(join(tmpdir(), 'espalier-optim-'));
    const network = () =>
      new nn.Sequential(
        new nn.Conv2d(2, 3, 3),
        new nn.BatchNorm2d(3),
        new nn.Flatten(),
        new nn.Linear(12, 2),
      );
    const train = (model: nn.Layer, optimizer: optim.Optimizer, steps: readonly number[]) => {
      for (const step of steps)
        scope(() => {
          manualSeed(step);
          const image = randn([4, 2, 4, 4]).to({ memoryFormat: 'channels_last' });
          backward(model.forward(image).crossEntropyLoss(tensor([0, 1, 1, 0], 'int64')));
          optimizer.step();
          optimizer.zeroGrad();
        });
    };
    const bits = (model: nn.Module) =>
      [...model.stateDict()].map(([name, value]) => [name, value.toTypedArray()]);

    manualSeed(1);
    const straight = network().to({ memoryFormat: 'channels_last' });
    const optimizer = make(straight.parameters());
    train(straight, optimizer, [1, 2, 3]);
    scope(() => {
      saveTensors(join(folder, 'network'), straight.stateDict());
      saveTensors(join(folder, 'optimizer'), optimizer.stateDict());
    });
    train(straight, optimizer, [4, 5, 6]);

    manualSeed(2);
    const resumed = network().to({ memoryFormat: 'channels_last' });
    const other = make(resumed.parameters());
    scope(() => {
      resumed.loadStateDict(loadTensors(join(folder, 'network')).tensors);
      other.loadStateDict(loadTensors(join(folder, 'optimizer')).tensors);
    });
    train(resumed, other, [4, 5, 6]);

    expect(bits(resumed)).toEqual(bits(straight));
    const memory = (of: optim.Optimizer) =>
      [...of.stateDict()].map(([name, value]) => [name, value.toTypedArray()]).sort();
    expect(memory(other)).toEqual(memory(optimizer));
    rmSync(folder, { recursive: true });
  });

  it('takes the memory layout of the parameters, whatever the layout in the file', () => {
    const filters = new nn.Parameter(ones([2, 3, 2, 2]).to({ memoryFormat: 'channels_last' }));
    const sgd = new optim.SGD([filters], { learningRate: 1, momentum: 0.5 });
    sgd.loadStateDict(
      new Map([
        [
          'velocity.0',
          fromTypedArray(
            Float32Array.from({ length: 24 }, (_, index) => index),
            [2, 3, 2, 2],
          ),
        ],
        ['steps', tensor([4], 'int64')],
      ]),
    );
    const velocity = sgd.stateDict().get('velocity.0') as Tensor;
    expect(velocity.isContiguous('channels_last')).toBe(true);
    expect(velocity.toNumbers()).toEqual(Array.from({ length: 24 }, (_, index) => index));
  });

  it('of another optimiser is an error that lists every problem, and changes nothing', () => {
    const weight = new nn.Parameter(ones([2]));
    const sgd = new optim.SGD([weight], { learningRate: 1, momentum: 0.5 });
    weight.grad = ones([2]);
    sgd.step();
    const state = (entries: [string, Tensor][]) =>
      new Map<string, Tensor>([['steps', tensor([1], 'int64')], ...entries]);
    expect(() => sgd.loadStateDict(new Map())).toThrow('the state is of 0 parameters, the optimiser has 1');
    expect(() =>
      sgd.loadStateDict(
        state([
          ['mean.0', ones([2])],
          ['velocity.0', ones([3])],
          ['velocity.1', ones([2])],
        ]),
      ),
    ).toThrow(
      'the state does not fit the optimiser: mean.0 is nothing that SGD remembers; velocity.0 has shape [3], its parameter [2]; velocity.1 is nothing that SGD remembers',
    );
    expect(sgd.stateDict().get('velocity.0')?.toNumbers()).toEqual([1, 1]);
  });
});

describe('gradient clipping', () => {
  it.each(fixture.clipped)(
    'to the norm $most gives PyTorch\u2019s gradients',
    ({ most, norm, gradients }) => {
      scope(() => {
        const parameters = startingParameters();
        setGradients(parameters, fixture.gradients[1] as Gradients);
        expect(optim.clipGradientNorm(parameters, most)).toBeCloseTo(norm, 12);
        for (const [place, expected] of gradients.entries())
          if (expected === null) expect((parameters[place] as Tensor).grad).toBeUndefined();
          else expectTensor((parameters[place] as Tensor).grad as Tensor, expected, 1e-12);
        for (const parameter of parameters) parameter.free();
      });
    },
  );

  it('without any gradient has the norm 0', () => {
    expect(optim.clipGradientNorm(startingParameters(), 1)).toBe(0);
  });
});

describe('schedules', () => {
  it.each([
    ['cosine', optim.cosineSchedule(0.1, 8, 0.01)],
    ['step', optim.stepSchedule(0.1, 3, 0.5)],
  ] as const)('%s is PyTorch\u2019s', (name, schedule) => {
    for (const [step, rate] of fixture.schedules[name].entries())
      expect(schedule(step)).toBeCloseTo(rate, 14);
  });

  it('a cosine keeps its final value', () => {
    const schedule = optim.cosineSchedule(1, 10, 0.25);
    expect([schedule(0), schedule(5), schedule(10), schedule(11)]).toEqual([1, 0.625, 0.25, 0.25]);
  });

  it('a poly schedule falls to 0 and stays there', () => {
    const schedule = optim.polySchedule(2, 4, 2);
    expect([0, 1, 2, 3, 4, 5].map(schedule)).toEqual([2, 1.125, 0.5, 0.125, 0, 0]);
    expect(optim.polySchedule(1, 10)(5)).toBeCloseTo(0.5 ** 0.9, 15);
  });

  it('a warm-up rises linearly to the schedule that follows it', () => {
    const schedule = optim.warmUp(optim.stepSchedule(8, 6, 0.5), 4);
    expect(Array.from({ length: 8 }, (_, step) => schedule(step))).toEqual([2, 4, 6, 8, 8, 8, 4, 4]);
  });
});
