import { choose, subset } from '../../src/space/language.js';
import { defineSpace } from '../../src/space/space.js';

/**
 * Contains every kind of question: a choice that determines the following questions, subsets of any size and of fixed
 * size, and a choice with one option. (2 + 2) kinds and stages * 2 * 3 * 4 = 96 decision sequences.
 */
export const mixed = defineSpace({
  name: 'mixed',
  *choices() {
    const kind = yield* choose('kind', ['plain', 'staged', 'bare']);
    const first = yield* subset('links.0', []);
    const second = yield* subset('links.1', [first]);
    const stage = kind === 'staged' ? { stage: yield* choose('stage', [1, 2]) } : {};
    const only = yield* choose('only', ['way']);
    const third = yield* subset('pair', [first, second, yield* subset('links.2', [])], 2);
    const fourth = yield* subset('links.3', [second, third]);
    const links = [first, second, { chosen: [] }, fourth].map(({ chosen }) => chosen);
    return { kind, ...stage, only, links, pair: third.chosen };
  },
});
