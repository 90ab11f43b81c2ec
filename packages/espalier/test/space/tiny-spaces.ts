import { z } from 'zod';
import { type Anchor, block, choose, type Program, subset } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';

/** The space `test` of one program, without options. */
export function spaceOf<A>(choices: () => Program<A>): Space<A> {
  return Space.configure(defineSpace({ name: 'test', choices }));
}

/** One or more layers, as many as the first choice says: 2 + 4 + 8 sequences up to depth 3. */
export const branching = defineSpace({
  name: 'branching',
  options: z.strictObject({ deepest: z.int().min(1).max(100).default(3).describe('the largest depth') }),
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

/** Nodes that take exactly two earlier ones, with an operation on each: C(2,2) * 4 * C(3,2) * 4 = 48 for two nodes. */
export const cell = defineSpace({
  name: 'cell',
  options: z.strictObject({ nodes: z.int().min(1).max(100).default(2).describe('the number of nodes') }),
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
 * Nested blocks, with choices before and within them. A part is plain, or it has two wings with 2 and with 1 + 3
 * forms: 1 + 2 * 4 = 9 parts. One part or two: 9 + 81 = 90 sequences.
 */
export const nested = defineSpace({
  name: 'nested',
  options: z.strictObject({
    most: z.int().min(1).max(100).default(2).describe('the largest number of parts'),
  }),
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

/** Nothing to decide: one sequence. */
export const forced = defineSpace({
  name: 'forced',
  *choices() {
    return { only: yield* choose('only', ['way']), none: (yield* subset('none', [])).chosen };
  },
});

/** Its block is a lie: the widths to choose from depend on the kind chosen within the block. */
export const lyingBlock = defineSpace({
  name: 'lying-block',
  *choices() {
    const kind = yield* block('head', () => choose('kind', ['slim', 'fat']));
    const width = yield* choose('width', kind === 'slim' ? [1, 2] : [1, 2, 3]);
    return { head: { kind }, width };
  },
});

/** Its subset is a lie: whether there is another question depends on what was taken. */
export const lyingSubset = defineSpace({
  name: 'lying-subset',
  *choices() {
    const first = yield* subset('first', []);
    const second = yield* subset('second', [first]);
    const more = second.chosen.length > 0 ? { more: yield* choose('more', [1, 2]) } : {};
    return { first: first.chosen, second: second.chosen, ...more };
  },
});
