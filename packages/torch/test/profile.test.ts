import { describe, expect, it } from 'vitest';
import {
  backward,
  conv2d,
  noGrad,
  ones,
  profile,
  scope,
  setThreads,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';

setThreads(1);

const names = (body: () => void) => profile(body).map(({ name }) => name);

const learned = (value: Tensor) => {
  value.requiresGrad = true;
  return value;
};

describe('a profile', () => {
  it('lists the operators of its body in order, with the shapes of their arguments and results', () => {
    const image = ones([2, 3, 8, 6]);
    const weight = ones([4, 3, 3, 3]);
    const calls = profile(() => {
      stack([conv2d(image, weight), zeros([2, 4, 6, 4])]).relu_();
    });
    expect(calls.map(({ name, inputs, results }) => ({ name, inputs, results }))).toEqual([
      {
        name: 'aten::conv2d',
        inputs: [
          [2, 3, 8, 6],
          [4, 3, 3, 3],
        ],
        results: [[2, 4, 6, 4]],
      },
      { name: 'aten::zeros', inputs: [], results: [[2, 4, 6, 4]] },
      {
        name: 'aten::stack',
        inputs: [
          [2, 4, 6, 4],
          [2, 4, 6, 4],
        ],
        results: [[2, 2, 4, 6, 4]],
      },
      { name: 'aten::relu_', inputs: [[2, 2, 4, 6, 4]], results: [[2, 2, 4, 6, 4]] },
    ]);
    for (const { nanoseconds } of calls) expect(nanoseconds).toBeGreaterThan(0);
  });

  it('lists the nodes of a backward pass, each with the sequence number of the operator that made it', () => {
    const weight = learned(tensor([1, 2]));
    const before = profile(() => {});
    expect(before).toEqual([]);
    let loss: Tensor | undefined;
    const forward = profile(() => {
      loss = weight.exp().mul(3).sum();
    });
    const pass = profile(() => backward(loss as Tensor));
    const [exp, mul, sum] = forward.map(({ sequence }) => sequence);
    expect(forward.map(({ name }) => name)).toEqual(['aten::exp', 'aten::mul', 'aten::sum']);
    expect(pass.map(({ name, sequence }) => [name, sequence]).slice(1)).toEqual([
      [expect.stringMatching(/^SumBackward/), sum],
      [expect.stringMatching(/^MulBackward/), mul],
      ['ExpBackward0', exp],
      ['torch::autograd::AccumulateGrad', -1],
    ]);
    expect(pass[0]?.name).toBe('aten::ones_like');
  });

  it('has no sequence numbers without recording', () => {
    const weight = learned(tensor([1, 2]));
    expect(profile(() => noGrad(() => weight.exp())).map(({ sequence }) => sequence)).toEqual([-1]);
  });

  it('ends with its body, even if that throws', () => {
    expect(() => profile(() => ones([2]).view([3]))).toThrow('aten::view');
    expect(names(() => ones([2]).exp())).toEqual(['aten::ones', 'aten::exp']);
  });

  it('cannot be nested', () => {
    expect(() => profile(() => profile(() => {}))).toThrow('this thread is being profiled already');
    expect(names(() => ones([2]))).toEqual(['aten::ones']);
  });

  it('covers its own thread only and leaves no tensor behind', () => {
    scope(() => profile(() => ones([3]).exp()));
    expect(names(() => {})).toEqual([]);
  });
});

describe('the storage of a tensor', () => {
  it('is shared by a view and by the result of an in-place operator, but not by a copy', () => {
    const base = zeros([2, 6]);
    expect(base.storage.bytes).toBe(48);
    expect(base.view([3, 4]).storage).toEqual(base.storage);
    expect(base.select(0, 1).storage).toEqual(base.storage);
    expect(base.add_(1).storage).toEqual(base.storage);
    expect(base.clone().storage.identity).not.toBe(base.storage.identity);
  });
});

describe('a hollow tensor', () => {
  it('keeps its shape, strides and views, and reads as zeros', () => {
    const base = ones([2, 3, 4]);
    const view = base.transpose(0, 1);
    const { identity, bytes } = base.storage;
    base.hollow();
    expect(base.storage).toEqual({ identity, bytes });
    expect([view.shape, view.strides]).toEqual([
      [3, 2, 4],
      [4, 12, 1],
    ]);
    expect(view.add(2).toNumbers()).toEqual(new Array(24).fill(2));
    expect(base.toNumbers()).toEqual(new Array(24).fill(0));
  });

  it('is zeros again once it, or another one, is hollowed again', () => {
    const [one, other] = [ones([6]), ones([4])];
    one.hollow();
    other.hollow();
    one.add_(3);
    one.hollow();
    expect([one, other].map((tensor) => tensor.toNumbers().some(Boolean))).toEqual([false, false]);
  });

  it('may be larger than those before it, and be freed before them', () => {
    const sizes = [5, 5_000, 5_000_000, 50];
    const tensors = sizes.map((size) => ones([size]));
    for (const tensor of tensors) tensor.hollow();
    expect(tensors.map((tensor) => tensor.sum().item())).toEqual([0, 0, 0, 0]);
    tensors[2]?.free();
    expect(tensors[1]?.sum().item()).toBe(0);
    expect(ones([0]).storage.bytes).toBe(0);
    ones([0]).hollow();
  });

  it('takes no memory, however many there are', () => {
    const before = process.memoryUsage.rss();
    const tensors = Array.from({ length: 64 }, () => {
      const tensor = ones([4 << 20]);
      tensor.hollow();
      return tensor;
    });
    // A GiB in all.
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 << 20);
    for (const tensor of tensors) tensor.free();
  });
});
