import { describe, expect, it } from 'vitest';
import { SequenceEncoding } from '../../src/predictors/sequence-encoding.js';
import { Space } from '../../src/space/space.js';
import { branching, cell } from '../space/tiny-spaces.js';

describe('the encoding of decision sequences', () => {
  it('has a feature for each option of each choice that occurs, in the order of their occurrence', () => {
    const space = Space.configure(branching);
    const traces = (...sequences: number[][]) => sequences.map((answers) => space.trace(answers));
    // Depth 1 with a convolution, depth 2 with a convolution and pooling.
    const encoding = new SequenceEncoding(traces([0, 0], [1, 0, 1]));
    expect(encoding.size).toBe(4);
    // The options: depth 1, the first layer's convolution, depth 2, the second layer's pooling.
    expect([...encoding.encode(traces([0, 0], [1, 0, 1]))]).toEqual([1, 1, 0, 0, 0, 1, 1, 1]);
  });

  it('leaves out what no sequence had that is learned from', () => {
    const space = Space.configure(branching);
    const encoding = new SequenceEncoding([space.trace([0, 0])]);
    expect([...encoding.encode([space.trace([2, 1, 1, 1])])]).toEqual([0, 0]);
  });

  it('has a feature for each item of a subset', () => {
    const space = Space.configure(cell, { nodes: 2 });
    const one = space.trace([[], [], [0, 1], 0, 1, [0, 2], 1, 1]);
    const encoding = new SequenceEncoding([one]);
    // Two inputs and two operations a node.
    expect(encoding.size).toBe(8);
    const other = space.trace([[], [], [0, 1], 0, 0, [1, 2], 0, 1]);
    expect([...encoding.encode([other])]).toEqual([1, 1, 1, 0, 0, 1, 0, 1]);
  });
});
