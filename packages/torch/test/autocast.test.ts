import { describe, expect, it } from 'vitest';
import {
  autocast,
  backward,
  conv2d,
  fused,
  manualSeed,
  ones,
  randn,
  scope,
  setThreads,
  type Tensor,
} from '../src/index.js';

setThreads(1);

const bits = (tensor: Tensor) => [...tensor.toTypedArray()];

describe('autocast', () => {
  it('computes matrix products and convolutions as explicit casts to bfloat16 would', () => {
    scope(() => {
      manualSeed(1);
      const [a, b] = [randn([5, 7]), randn([7, 3])];
      const [image, weight] = [randn([2, 3, 8, 8]), randn([4, 3, 3, 3])];
      const half = (tensor: Tensor) => tensor.to({ dtype: 'bfloat16' });
      const [product, convolved] = autocast('bfloat16', () => [a.matmul(b), conv2d(image, weight)]) as [
        Tensor,
        Tensor,
      ];
      expect(product.dtype).toBe('bfloat16');
      expect(bits(product)).toEqual(bits(half(a).matmul(half(b))));
      expect(convolved.dtype).toBe('bfloat16');
      expect(bits(convolved)).toEqual(bits(conv2d(half(image), half(weight))));
      expect(bits(product)).not.toEqual(bits(a.matmul(b)));
    });
  });

  it('gives gradients in float32', () => {
    scope(() => {
      manualSeed(2);
      const [a, b, slope] = [randn([5, 7]), randn([7, 3]), randn([5, 3])];
      b.requiresGrad = true;
      const product = autocast('bfloat16', () => a.matmul(b));
      backward(product.to({ dtype: 'float32' }), { gradients: [slope] });
      const half = (tensor: Tensor) => tensor.to({ dtype: 'bfloat16' });
      expect(b.grad!.dtype).toBe('float32');
      expect(bits(b.grad!)).toEqual(bits(half(a).t().matmul(half(slope)).to({ dtype: 'float32' })));
    });
  });

  it('sees weights that changed since the previous autocast', () => {
    scope(() => {
      manualSeed(3);
      const [a, b] = [randn([2, 4]), randn([4, 2])];
      b.requiresGrad = true;
      const run = () => autocast('bfloat16', () => a.matmul(b));
      const before = bits(run());
      const other = randn([4, 2]);
      b.detach().copy_(other);
      expect(bits(run())).not.toEqual(before);
      expect(bits(run())).toEqual(bits(autocast('bfloat16', () => a.matmul(other))));
    });
  });

  it('ends with its body, whatever happens in it', () => {
    scope(() => {
      const a = randn([3, 3]);
      const dtype = () => a.matmul(a).dtype;
      const seen = autocast('bfloat16', () => [
        dtype(),
        autocast('float32', dtype),
        dtype(),
        autocast('bfloat16', dtype),
        dtype(),
      ]);
      expect(seen).toEqual(['bfloat16', 'float32', 'bfloat16', 'bfloat16', 'bfloat16']);
      expect(() =>
        autocast('bfloat16', () => {
          throw new Error('within');
        }),
      ).toThrow('within');
      expect(dtype()).toBe('float32');
      expect(() => autocast('float16' as 'bfloat16', dtype)).toThrow(
        "autocast takes bfloat16 or float32, not 'float16'",
      );
    });
  });

  it('switches the float32 kernels off', () => {
    scope(() => {
      const a = randn([3, 3]);
      autocast('bfloat16', () => {
        expect(fused.runsKernels(a)).toBe(true);
        expect(fused.runsKernels(a.matmul(a))).toBe(false);
      });
    });
  });

  it('is of one device, and leaves the others alone', () => {
    const [left, right] = [ones([2, 2]), ones([2, 2])];
    autocast('bfloat16', () => expect(left.matmul(right).dtype).toBe('float32'), 'cuda');
    autocast('bfloat16', () => expect(left.matmul(right).dtype).toBe('bfloat16'), 'cpu');
    expect(() => autocast('bfloat16', () => {}, 'meta')).toThrow(
      "there is no autocast on the device 'meta'; allowed: cpu, cuda",
    );
  });
});
