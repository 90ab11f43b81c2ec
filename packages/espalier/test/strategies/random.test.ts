import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { Random } from '../../src/random/random.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { random } from '../../src/strategies/random.js';
import { branching } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';

describeStrategy(random, Space.configure(zophCnn, { layers: 4 }));
describeStrategy(random, Space.configure(branching), { objectives: [perplexity] });
describeStrategy(random, Space.configure(branching), { options: { unique: false } });

describe('random search', () => {
  const space = Space.configure(branching);
  /** The architectures that are proposed until the search is finished, or has proposed `most`. */
  const keys = (raw: object, most: number) => {
    const strategy = random.create({ space, seed: 1, options: resolve(raw), objectives: [accuracy] });
    const proposed: string[] = [];
    for (let asked = strategy.ask(); typeof asked !== 'string'; asked = strategy.ask()) {
      proposed.push(space.key(asked.answers));
      if (proposed.length === most) break;
    }
    return proposed;
  };

  it('proposes each of the 14 architectures of a small space once and is finished then', () => {
    const proposed = keys({}, 100);
    expect(proposed).toHaveLength(14);
    expect(new Set(proposed).size).toBe(14);
  });

  it('is finished when 100 draws in a row bring nothing new', () => {
    // The second architecture comes with draw 51, the third would come with draw 152.
    let draws = 0;
    const sampled = { key: String, sample: () => (++draws < 51 ? [0] : draws < 152 ? [1] : [2]) };
    const strategy = random.create({
      space: sampled as unknown as Space,
      seed: 1,
      options: resolve({}),
      objectives: [accuracy],
    });
    expect([strategy.ask(), strategy.ask(), strategy.ask()]).toEqual([
      { answers: [0] },
      { answers: [1] },
      'finished',
    ]);
    expect(draws).toBe(151);
  });

  it('repeats itself if allowed, and is never finished', () => {
    expect(new Set(keys({ unique: false }, 14)).size).toBeLessThan(14);
    expect(keys({ unique: false }, 500)).toHaveLength(500);
  });

  it('keeps in mind what others have tried only where it is not to come again', () => {
    const proposed = (raw: object) => {
      const space = Space.configure(branching);
      const strategy = random.create({ space, seed: 1, options: resolve(raw), objectives: [accuracy] });
      const answers = space.sample(Random.of(1, 'elsewhere'));
      strategy.inform?.({ answers, outcome: { status: 'failed', reason: 'it was told elsewhere' } });
      const { json } = strategy.snapshot!();
      return (json as { proposed: string[] }).proposed.length;
    };
    expect([proposed({}), proposed({ unique: false })]).toEqual([1, 0]);
  });

  it('names its options', () => {
    expect(() => resolve({ uniq: true })).toThrow(
      "strategy random has no option 'uniq'; did you mean 'unique'? its options: unique",
    );
    expect(() => resolve({ unique: 1 })).toThrow("strategy random: option 'unique' is 1: ");
  });
});

function resolve(raw: object): { unique: boolean } {
  return resolveOptions('strategy random', random.options, raw) as { unique: boolean };
}
