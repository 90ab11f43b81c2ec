import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { Random } from '../../src/random/random.js';
import type { Answer } from '../../src/space/language.js';
import { Space } from '../../src/space/space.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { exhaustive } from '../../src/strategies/exhaustive.js';
import { branching } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';

describeStrategy(exhaustive, Space.configure(zophCnn, { layers: 2, filters: [8], filterHeights: [1, 3] }));

describe('exhaustive search', () => {
  const space = Space.configure(branching);
  const begin = (seed: number) => exhaustive.create({ space, seed, options: {}, objectives: [accuracy] });
  const rest = ({ ask }: { ask: () => unknown }) => {
    const proposed: (readonly Answer[])[] = [];
    for (let asked = ask(); typeof asked !== 'string'; asked = ask())
      proposed.push((asked as { answers: readonly Answer[] }).answers);
    return proposed;
  };
  const all = [...space.enumerate()];

  it('proposes each of the 14 architectures of a small space once, in the order that the seed draws', () => {
    const strategy = begin(7);
    const order = Random.of(7, 'exhaustive').permutation(14);
    expect(rest({ ask: () => strategy.ask() })).toEqual(Array.from(order, (place) => all[place]));
    expect([strategy.ask(), strategy.ask()]).toEqual(['finished', 'finished']);
  });

  it('leaves out what was tried before', () => {
    const [first, second] = [begin(1), begin(1)];
    const order = rest({ ask: () => first.ask() });
    const known = order[3] as readonly Answer[];
    second.inform?.({ answers: known, outcome: { status: 'failed', reason: 'it was not the first' } });
    expect(rest({ ask: () => second.ask() })).toEqual(order.filter((answers) => answers !== known));
  });

  it('refuses a space that is too large to be listed, with its size', () => {
    const large = Space.configure(nasBench201, { nodes: 6 });
    expect(() => exhaustive.create({ space: large, seed: 1, options: {}, objectives: [accuracy] })).toThrow(
      'space nasbench201 has 30517578125 architectures; strategy exhaustive tries them all, at most 1000000',
    );
  });

  it('notes how many trials the whole space takes', () => {
    expect(exhaustive.notes?.({}, 13, space)).toEqual([
      'the space has 14 architectures, and the search tries 13 of them; all: --trials 14',
    ]);
    expect(exhaustive.notes?.({}, 14, space)).toEqual([]);
  });
});
