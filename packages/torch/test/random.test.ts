import { describe, expect, it } from 'vitest';
import { generatorState, manualSeed, nn, ones, rand, randn, setGeneratorState } from '../src/index.js';

const draws = () => [
  ...randn([3]).toNumbers(),
  ...randn([40]).toNumbers(),
  ...rand([5]).toNumbers(),
  ...new nn.Dropout(0.5).forward(ones([20])).toNumbers(),
];

describe('the generator', () => {
  it('draws the same numbers from the same seed', () => {
    manualSeed(7);
    const first = draws();
    expect(draws()).not.toEqual(first);
    manualSeed(7);
    expect(draws()).toEqual(first);
    manualSeed(8);
    expect(draws()).not.toEqual(first);
  });

  it('continues from a saved state, also in the middle of a pair of normal numbers', () => {
    manualSeed(7);
    randn([3]); // normal numbers come in pairs: one is left over
    const state = generatorState();
    const next = draws();
    manualSeed(99);
    draws();
    setGeneratorState(state);
    expect(draws()).toEqual(next);
    setGeneratorState(Uint8Array.from(Array.from(state)));
    expect(draws()).toEqual(next);
  });

  it('refuses anything but a state of its own, and then keeps its state', () => {
    manualSeed(1);
    const state = generatorState();
    expect(() => setGeneratorState(new Uint8Array(10))).toThrow(/state.* size/);
    expect(() => setGeneratorState(state.map(() => 255))).toThrow(/state/);
    expect(() => setGeneratorState('x' as unknown as Uint8Array)).toThrow('expected a Uint8Array');
    expect(() => setGeneratorState(new Float64Array(632) as unknown as Uint8Array)).toThrow(
      'expected a Uint8Array',
    );
    expect(generatorState()).toEqual(state);
  });

  it('takes integer seeds', () => {
    expect(() => manualSeed(1.5)).toThrow('expected an integer, not 1.5');
    expect(() => manualSeed('1' as unknown as number)).toThrow('expected a number');
    manualSeed(2 ** 53 - 1);
    manualSeed(-1);
  });

  it('has a generator for each device that is there, and says of another that it is not', () => {
    expect(generatorState('cpu')).toEqual(generatorState());
    // libtorch's own words, which differ by version; those of a libtorch with CUDA and no GPU are others again.
    expect(() => generatorState('cuda:9')).toThrow(/cuda/i);
    expect(() => setGeneratorState(generatorState(), 'cuda:9')).toThrow(/cuda/i);
  });
});
