import { scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { fromHost, toHost } from '../../src/controller/host-tensors.js';
import { InputError } from '../../src/input-error.js';

setThreads(1);

describe('tensors outside libtorch', () => {
  it('keep their names, types, shapes and values, and are selected by prefix', () => {
    scope(() => {
      const tensors = new Map([
        ['a', tensor([[1.5, -2]])],
        ['b', tensor([0.1, 0.2], 'float64')],
        ['c', tensor([7], 'int64')],
      ]);
      const host = new Map([...toHost(tensors, 'mine.'), ...toHost(new Map([['a', tensor([9])]]), 'yours.')]);
      expect([...host.keys()]).toEqual(['mine.a', 'mine.b', 'mine.c', 'yours.a']);
      const back = fromHost(host, 'mine.');
      expect([...back].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
        ['a', 'float32', [1, 2]],
        ['b', 'float64', [2]],
        ['c', 'int64', [1]],
      ]);
      expect([...back.values()].map((value) => value.toNumbers())).toEqual([[1.5, -2], [0.1, 0.2], [7]]);
    });
  });

  it('are copies', () => {
    scope(() => {
      const value = tensor([1, 2]);
      const host = new Map(toHost(new Map([['a', value]]), ''));
      value.add_(1);
      expect(fromHost(host, '').get('a')!.toNumbers()).toEqual([1, 2]);
    });
  });

  it('are rejected by name if the number of bytes does not match the shape', () => {
    const host = new Map([['x.a', { dtype: 'float32' as const, shape: [3], data: new Uint8Array(8) }]]);
    const read = () => scope(() => fromHost(host, 'x.'));
    expect(read).toThrow(InputError);
    expect(read).toThrow('invalid tensor x.a in the snapshot: ');
    host.set('x.a', { dtype: 'float32', shape: [2], data: new Uint8Array(7) });
    expect(read).toThrow('invalid tensor x.a in the snapshot: ');
  });

  it('are rejected if a snapshot does not support their type', () => {
    scope(() => {
      const half = tensor([1]).to({ dtype: 'float16' });
      expect(() => toHost(new Map([['h', half]]), '')).toThrow('a snapshot cannot hold float16 tensors');
    });
  });
});
