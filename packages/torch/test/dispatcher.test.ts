import { describe, expect, it } from 'vitest';
import { invoke, invokeInPlace, Operator } from '../src/dispatcher.js';
import {
  cat,
  conv2d,
  type Dtype,
  einsum,
  full,
  libtorchConfiguration,
  libtorchVersion,
  lstmCell,
  type MemoryFormat,
  observeOperators,
  ones,
  scope,
  Tensor,
  tensor,
  zeros,
} from '../src/index.js';

const float64 = { dtype: 'float64' } as const;

const called = (operator: Operator, ...args: unknown[]) => new Tensor(invoke(operator, ...args) as number);

describe('a boxed call', () => {
  it('reaches by name an operator that has no function here', () => {
    const heaviside = new Operator('aten::heaviside', '');
    const result = called(heaviside, tensor([-1, 0, 2]).handle, tensor([0.5]).handle);
    expect(result.toNumbers()).toEqual([0, 0.5, 1]);
  });

  it("takes the schema's defaults for undefined and for missing arguments", () => {
    const add = new Operator('aten::add', 'Tensor');
    const [a, b] = [tensor([1, 2]), tensor([10, 20])];
    expect(called(add, a.handle, b.handle).toNumbers()).toEqual([11, 22]);
    expect(called(add, a.handle, b.handle, undefined).toNumbers()).toEqual([11, 22]);
    expect(called(add, a.handle, b.handle, 3).toNumbers()).toEqual([31, 62]);
  });

  it('distinguishes overloads', () => {
    const a = tensor([4, 9], 'float64');
    expect(called(new Operator('aten::mul', 'Scalar'), a.handle, 2).toNumbers()).toEqual([8, 18]);
    expect(called(new Operator('aten::mul', 'Tensor'), a.handle, a.handle).toNumbers()).toEqual([16, 81]);
  });

  it('takes null for an optional tensor, also in lists', () => {
    const index = new Operator('aten::index', 'Tensor');
    const matrix = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const columns = tensor([2, 0], 'int64');
    expect(called(index, matrix.handle, [null, columns.handle]).toNumbers()).toEqual([3, 1, 6, 4]);
  });

  it('returns several results, lists, numbers, booleans and nothing', () => {
    const matrix = tensor([
      [3, 1],
      [2, 5],
    ]);
    const several = invoke(new Operator('aten::sort', ''), matrix.handle, 1, false) as number[];
    expect(several.map((handle) => new Tensor(handle).toNumbers())).toEqual([
      [1, 3, 2, 5],
      [1, 0, 0, 1],
    ]);
    const list = invoke(new Operator('aten::split', 'Tensor'), matrix.handle, 1) as number[];
    expect(list.map((handle) => new Tensor(handle).toNumbers())).toEqual([
      [3, 1],
      [2, 5],
    ]);
    expect(invoke(new Operator('aten::size', 'int'), matrix.handle, 1)).toBe(2);
    expect(invoke(new Operator('aten::equal', ''), matrix.handle, matrix.handle)).toBe(true);
    expect(invoke(new Operator('aten::q_scale', ''), quantised(matrix).handle)).toBe(0.5);
    expect(invokeInPlace(new Operator('aten::_foreach_zero_', ''), [matrix.handle])).toBeUndefined();
    expect(matrix.toNumbers()).toEqual([0, 0, 0, 0]);
  });

  const quantised = (of: Tensor) =>
    called(new Operator('aten::quantize_per_tensor', ''), of.handle, 0.5, 0, 13 /* quint8 */);

  it('repeats a number where the schema fixes the length of a list', () => {
    const image = ones([1, 1, 4, 4]);
    expect(conv2d(image, ones([1, 1, 2, 2]), undefined, 2).shape).toEqual([1, 1, 2, 2]);
    expect(conv2d(image, ones([1, 1, 2, 2]), undefined, [2, 1]).shape).toEqual([1, 1, 2, 3]);
  });

  it('passes whole numbers as integers, and fractions as floating-point numbers', () => {
    const whole = tensor([1, 2], 'int64');
    expect(whole.mul(3).dtype).toBe('int64');
    expect(whole.mul(0.5).dtype).toBe('float32');
    expect(full([1], 7).dtype).toBe('int64');
    expect(full([1], 7.5).dtype).toBe('float32');
    expect(full([1], 2 ** 60, float64).item()).toBe(2 ** 60);
    expect(Object.is(full([1], -0, float64).item(), -0)).toBe(true);
    expect(full([1], NaN, float64).item()).toBeNaN();
    expect(full([1], -Infinity, float64).item()).toBe(-Infinity);
  });

  it('takes 64-bit integers as bigint', () => {
    const big = called(new Operator('aten::full', ''), [1], 9007199254740993n, 4 /* int64 */);
    expect(big.toTypedArray()).toEqual(BigInt64Array.of(9007199254740993n));
  });

  it('makes no handle for the result of an operator in place', () => {
    const a = tensor([1, 2]);
    expect(a.add_(1)).toBe(a);
    expect(a.toNumbers()).toEqual([2, 3]);
  });
});

describe('an error of libtorch', () => {
  it('names the operator, the argument names, dtypes and shapes', () => {
    expect(() => ones([2, 3]).mm(ones([2, 3], float64))).toThrow(
      /^aten::mm: .*\(called with self=Float\[2, 3\], mat2=Double\[2, 3\]\)$/s,
    );
    expect(() => conv2d(ones([1, 3, 5, 5]), ones([2, 4, 3, 3]), undefined, 2)).toThrow(
      /^aten::conv2d: .*input=Float\[1, 3, 5, 5\], weight=Float\[2, 4, 3, 3\], bias=None, stride=\[2, 2\], padding=\[0, 0\], dilation=\[1, 1\], groups=1\)$/s,
    );
  });

  it('shows tensors in lists', () => {
    expect(() => cat([ones([2, 2]), ones([3, 3])])).toThrow('tensors=[Float[2, 2], Float[3, 3]], dim=0)');
    expect(() => einsum('ij,jk->ik', [ones([2, 3]), ones([2, 3])])).toThrow(
      'equation=ij,jk->ik, tensors=[Float[2, 3], Float[2, 3]]',
    );
    expect(() => lstmCell(ones([1, 2]), [ones([1, 3])], ones([12, 2]), ones([12, 3]))).toThrow(
      'aten::lstm_cell: lstm_cell expects two hidden states',
    );
  });

  it('has the code ERR_TORCH and no C++ stack', () => {
    let error: (Error & { code?: string }) | undefined;
    try {
      ones([2]).to({ device: 'nowhere' });
    } catch (caught) {
      error = caught as Error;
    }
    expect(error).toBeInstanceOf(Error);
    expect(error?.code).toBe('ERR_TORCH');
    expect(error?.message).toMatch(/^aten::_to_copy: argument 'device' \(Device\?\): /);
    expect(error?.message).not.toMatch(/frame #|Exception raised from/);
  });

  it.each([
    ['an index out of range', () => tensor([[1, 2]]).crossEntropyLoss(tensor([5], 'int64'))],
    ['a negative size', () => zeros([-2])],
    ['more memory than there is', () => zeros([1e14])],
    ['a view that does not fit', () => zeros([6]).view([4])],
    ['a dimension that is not there', () => zeros([2, 2]).sum(5)],
    ['a device that this build has not', () => zeros([2]).to({ device: 'xla:0' })],
    ['a conversion of many elements to one', () => zeros([2]).item()],
  ])('is thrown, and libtorch goes on: %s', (_, misuse) => {
    expect(misuse).toThrow(expect.objectContaining({ code: 'ERR_TORCH' }));
    expect(
      ones([2, 2])
        .mm(ones([2, 2]))
        .toNumbers(),
    ).toEqual([2, 2, 2, 2]);
  });
});

describe('a wrong argument', () => {
  const add = new Operator('aten::add', 'Tensor');
  const sum = new Operator('aten::sum', 'dim_IntList');

  it('is named with its type', () => {
    const a = tensor([1]).handle;
    expect(() => invoke(add, a)).toThrow("aten::add.Tensor: argument 'other' (Tensor): it is missing");
    expect(() => invoke(add, a, 'b')).toThrow(
      "aten::add.Tensor: argument 'other' (Tensor): expected a number",
    );
    expect(() => invoke(add, a, a, {})).toThrow(
      "aten::add.Tensor: argument 'alpha' (Scalar): expected a number",
    );
    expect(() => invoke(add, a, a, 1, 2)).toThrow('aten::add.Tensor takes at most 3 arguments');
    expect(() => invoke(sum, a, 0.5)).toThrow(
      /^aten::sum.dim_IntList: argument 'dim'.*expected an integer, not 0.5/,
    );
    expect(() => invoke(sum, a, ['x'])).toThrow(/^aten::sum.dim_IntList: argument 'dim'.*expected a number/);
    expect(() => invoke(sum, a, [0], 1)).toThrow("argument 'keepdim' (bool): expected true or false");
    expect(() => invoke(new Operator('aten::cat', ''), a)).toThrow(
      "argument 'tensors' (Tensor[]): expected an array",
    );
    expect(() => invoke(new Operator('aten::einsum', ''), 1, [a])).toThrow(
      "argument 'equation' (str): expected a string",
    );
  });

  it('is an error for a generator: the process has only one', () => {
    expect(() => invoke(new Operator('aten::rand', 'generator'), [2], {})).toThrow(
      /argument 'generator' \(Generator\?\): .*cannot be given from JavaScript/,
    );
  });

  it('lists the allowed values where the set is ours', () => {
    expect(() => zeros([1], { dtype: 'float' as Dtype })).toThrow("dtype 'float' is not one of uint8, int8");
    expect(() => zeros([1]).to({ memoryFormat: 'nhwc' as MemoryFormat })).toThrow(
      "memory format 'nhwc' is not one of contiguous, preserve, channels_last",
    );
  });
});

describe('an operator that libtorch does not have', () => {
  it('is an error that names it, with its overload', () => {
    expect(() => new Operator('aten::fly', '').id).toThrow('this libtorch has no operator aten::fly');
    expect(() => new Operator('aten::add', 'Banana').id).toThrow(
      'this libtorch has no operator aten::add.Banana',
    );
  });
});

describe('an observer', () => {
  it('sees each call inside its body and none outside', () => {
    const seen: string[] = [];
    const result = scope(() =>
      observeOperators(
        ({ name, overload }, args, value) =>
          seen.push(`${name}.${overload} -> ${new Tensor(Number(value ?? args[0])).shape}`),
        () => ones([2, 3]).add(1).mul_(2).sum([0]).toNumbers(),
      ),
    );
    ones([1]);
    expect(result).toEqual([8, 8, 8]);
    expect(seen).toEqual([
      'aten::ones. -> 2,3',
      'aten::add.Scalar -> 2,3',
      'aten::mul_.Scalar -> 2,3',
      'aten::sum.dim_IntList -> 3',
    ]);
  });

  it('ends when its body throws', () => {
    const seen: string[] = [];
    expect(() =>
      observeOperators(
        ({ name }) => seen.push(name),
        () =>
          ones([2])
            .t()
            .mm(ones([2])),
      ),
    ).toThrow();
    ones([1]).exp();
    expect(seen).toEqual(['aten::ones', 'aten::t', 'aten::ones']);
  });
});

describe('libtorch', () => {
  it('reports its version and how it was built', () => {
    expect(libtorchVersion()).toMatch(/^[12]\.\d+\.\d+/);
    expect(libtorchConfiguration()).toContain('PyTorch built with:');
  });
});
