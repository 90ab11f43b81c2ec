import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { AutoDeepLab, UntiedAutoDeepLab } from '../../src/networks/auto-deeplab/architecture.js';
import type { DartsEdges, DartsGenotype } from '../../src/networks/darts/genotype.js';
import type { NasBench201Architecture } from '../../src/networks/nasbench201-cell.js';
import type { NasnetArchitecture } from '../../src/networks/nasnet/architecture.js';
import type { DartsRecurrentGenotype } from '../../src/networks/recurrent/darts-genotype.js';
import type { ZophRnn } from '../../src/networks/recurrent/zoph-tree.js';
import type { ZophCnn } from '../../src/networks/zoph-cnn/architecture.js';
import { choose } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { spaces } from '../../src/spaces/space-names.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { zophRnn } from '../../src/spaces/zoph-rnn.js';

describe('a definition', () => {
  it('has its types inferred, and its space decodes and encodes its own architectures', () => {
    const definition = defineSpace({
      name: 'typed',
      options: z.strictObject({ widths: z.array(z.number()).default([1, 2]) }),
      *choices({ widths }) {
        expectTypeOf(widths).toEqualTypeOf<number[]>();
        return { width: yield* choose('width', widths), kind: yield* choose('kind', ['a', 'b']) };
      },
      network: (architecture) => {
        expectTypeOf(architecture.width).toEqualTypeOf<number>();
        return architecture.width * 2;
      },
    });
    interface Architecture {
      width: number;
      kind: 'a' | 'b';
    }
    const space = Space.configure(definition);
    const architecture = space.decode([1, 0]);
    expectTypeOf(architecture).toEqualTypeOf<Architecture>();
    expect(architecture).toEqual({ width: 2, kind: 'a' });
    expectTypeOf(space.encode).parameter(0).toEqualTypeOf<Architecture>();
    expect(space.encode({ width: 1, kind: 'b' })).toEqual([0, 1]);
    // @ts-expect-error the space has no kind 'c'
    expect(() => space.encode({ width: 1, kind: 'c' })).toThrow(`'kind' is "c"; allowed: "a", "b"`);
    expectTypeOf(space.validate).parameter(0).toEqualTypeOf<unknown>();
    expectTypeOf(space.validate).returns.toEqualTypeOf<Architecture>();
    expectTypeOf(space.begin([0, 0]).architecture).toEqualTypeOf<Architecture>();
  });

  it('with a genotype has the type of its genotype', () => {
    const definition = defineSpace({
      name: 'genotypes',
      *choices() {
        return { kind: yield* choose('kind', ['a', 'b']) };
      },
      genotype: {
        write: ({ kind }): string => kind,
        read: (published) => ({ kind: published as 'a' | 'b' }),
      },
    });
    const space = Space.configure(definition);
    expectTypeOf(space.decode).returns.toEqualTypeOf<string>();
    expectTypeOf(space.encode).parameter(0).toEqualTypeOf<string>();
    expect(space.decode([1])).toBe('b');
  });

  it('keeps its type at another depth', () => {
    expectTypeOf(Space.configure(zophCnn).withDepth(3)).toEqualTypeOf(Space.configure(zophCnn));
    expect(Space.configure(zophCnn).withDepth(3).options).toMatchObject({ layers: 3 });
  });
});

describe('a built-in space', () => {
  it('decodes to the architectures of its networks', () => {
    expectTypeOf(Space.configure(zophCnn).decode).returns.toEqualTypeOf<ZophCnn>();
    expectTypeOf(Space.configure(zophRnn).decode).returns.toEqualTypeOf<ZophRnn>();
    expectTypeOf(Space.configure(nasnet).decode).returns.toEqualTypeOf<NasnetArchitecture>();
    expectTypeOf(Space.configure(dartsCnn).decode).returns.toEqualTypeOf<DartsGenotype<DartsEdges>>();
    expectTypeOf(Space.configure(dartsRnn).decode).returns.toEqualTypeOf<DartsRecurrentGenotype>();
    expectTypeOf(Space.configure(nasBench201).decode).returns.toEqualTypeOf<NasBench201Architecture>();
    expectTypeOf(Space.configure(autoDeepLab).decode).returns.toEqualTypeOf<
      AutoDeepLab | UntiedAutoDeepLab
    >();
    expect(spaces.size).toBe(7);
  });

  it('found by its name decodes to something unknown', () => {
    const space = Space.configure(spaces.get('nasbench201')!);
    expectTypeOf(space.decode).returns.toEqualTypeOf<unknown>();
    expect(space.decode([0, 0, 0, 0, 0, 0])).toEqual({
      cell: '|none~0|+|none~0|none~1|+|none~0|none~1|none~2|',
    });
  });
});
