import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import { fromArchitectureFile, toArchitectureFile } from '../../src/space/architecture-file.js';
import { countSequences } from '../../src/space/count.js';
import { findDependence } from '../../src/space/independence.js';
import { type Anchor, type Answer, block, choose, type Program, subset } from '../../src/space/language.js';
import { type AnySpaceDefinition, defineSpace, Space } from '../../src/space/space.js';
import { branching, cell, forced, lyingBlock, lyingSubset, nested, spaceOf } from './tiny-spaces.js';

describe('the options of a space', () => {
  it('are listed if one is unknown', () => {
    expect(() => Space.configure(branching, { deep: 2 })).toThrow(
      new InputError("space branching has no option 'deep'; its options: deepest"),
    );
    expect(() => Space.configure(forced, { deep: 2 })).toThrow(
      "space forced has no option 'deep'; it has no options",
    );
  });

  it('are raised by withDepth, and checked', () => {
    expect(Space.configure(branching).withDepth(5).options).toEqual({ deepest: 5 });
    expect(() => Space.configure(branching).withDepth(0)).toThrow("space branching: option 'deepest' is 0: ");
    expect(() => Space.configure(cell).withDepth(2)).toThrow('space cell has no depth');
  });
});

describe('a decision sequence', () => {
  it('is traced to its questions, their blocks and its answers', () => {
    const asked = Space.configure(nested).trace([0, 1, 0, 1, 2]);
    expect(
      asked.map(({ question, blocks, answer }) => [question.path, question.name, blocks, answer]),
    ).toEqual([
      ['count', 'count', [], 0],
      ['parts.0.kind', 'kind', ['parts.0'], 1],
      ['parts.0.left.length', 'length', ['parts.0', 'parts.0.left'], 0],
      ['parts.0.right.length', 'length', ['parts.0', 'parts.0.right'], 1],
      ['parts.0.right.tip', 'tip', ['parts.0', 'parts.0.right'], 2],
    ]);
  });

  it('names its questions by the last key that is not an index, with what follows', () => {
    const names = (sequence: Answer[]) =>
      Space.configure(cell, { nodes: 1 })
        .trace(sequence)
        .map(({ question }) => question.name);
    expect(names([[], [], [0, 1], 0, 0])).toEqual(['sources.0', 'sources.1', 'inputs', 'ops.0', 'ops.1']);
    const list = spaceOf(function* () {
      return [yield* choose('0', [1, 2])];
    });
    expect(list.trace([1]).map(({ question }) => question.name)).toEqual(['0']);
  });

  it('offers its subsets the anchors by their order in the program', () => {
    const questions = Space.configure(cell)
      .trace([[], [], [0, 1], 0, 0, [0, 2], 0, 0])
      .flatMap(({ question }) =>
        question.kind === 'subset' ? [[question.path, question.anchors, question.size]] : [],
      );
    expect(questions).toEqual([
      ['sources.0', [], undefined],
      ['sources.1', [], undefined],
      ['nodes.0.inputs', [0, 1], 2],
      ['nodes.1.inputs', [0, 1, 2], 2],
    ]);
  });

  it('is rejected with the path, the answer and what is allowed', () => {
    const space = Space.configure(cell);
    expect(() => space.decode([[], [], [0, 1], 5, 0, [0, 2], 0, 0])).toThrow(
      new InputError(`space cell: the answer to 'nodes.0.ops.0' is 5; allowed: 0 to 1, for "skip", "conv"`),
    );
    expect(() => space.decode([[], [], [1, 0], 0, 0, [0, 2], 0, 0])).toThrow(
      new InputError(
        "space cell: the answer to 'nodes.0.inputs' is [1,0]; allowed: a list of 2 different ascending numbers from 0 to 1",
      ),
    );
  });

  it('is kept by a mutation wherever the same value is still allowed, and sampled elsewhere', () => {
    // 'later' keeps the value 3, not the index of it, when 'first' changes what is offered.
    const space = spaceOf(function* () {
      const first = yield* choose('first', ['a', 'b']);
      return { first, later: yield* choose('later', first === 'a' ? [1, 2, 3] : [3, 4]) };
    });
    const random = Random.of(1, 'mutate');
    const fromThree = Array.from({ length: 100 }, () => space.mutate([0, 2], random)).filter(
      ([first]) => first === 1,
    );
    const fromOne = Array.from({ length: 100 }, () => space.mutate([0, 0], random)).filter(
      ([first]) => first === 1,
    );
    expect(fromThree.length).toBeGreaterThan(20);
    expect(new Set(fromThree.map(([, later]) => later))).toEqual(new Set([0]));
    expect(new Set(fromOne.map(([, later]) => later))).toEqual(new Set([0, 1]));
  });

  it('is returned unchanged by a mutation if there is no other', () => {
    expect(Space.configure(forced).mutate([0, []], Random.of(1, 'mutate'))).toEqual([0, []]);
  });
});

describe('an architecture', () => {
  const space = Space.configure(cell, { nodes: 1 });
  const architecture = { sources: [[], []], nodes: [{ inputs: [0, 1], ops: ['conv', 'skip'] }] };

  it('is saved with its space and options, and with its keys in one order', () => {
    const shuffled = { nodes: [{ ops: ['conv', 'skip'], inputs: [0, 1] }], sources: [[], []] };
    const text =
      '{"space":"cell","options":{"nodes":1},"sources":[[],[]],"nodes":[{"inputs":[0,1],"ops":["conv","skip"]}]}';
    expect(JSON.stringify(toArchitectureFile(space, architecture))).toBe(text);
    expect(JSON.stringify(toArchitectureFile(space, shuffled))).toBe(text);
  });

  it('is saved without options if the space has none, and read with defaults if the file has none', () => {
    expect(toArchitectureFile(Space.configure(forced), { only: 'way', none: [] })).toEqual({
      space: 'forced',
      only: 'way',
      none: [],
    });
    const read = fromArchitectureFile(
      { space: 'branching', depth: 1, layers: [{ op: 'pool' }] },
      () => branching,
    );
    expect(read.space.options).toEqual({ deepest: 3 });
    expect(read.architecture).toEqual({ depth: 1, layers: [{ op: 'pool' }] });
  });

  it.each([
    [null, "an architecture is an object with the key 'space', not null"],
    [[], "an architecture is an object with the key 'space', not []"],
    [{ space: 3 }, "an architecture's 'space' is 3; allowed: the name of a space"],
    [{ space: 'cell', options: [] }, "an architecture's 'options' is []; allowed: an object"],
    [{ space: 'cell', options: null }, "an architecture's 'options' is null; allowed: an object"],
    [{ space: 'cell', options: 3 }, "an architecture's 'options' is 3; allowed: an object"],
    ['x'.repeat(58), `not "${'x'.repeat(58)}"`],
    ['x'.repeat(59), `not "${'x'.repeat(59)}...`],
    [{ space: 'cell', options: { nodes: 'two' } }, `space cell: option 'nodes' is "two": `],
    [{ space: 'cell', sources: [[], []] }, "space cell: 'nodes.0.inputs' is missing; allowed: a list of 2 "],
  ])('is not read from %j', (content, message) => {
    expect(() => fromArchitectureFile(content, () => cell)).toThrow(message);
  });

  it('is looked up by the name in the file', () => {
    const find = (name: string): AnySpaceDefinition => {
      throw new InputError(`unknown space '${name}'`);
    };
    expect(() => fromArchitectureFile({ space: 'cel' }, find)).toThrow("unknown space 'cel'");
  });

  it.each([
    [
      'a layer too many',
      { ...architecture, nodes: [...architecture.nodes, {}] },
      "'nodes.1' is {}, but nothing may",
    ],
    ['another fixed part', { ...architecture, sources: [[], [], []] }, "'sources.2' is [], but nothing may"],
    ['an unknown key', { ...architecture, extra: null }, "'extra' is null, but nothing may"],
    [
      'an unknown option',
      { ...architecture, nodes: [{ inputs: [0, 1], ops: ['conv', 'max'] }] },
      `'nodes.0.ops.1' is "max"; allowed: "skip", "conv"`,
    ],
    ['no object', 'cell', "'sources.0' is missing"],
  ])('is rejected with %s', (_, wrong, message) => {
    expect(() => space.validate(wrong)).toThrow(message);
  });

  it('is rejected with another fixed part, or without it', () => {
    const fixed = spaceOf(function* () {
      return { kernel: yield* choose('kernel', [3, 5]), block: { norm: true } };
    });
    expect(fixed.encode({ kernel: 5, block: { norm: true } })).toEqual([1]);
    for (const [block, message] of [
      [{ norm: false }, "'block.norm' is false; allowed: true"],
      [{}, "'block.norm' is missing; allowed: true"],
      [5, `'block' is 5; allowed: {"norm":true}`],
      ['norm', `'block' is "norm"; allowed: {"norm":true}`],
      [[true], `'block' is [true]; allowed: {"norm":true}`],
      [null, `'block' is null; allowed: {"norm":true}`],
      [undefined, `'block' is missing; allowed: {"norm":true}`],
    ] as const)
      expect(() => fixed.validate({ kernel: 5, block })).toThrow(new InputError(`space test: ${message}`));
  });

  it('is rejected with a text in place of a list', () => {
    const list = spaceOf(function* () {
      return { kinds: [yield* choose('kinds.0', ['a', 'b'])] };
    });
    expect(() => list.validate({ kinds: 'b' })).toThrow(
      new InputError(`space test: 'kinds.0' is missing; allowed: "a", "b"`),
    );
  });

  it('cannot be saved if it is not an object or uses the keys of the file', () => {
    const list = spaceOf(function* () {
      return [yield* choose('0', [1, 2])];
    });
    expect(() => toArchitectureFile(list, [2])).toThrow('must be an object to be saved, not [2]');
    const taken = spaceOf(function* () {
      return { options: yield* choose('options', [1, 2]) };
    });
    expect(() => toArchitectureFile(taken, { options: 1 })).toThrow("not one with the key 'options'");
  });
});

describe('a count', () => {
  it('multiplies blocks and adds up the choices outside: 2 * (3 + 5 * 7)', () => {
    const digits = (n: number) => Array.from({ length: n }, (_, i) => i);
    const space = spaceOf(function* () {
      const first = yield* block('first', () => choose('a', digits(2)));
      const way = yield* choose('way', ['short', 'long']);
      if (way === 'short') return [first, way, yield* block('second', () => choose('b', digits(3)))];
      yield* block('third', () => choose('c', digits(5)));
      return [first, way, yield* choose('d', digits(7))];
    });
    expect(space.size()).toBe(76n);
    expect([...space.enumerate()].length).toBe(76);
  });

  it('agrees with the enumeration on programs made at random', () => {
    for (let seed = 0; seed < 200; seed++) {
      const space = spaceOf(() => randomProgram(seed));
      let listed = 0;
      for (const _ of space.enumerate()) listed++;
      expect([seed, space.size()]).toEqual([seed, BigInt(listed)]);
    }
  });

  it('asks for blocks beyond a number of questions, and counts the same space in blocks', () => {
    const list = Array.from({ length: 100 }, (_, i) => i);
    const wide = (wrapped: boolean) =>
      spaceOf(function* () {
        for (const name of ['a', 'b']) {
          if (wrapped) yield* block(name, () => choose('x', list));
          else yield* choose(name, list);
        }
      });
    // Without blocks, both questions are asked for each of the 100^2 combinations. With blocks, each of 100 runs asks both
    // with the next answer.
    expect(countSequences(wide(false), 2 * 100 ** 2)).toBe(10_000n);
    expect(() => countSequences(wide(false), 2 * 100 ** 2 - 1)).toThrow(
      new InputError(
        'space test: counting it takes more than 19,999 questions; ' +
          'wrap independent parts in block(), or make the space smaller',
      ),
    );
    expect(countSequences(wide(true), 2 * 100)).toBe(10_000n);
    expect(() => countSequences(wide(true), 2 * 100 - 1)).toThrow('more than 199 questions');
  });

  it('counts a block once for all choices after it', () => {
    const space = spaceOf(function* () {
      yield* block('first', () => choose('x', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
      yield* choose('last', [0, 1, 2, 3, 4]);
    });
    // Two questions for each of the five choices, and one for each of the nine other answers in the block.
    expect(countSequences(space, 2 * 5 + 9)).toBe(50n);
    expect(() => countSequences(space, 2 * 5 + 9 - 1)).toThrow('more than 18 questions');
  });
});

/** A program whose shape is a function of the seed, with branches, nested blocks and subsets. It breaks no promise. */
function* randomProgram(seed: number): Program<null> {
  const anchors: Anchor[] = [];
  yield* part(`${seed}`, 0);
  return null;

  /** Its form follows from `shape` alone. Choices outside inner blocks extend it; blocks and subsets do not. */
  function* part(shape: string, depth: number): Program<null> {
    let way = shape;
    for (let i = 0; Random.of(0, `${way} stop`).below(4) > 0 && i < 3; i++) {
      const random = Random.of(0, `${way} step ${i}`);
      const kind = random.below(4);
      if (kind === 0 && depth < 2) {
        const inner = way;
        yield* block(`p${i}`, () => part(`${inner}/${i}`, depth + 1));
      } else if (kind === 1) {
        const offered = anchors.slice(0, 2);
        const anchor = yield* subset(
          `q${i}`,
          offered,
          random.below(2) === 0 ? undefined : Math.min(1, offered.length),
        );
        if (depth === 0) anchors.push(anchor);
      } else {
        const options = Array.from({ length: 1 + random.below(3) }, (_, option) => option);
        way += `.${yield* choose(`q${i}`, options)}`;
      }
    }
    return null;
  }
}

describe('the promise of independence', () => {
  it('is found broken by a lying block, and the space is not counted', () => {
    const space = Space.configure(lyingBlock);
    const random = Random.of(1, 'lie');
    const found = new Set(Array.from({ length: 50 }, () => findDependence(space, random)));
    found.delete(undefined);
    expect(found).toEqual(new Set(["what 'width' offers depends on the answers in the block 'head'"]));
    expect(() => space.size()).toThrow(
      "space lying-block cannot be counted: what 'width' offers depends on ",
    );
  });

  it('is found broken by a lying subset', () => {
    const space = Space.configure(lyingSubset);
    expect(() => space.size()).toThrow(
      "space lying-subset cannot be counted: whether 'more' is asked depends on the answers in the subset 'second'",
    );
  });
});

describe('a program that breaks the rules of the language', () => {
  it.each<[string, () => Program<unknown>, string]>([
    [
      'asks twice at one path',
      function* () {
        yield* choose('a', [1, 2]);
        yield* choose('a', [1, 2]);
      },
      "'a' is asked twice",
    ],
    [
      'enters a block twice',
      function* () {
        yield* block('a', () => choose('x', [1]));
        yield* block('a', () => choose('y', [1]));
      },
      "the block 'a' is entered twice",
    ],
    ['offers nothing', () => choose('a', []), "'a' is asked with no options"],
    ['offers one option twice', () => choose('a', [3, 3]), "'a' has the option 3 twice"],
    [
      'offers what JSON cannot hold',
      () => choose('a', [undefined]),
      "'a' has an option that JSON cannot hold: undefined",
    ],
    [
      'offers what JSON cannot hold, among others',
      () => choose('a', ['x', undefined]),
      "'a' has an option that JSON cannot hold: undefined",
    ],
    ['offers NaN', () => choose('a', [Number.NaN]), "'a' has an option that JSON cannot hold: NaN"],
    ['offers a big integer', () => choose('a', [1n]), "'a' has an option that JSON cannot hold: 1n"],
    ['offers a map', () => choose('a', [new Map()]), "'a' has an option that JSON cannot hold: Map(0) {}"],
    [
      'offers one number twice, among others',
      () => choose('a', [null, 3, true, 3]),
      "'a' has the option 3 twice",
    ],
    ['offers one object twice', () => choose('a', [{ b: 1 }, { b: 1 }]), `'a' has the option {"b":1} twice`],
    ['offers no list', () => choose('a', 3 as never), "'a' offers 3; allowed: a list of options"],
    [
      'offers no list of anchors',
      () => subset('a', {} as never),
      "'a' offers {}; allowed: a list of anchors",
    ],
    [
      'offers no anchors',
      () => subset('a', [0] as never),
      "'a' offers the anchors []; allowed: earlier ones",
    ],
    [
      'offers anchors out of their order',
      function* () {
        const anchors = [yield* subset('a', []), yield* subset('b', [])];
        yield* subset('c', anchors.toReversed());
        return { a: [], b: [] };
      },
      "'c' offers the anchors [1,0]; allowed: earlier ones, in their order",
    ],
    ['takes less than nothing', () => subset('a', [], -1), "'a' takes -1 of 0 anchors"],
    ['takes a part of an anchor', () => subset('a', [], 0.5), "'a' takes 0.5 of 0 anchors"],
    ['has no name', () => choose(undefined as never, [1]), "the name 'undefined' is not allowed"],
    ['has a name that is no text', () => choose(7 as never, [1]), "the name '7' is not allowed"],
    [
      'is no program',
      () => ({ a: 1 }) as never,
      'choices() returns no program; write `*choices(...)`, with the star',
    ],
    [
      'uses a key that no object may have',
      () => choose('a.__proto__', [1]),
      "the name 'a.__proto__' is not allowed",
    ],
    ['has an empty name', () => choose('a..b', [1]), "the name 'a..b' is not allowed"],
    ['points ahead', () => subset('a', [{ index: 0, chosen: [] }]), "'a' offers the anchors [0]"],
    ['takes more than there are', () => subset('a', [], 1), "'a' takes 1 of 0 anchors"],
    [
      'forgets the star',
      function* () {
        return yield choose('a', [1, 2]) as never;
      },
      'write `yield* choose(...)`, with the star',
    ],
    [
      'loses an answer',
      function* () {
        return { b: yield* choose('a', [1, 2]) };
      },
      "the answer to 'a' was 1, but in the architecture that the program returns it is missing",
    ],
  ])('gets a message if it %s', (_, choices, message) => {
    const space = spaceOf(choices);
    expect(() => space.decode(space.sample(Random.of(1, 'x')).map(() => 0))).toThrow(message);
  });
});

describe('a space whose architectures have another form in the field', () => {
  const pairs = defineSpace({
    name: 'pairs',
    *choices(): Program<{ kernel: number; operation: string }> {
      return {
        kernel: yield* choose('kernel', [3, 5]),
        operation: yield* choose('operation', ['conv', 'pool']),
      };
    },
    genotype: {
      write: ({ kernel, operation }) => [`${operation}_${kernel}x${kernel}`],
      read: (published) => {
        const [operation = '', size = ''] = String((published as unknown[])[0]).split('_');
        return { kernel: Number(size.split('x')[0]), operation };
      },
    },
  });
  const space = Space.configure(pairs);

  it('decodes to that form and reads it back', () => {
    expect(space.decode([1, 0])).toEqual(['conv_5x5']);
    expect(space.encode(['pool_3x3'])).toEqual([0, 1]);
    expect(space.validate(['pool_3x3'])).toEqual(['pool_3x3']);
    expect(() => space.validate(['pool_4x4'])).toThrow("space pairs: 'kernel' is 4; allowed: 3, 5");
  });
});
