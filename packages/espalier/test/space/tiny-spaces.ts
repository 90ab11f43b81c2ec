import { z } from 'zod';
import { type Anchor, block, choose, subset } from '../../src/space/language.js';
import { defineSpace } from '../../src/space/space.js';

/** One or more layers, how many is chosen: 2 + 4 + 8 sheets up to depth 3. */
export const branching = defineSpace({
  name: 'branching',
  options: z.object({ deepest: z.int().min(1).default(3).describe('the largest depth') }),
  depthOption: 'deepest',
  *choices({ deepest }) {
    const depth = yield* choose(
      'depth',
      Array.from({ length: deepest }, (_, i) => i + 1),
    );
    const layers: { op: string }[] = [];
    for (let i = 0; i < depth; i++) layers.push({ op: yield* choose(`layers.${i}.op`, ['conv', 'pool']) });
    return { depth, layers };
  },
});

/** Nodes that take exactly two of the earlier ones, an operation for each: C(2,2) * 4 * C(3,2) * 4 = 48 for two. */
export const cell = defineSpace({
  name: 'cell',
  options: z.object({ nodes: z.int().min(1).default(2) }),
  *choices({ nodes }) {
    const anchors: Anchor[] = [yield* subset('sources.0', []), yield* subset('sources.1', [])];
    const inner = [];
    for (let i = 0; i < nodes; i++) {
      const { anchor, ops } = yield* block(`nodes.${i}`, function* () {
        const anchor = yield* subset('inputs', anchors, 2);
        const ops = [
          yield* choose('ops.0', ['skip', 'conv'] as const),
          yield* choose('ops.1', ['skip', 'conv'] as const),
        ];
        return { anchor, ops };
      });
      anchors.push(anchor);
      inner.push({ inputs: anchor.chosen, ops });
    }
    return { sources: [[], []], nodes: inner };
  },
});

/**
 * Blocks in blocks, and choices before and within them. A part is plain, or it has two wings of 2 and of 1 + 3
 * kinds: 1 + 2 * 4 = 9 parts. One part or two: 9 + 81 = 90 sheets.
 */
export const nested = defineSpace({
  name: 'nested',
  options: z.object({ most: z.int().min(1).default(2) }),
  *choices({ most }) {
    const count = yield* choose(
      'count',
      Array.from({ length: most }, (_, i) => i + 1),
    );
    const parts = [];
    for (let i = 0; i < count; i++) {
      const part = yield* block(`parts.${i}`, function* () {
        const kind = yield* choose('kind', ['plain', 'winged']);
        if (kind === 'plain') return { kind };
        const left = yield* block('left', function* () {
          return { length: yield* choose('length', [1, 2]) };
        });
        const right = yield* block('right', function* () {
          const length = yield* choose('length', [1, 2]);
          return length === 1
            ? { length }
            : { length, tip: yield* choose('tip', ['round', 'flat', 'split']) };
        });
        return { kind, left, right };
      });
      parts.push(part);
    }
    return { count, parts };
  },
});

/** Nothing to decide: one sheet. */
export const forced = defineSpace({
  name: 'forced',
  *choices() {
    return { only: yield* choose('only', ['way']), none: (yield* subset('none', [])).chosen };
  },
});

/** Its block is a lie: the width is asked from a list that depends on the kind within the block. */
export const lyingBlock = defineSpace({
  name: 'lying-block',
  *choices() {
    const kind = yield* block('head', () => choose('kind', ['slim', 'fat']));
    const width = yield* choose('width', kind === 'slim' ? [1, 2] : [1, 2, 3]);
    return { head: { kind }, width };
  },
});

/** Its subset is a lie: whether there is a second question depends on what was taken. */
export const lyingSubset = defineSpace({
  name: 'lying-subset',
  *choices() {
    const first = yield* subset('first', []);
    const second = yield* subset('second', [first]);
    const more = second.chosen.length > 0 ? { more: yield* choose('more', [1, 2]) } : {};
    return { first: first.chosen, second: second.chosen, ...more };
  },
});
