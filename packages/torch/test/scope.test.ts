import { describe, expect, it } from 'vitest';
import { invoke, Operator } from '../src/dispatcher.js';
import { backward, liveTensors, nn, ones, optim, scope, Tensor, tensor, zeros } from '../src/index.js';
import { native } from '../src/native.js';

/** The number of tensors that `body` leaves behind. */
function leftBy(body: () => unknown): number {
  const before = liveTensors();
  body();
  return liveTensors() - before;
}

describe('a scope', () => {
  it('frees the tensors made in it', () => {
    let inner: Tensor | undefined;
    expect(
      leftBy(() => {
        const sum = scope(() => {
          inner = ones([2]).add(1);
          return inner.sum().item();
        });
        expect(sum).toBe(4);
      }),
    ).toBe(0);
    expect(inner?.isLive).toBe(false);
  });

  it('returns tensors alone, in arrays, plain objects, maps and sets, nested', () => {
    let made: Tensor[] = [];
    const left = leftBy(() => {
      const result = scope(() => ({
        one: zeros([1]),
        list: [ones([1]), [tensor([2])]] as const,
        map: new Map([['three', { deep: tensor([3]) }]]),
        set: new Set([tensor([4])]),
        number: 5,
        none: null,
        lost: zeros([9]).sum().item(),
      }));
      made = [
        result.one,
        result.list[0],
        result.list[1][0],
        result.map.get('three')!.deep,
        ...result.set,
      ] as Tensor[];
    });
    expect(left).toBe(5);
    expect(made.map((each) => each.item())).toEqual([0, 1, 2, 3, 4]);
    for (const each of made) each.free();
  });

  it('passes what it returns to the scope around it', () => {
    let handed: Tensor | undefined;
    const left = leftBy(() =>
      scope(() => {
        handed = scope(() => scope(() => ones([2])).add(1));
        expect(handed.toNumbers()).toEqual([2, 2]);
      }),
    );
    expect(left).toBe(0);
    expect(handed?.isLive).toBe(false);
  });

  it('leaves a tensor to the scope that made it, whichever inner scope returns it', () => {
    scope(() => {
      const outer = ones([2]);
      scope(() => {
        scope(() => outer);
        scope(() => [outer, outer]);
      });
      expect(outer.toNumbers()).toEqual([1, 1]);
    });
    const free = ones([1]);
    scope(() => scope(() => free));
    expect(free.isLive).toBe(true);
    free.free();
  });

  it('does not free what keep() took out of it, nor what was freed before', () => {
    let kept: Tensor | undefined;
    const left = leftBy(() =>
      scope(() => {
        kept = ones([3]).keep();
        const early = zeros([2]);
        early.free();
        return early; // already freed: nothing to hand out
      }),
    );
    expect(left).toBe(1);
    expect(kept?.toNumbers()).toEqual([1, 1, 1]);
    kept?.free();
  });

  it('frees everything when its body throws, in every scope that ends', () => {
    const left = leftBy(() => {
      expect(() =>
        scope(() => {
          zeros([1]);
          scope(() => {
            ones([1]);
            throw new Error('stop');
          });
        }),
      ).toThrow('stop');
    });
    expect(left).toBe(0);
    expect(native.liveTensors()).toBe(liveTensors());
  });

  it('closes even if its result cannot be searched for tensors', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(
      leftBy(() =>
        expect(() =>
          scope(() => {
            ones([1]);
            return circle;
          }),
        ).toThrow(RangeError),
      ),
    ).toBe(0);
    expect(() => native.leaveScope([])).toThrow('no scope is open');
  });

  it('refuses an asynchronous body, whose later failure is not unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    let failed: unknown;
    const left = leftBy(() =>
      expect(() =>
        scope(async () => {
          const inside = ones([2]);
          await Promise.resolve();
          try {
            inside.add(1);
          } catch (error) {
            failed = error;
            throw error;
          }
        }),
      ).toThrow(
        new TypeError('the body of a scope must not be asynchronous: its tensors are freed when it returns'),
      ),
    );
    expect(left).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('unhandledRejection', note);
    expect((failed as Error).message).toContain('the tensor was freed');
    expect(unhandled).toEqual([]);
  });

  it('does not free what modules and optimisers own', () => {
    let layer: nn.Linear | undefined;
    let sgd: optim.SGD | undefined;
    const left = leftBy(() => {
      layer = scope(() => new nn.Linear(2, 1));
      sgd = new optim.SGD(layer.parameters(), { learningRate: 0.1, momentum: 0.9 });
      for (let step = 0; step < 3; step++)
        scope(() => {
          backward(layer!.forward(ones([4, 2])).sum());
          sgd!.step();
          sgd!.zeroGrad();
        });
    });
    expect(left).toBe(2 + 2); // parameters and their velocities
    sgd?.free();
    layer?.free();
    expect(() => layer!.forward(ones([1, 2]))).toThrow('the tensor was freed');
  });
});

const freedMessage =
  'the tensor was freed (its scope ended, or free() was called), or belongs to another thread';

describe('misuse is an error', () => {
  it.each<[string, (freed: Tensor) => unknown]>([
    ['an operator', (freed) => freed.add(1)],
    ['an operator as its argument', (freed) => ones([1]).add(freed)],
    ['an operator in a list', (freed) => invoke(new Operator('aten::cat', ''), [freed.handle])],
    ['its shape', (freed) => freed.shape],
    ['its dtype', (freed) => freed.dtype],
    ['its elements', (freed) => freed.toTypedArray()],
    ['its gradient', (freed) => freed.grad],
    [
      'a gradient for it',
      (freed) => {
        freed.grad = undefined;
      },
    ],
    ['whether it requires one', (freed) => freed.requiresGrad],
    ['backward', (freed) => backward(freed)],
    ['freeing it again', (freed) => freed.free()],
    ['keeping it', (freed) => freed.keep()],
  ])('%s, of a freed tensor', (_, use) => {
    const freed = ones([1]);
    freed.free();
    expect(() => use(freed)).toThrow(freedMessage);
    const left = scope(() => ones([1]));
    left.free();
    expect(() => use(left)).toThrow(freedMessage);
  });

  it('a number that names no tensor', () => {
    const live = ones([1]);
    for (const handle of [
      0,
      -1,
      1,
      NaN,
      Infinity,
      -Infinity,
      2 ** 53,
      2 ** 60,
      live.handle + 0.5,
      live.handle + 1e6,
      live.handle * 2,
    ])
      expect(() => new Tensor(handle).shape, String(handle)).toThrow(freedMessage);
    expect(() => new Tensor('x' as unknown as number).shape).toThrow('expected a number');
    expect(new Tensor(live.handle).isLive).toBe(true);
    expect(new Tensor(0).isLive).toBe(false);
    live.free();
  });

  it('an old handle of a slot, however often the slot was used again', () => {
    const old = ones([1]);
    old.free();
    const names = new Set([old.handle]);
    // More uses than a slot has generations.
    for (let use = 0; use < 600_000; use++) {
      const handle = native.fromBytes(new Uint8Array(4), 6, [1]);
      if (use % 1000 === 0) {
        expect(names.has(handle)).toBe(false);
        names.add(handle);
      }
      native.free(handle);
    }
    const next = ones([1]);
    expect(names.has(next.handle)).toBe(false);
    expect(old.isLive).toBe(false);
    expect(() => old.item()).toThrow(freedMessage);
    next.free();
  });
});
