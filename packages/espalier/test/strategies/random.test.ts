import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { random } from '../../src/strategies/random.js';
import { branching } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';

describeStrategy(random, Space.configure(zophCnn, { layers: 4 }));
describeStrategy(random, Space.configure(branching));
describeStrategy(random, Space.configure(branching), { options: { unique: false } });

describe('random search', () => {
  const space = Space.configure(branching);
  const keys = (raw: object, n: number) => {
    const strategy = random.create({ space, seed: 1, options: resolve(raw) });
    return Array.from({ length: n }, () => space.key(strategy.ask()!.answers));
  };

  it('proposes all 14 architectures of a small space once before it repeats one', () => {
    const proposed = keys({}, 20);
    expect(new Set(proposed.slice(0, 14)).size).toBe(14);
    expect(new Set(proposed).size).toBe(14);
  });

  it('repeats itself where it may', () => {
    expect(new Set(keys({ unique: false }, 14)).size).toBeLessThan(14);
  });

  it('says which options it has', () => {
    expect(() => resolve({ uniq: true })).toThrow(
      "strategy random has no option 'uniq'; its options: unique",
    );
    expect(() => resolve({ unique: 1 })).toThrow("strategy random: option 'unique' is 1: ");
  });
});

function resolve(raw: object): { unique: boolean } {
  return resolveOptions('strategy random', random.options, raw) as { unique: boolean };
}
