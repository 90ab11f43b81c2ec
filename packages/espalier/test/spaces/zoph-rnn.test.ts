import { describe, expect, it } from 'vitest';
import { Space } from '../../src/space/space.js';
import { zophRnn } from '../../src/spaces/zoph-rnn.js';
import { describeSpace } from './conformance.js';

// 2N-1 nodes and the injection, each with 2 combinations and 4 activations; two places among the nodes.
describeSpace(
  zophRnn,
  {},
  {
    size: 8n ** 16n * 15n ** 2n,
    small: { base: 1 },
    smallSize: 8n ** 2n,
  },
);
describeSpace(
  zophRnn,
  { base: 2, maxAndSin: true },
  {
    size: 15n ** 4n * 3n ** 2n,
    small: { base: 1, maxAndSin: true },
    smallSize: 15n ** 2n,
  },
);

const space = Space.configure(zophRnn, { base: 2 });

describe('zoph-rnn', () => {
  it('has about 6 x 10^16 cells with base 8', () => {
    expect(Space.configure(zophRnn).size()).toBe(63_331_869_759_897_600n);
    expect(space.size()).toBe(36_864n);
    expect(Space.configure(zophRnn, { maxAndSin: true }).size()).toBe(15n ** 18n);
  });

  it('initialises all parameters within the range of its options', () => {
    const own = Space.configure(zophRnn, { base: 1, hidden: 8, layers: 1, initialRange: 0.01 });
    const network = zophRnn.network!(
      own.decode([0, 0, 0, 0, 0, 0]) as never,
      { vocabulary: 5 },
      own.options as never,
    );
    const values = network.parameters().flatMap((parameter) => parameter.toNumbers().map(Math.abs));
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(0.01));
    expect(Math.max(...values)).toBeGreaterThan(0.009);
    network.free();
  });

  it("asks in the order of the paper's figure 5, and writes its example", () => {
    const example = {
      nodes: [
        { combination: 'add', activation: 'tanh' },
        { combination: 'elem_mult', activation: 'relu' },
        { combination: 'elem_mult', activation: 'sigmoid' },
      ],
      cellInject: { combination: 'add', activation: 'relu' },
      cellIndex: { next: 1, previous: 0 },
    };
    const sequence = [0, 1, 1, 3, 1, 2, 0, 3, 1, 0];
    expect(space.trace(sequence).map(({ question }) => question.path)).toEqual([
      'nodes.0.combination',
      'nodes.0.activation',
      'nodes.1.combination',
      'nodes.1.activation',
      'nodes.2.combination',
      'nodes.2.activation',
      'cellInject.combination',
      'cellInject.activation',
      'cellIndex.next',
      'cellIndex.previous',
    ]);
    expect(space.decode(sequence)).toEqual(example);
    expect(space.encode(space.validate(example))).toEqual(sequence);
  });

  it('has max and sin in the control experiment only', () => {
    const node = { combination: 'max', activation: 'sin' };
    const control = {
      nodes: [node, node, node],
      cellInject: node,
      cellIndex: { next: 2, previous: 2 },
    };
    expect(() => space.validate(control)).toThrow(
      `'nodes.0.combination' is "max"; allowed: "add", "elem_mult"`,
    );
    expect(Space.configure(zophRnn, { base: 2, maxAndSin: true }).validate(control)).toEqual(control);
  });

  it.each([
    [{ base: 0 }, "option 'base' is 0: "],
    [{ layers: 0 }, "option 'layers' is 0: "],
    [{ layers: 1001 }, "option 'layers' is 1001: "],
    [{ base: 101 }, "option 'base' is 101: "],
    [{ hidden: 100_001 }, "option 'hidden' is 100001: "],
    [{ dropoutHidden: 1 }, "option 'dropoutHidden' is 1: "],
  ])('rejects the options %j', (options, message) => {
    expect(() => Space.configure(zophRnn, options)).toThrow(message);
  });
});
