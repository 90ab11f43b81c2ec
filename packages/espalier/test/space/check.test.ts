import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import { checkSpace } from '../../src/space/check.js';
import { findIndeterminism } from '../../src/space/determinism.js';
import { findDependence } from '../../src/space/independence.js';
import { type Anchor, block, choose, type Program, subset } from '../../src/space/language.js';
import { type AnySpaceDefinition, defineSpace, Space } from '../../src/space/space.js';
import { spaces } from '../../src/spaces/space-names.js';
import { branching, cell, forced, lyingBlock, lyingSubset, nested, spaceOf } from './tiny-spaces.js';

/** Programs that depend on something besides their answers, with what differs between two runs. */
const indeterministic: readonly [string, () => () => Program<unknown>, string][] = [
  [
    'offers another list each time',
    () => {
      let runs = 0;
      return function* () {
        return { width: yield* choose('width', [1, 2, 3 + runs++]) };
      };
    },
    "what 'width' offers",
  ],
  [
    'asks one question more each time',
    () => {
      let runs = 0;
      return function* () {
        const made: Record<string, number> = {};
        for (let i = 0; i <= runs; i++) made[`q${i}`] = yield* choose(`q${i}`, [1, 2]);
        runs++;
        return made;
      };
    },
    "whether 'q1' is asked",
  ],
  [
    'stops asking',
    () => {
      let asks = true;
      return function* () {
        if (!asks) return {};
        asks = false;
        return { only: yield* choose('only', [1, 2]) };
      };
    },
    "whether 'only' is asked",
  ],
  [
    'asks another question',
    () => {
      let runs = 0;
      return function* () {
        const name = ['a', 'b'][runs++ % 2]!;
        return { [name]: yield* choose(name, [1]) };
      };
    },
    "whether 'a' is asked",
  ],
  [
    'returns something else each time',
    () => {
      let runs = 0;
      return function* () {
        return { a: yield* choose('a', [1, 2]), run: runs++ };
      };
    },
    'the architecture that it returns',
  ],
];

describe('a program that depends on more than its answers', () => {
  it.each(indeterministic)('is found if it %s', (_, make, difference) => {
    expect(findIndeterminism(spaceOf(make()), Random.of(1, 'check'))).toBe(difference);
    expect(() => checkSpace(spaceOf(make()))).toThrow(
      new InputError(
        `space test: ${difference} differs between two runs with equal answers; ` +
          'a program may depend on nothing but its options and its answers',
      ),
    );
  });

  it('is found if it draws its own random numbers', () => {
    const space = spaceOf(function* () {
      const layers: string[] = [];
      while (Math.random() < 0.5) layers.push(yield* choose(`layers.${layers.length}`, ['conv', 'pool']));
      return { layers };
    });
    // Two runs of equal length are all that goes unnoticed: 1 in 3, 100 times in a row.
    expect(() => checkSpace(space)).toThrow(
      /^space test: whether 'layers\.\d+' is asked differs between two runs /,
    );
  });
});

describe('the check of a space', () => {
  it.each([branching, cell, nested, forced, ...spaces.values()])('accepts $name', (definition) => {
    const random = Random.of(1, 'check');
    const space = Space.configure(definition) as Space;
    expect(findIndeterminism(space, random)).toBeUndefined();
    expect(() => checkSpace(space, { sequences: 10 })).not.toThrow();
  });

  it.each([
    [lyingBlock, "space lying-block: what 'width' offers depends on the answers in the block 'head'"],
    [
      lyingSubset,
      "space lying-subset: whether 'more' is asked depends on the answers in the subset 'second'",
    ],
  ])('finds a broken promise of independence: %#', (definition, message) => {
    expect(() => checkSpace(Space.configure(definition as AnySpaceDefinition))).toThrow(
      new InputError(message),
    );
  });

  it('finds questions of one name and two kinds', () => {
    const space = spaceOf(function* () {
      const inputs = yield* subset('a.inputs', []);
      return { a: { inputs: inputs.chosen }, b: { inputs: yield* choose('b.inputs', [1, 2]) } };
    });
    expect(() => checkSpace(space)).toThrow(
      new InputError(
        "space test: 'a.inputs' is a subset and 'b.inputs' a choice; questions with the name 'inputs' must be of one kind",
      ),
    );
  });

  it('finds an architecture that JSON changes', () => {
    const space = spaceOf(function* () {
      return { a: yield* choose('a', [1, 2]), rate: Number.NaN };
    });
    expect(() => checkSpace(space)).toThrow("space test: 'rate' is null; allowed: ");
  });

  it('finds a genotype that is read back as another one', () => {
    const definition = defineSpace({
      name: 'forgetful',
      *choices() {
        return { a: yield* choose('a', [1, 2]) };
      },
      genotype: { write: ({ a }) => `a${a}`, read: () => ({ a: 1 as 1 | 2 }) },
    });
    expect(() => checkSpace(Space.configure(definition) as Space)).toThrow(
      new InputError(
        'space forgetful: the answers [1] make the architecture "a2", which is read back as the answers [0]',
      ),
    );
  });

  it('looks at as many sequences as asked for, which follow from the seed', () => {
    const seen = (options: object) => {
      const answers: string[] = [];
      const space = spaceOf(function* () {
        const a = yield* choose('a', [1, 2, 3, 4, 5, 6, 7]);
        answers.push(String(a));
        return { a };
      });
      checkSpace(space, options);
      return answers.join('');
    };
    expect(seen({ sequences: 0 })).toBe('');
    expect(seen({ sequences: 4 }).length).toBe(2 * seen({ sequences: 2 }).length);
    expect(seen({})).toBe(seen({ sequences: 100, seed: 0 }));
    expect(seen({ seed: 1 })).not.toBe(seen({}));
  });
});

describe('the search for a dependence', () => {
  it('does not mind a block with more or fewer anchors, which shift the indices of later ones', () => {
    const space = spaceOf(function* () {
      yield* block('head', function* () {
        if ((yield* choose('kind', ['plain', 'linked'])) === 'linked') yield* subset('inputs', []);
      });
      const first = yield* subset('first', []);
      yield* subset('second', [first]);
    });
    expect(space.trace([0, [], [0]]).at(-1)?.question).toMatchObject({ anchors: [0] });
    expect(space.trace([1, [], [], [0]]).at(-1)?.question).toMatchObject({ anchors: [1] });
    for (let seed = 0; seed < 20; seed++)
      expect(findDependence(space, Random.of(seed, 'check'))).toBeUndefined();
    expect(space.size()).toBe(4n);
  });

  it('finds a subset that offers the anchors of a block', () => {
    const space = spaceOf(function* () {
      const anchors: Anchor[] = [];
      yield* block('head', function* () {
        const kind = yield* choose('kind', ['plain', 'linked']);
        if (kind === 'linked') anchors.push(yield* subset('inputs', []));
      });
      yield* subset('last', anchors);
    });
    expect(() => space.size()).toThrow("what 'last' offers depends on the answers in the block 'head'");
  });

  it('finds a subset that offers other anchors, as many', () => {
    const space = spaceOf(function* () {
      const anchors = [yield* subset('first', []), yield* subset('second', [])];
      const index = yield* block('head', () => choose('index', [0, 1]));
      yield* subset('last', [anchors[index]!]);
    });
    expect(() => space.size()).toThrow("what 'last' offers depends on the answers in the block 'head'");
  });

  it('looks at a hundred parts of a sequence that has more', () => {
    let runs = 0;
    const space = spaceOf(function* () {
      runs++;
      for (let i = 0; i < 150; i++) yield* block(`blocks.${i}`, () => choose('x', [1, 2]));
    });
    expect(findDependence(space, Random.of(1, 'check'))).toBeUndefined();
    expect(runs).toBe(1 + 100);
  });

  it('finds one lying block among 120', () => {
    const space = spaceOf(function* () {
      let options = [1, 2];
      for (let i = 0; i < 120; i++) {
        const x = yield* block(`blocks.${i}`, () => choose('x', [1, 2, 3, 4]));
        if (i === 110) options = [1, 2, 2 + x];
      }
      yield* choose('last', options);
    });
    const random = Random.of(1, 'check');
    const found = new Set(Array.from({ length: 6 }, () => findDependence(space, random)));
    found.delete(undefined);
    expect(found).toEqual(new Set(["what 'last' offers depends on the answers in the block 'blocks.110'"]));
  });
});

describe('a program without an end', () => {
  const sample = (choices: () => Program<unknown>) => () => spaceOf(choices).sample(Random.of(1, 'endless'));
  const END = 'check that the program ends';

  it('gets a message after 100,000 questions, with the next path', () => {
    expect(
      sample(function* () {
        for (let i = 0; ; i++) yield* choose(`layers.${i}.kernel`, [3, 5]);
      }),
    ).toThrow(
      new InputError(
        `space test: 'layers.100000.kernel' is more than the 100,000 questions that a program may ask; ${END}`,
      ),
    );
  });

  it('gets a message after 100,000 blocks', () => {
    expect(
      sample(function* () {
        for (let i = 0; ; i++) yield* block(`b${i}`, function* () {});
      }),
    ).toThrow(
      new InputError(
        `space test: 'b100000' is more than the 100,000 blocks that a program may enter; ${END}`,
      ),
    );
  });

  it('gets a message if it nests blocks forever', () => {
    function* tree(): Program<unknown> {
      yield* choose('kind', ['leaf', 'node']);
      return yield* block('left', tree);
    }
    expect(sample(tree)).toThrow(
      new InputError(
        `space test: 'left.left.left.left.left.left.left.left....' has more than 100 keys; ${END}`,
      ),
    );
  });

  it('may have a path of 100 keys', () => {
    const path = Array(100).fill('key').join('.');
    const space = spaceOf(() => choose(path, [1]));
    expect(space.trace([0])[0]?.question.path).toBe(path);
    expect(sample(() => choose(`${path}.k`, [1]))).toThrow('has more than 100 keys');
    const longName = 'a'.repeat(1000);
    expect(spaceOf(() => choose(longName, [1])).trace([0])[0]?.question.path).toBe(longName);
  });

  it('gets a message if it calls itself forever', () => {
    function* again(i: number): Program<unknown> {
      yield* choose(`q${i}`, [1, 2]);
      return yield* again(i + 1);
    }
    expect(sample(() => again(0))).toThrow(
      /^space test: the program calls itself too deeply after 'q\d{3,}'; check that it ends$/,
    );
  });

  it('gets a message with the last question if it calls itself forever without asking more', () => {
    function* again(): Program<unknown> {
      return yield* again();
    }
    expect(
      sample(function* () {
        yield* choose('first', [1]);
        yield* choose('second', [1]);
        yield* again();
      }),
    ).toThrow(
      new InputError("space test: the program calls itself too deeply after 'second'; check that it ends"),
    );
  });

  it('gets a message if it calls itself forever before its first question', () => {
    function* again(): Program<unknown> {
      return yield* again();
    }
    expect(sample(again)).toThrow(
      new InputError(
        'space test: the program calls itself too deeply before the first question; check that it ends',
      ),
    );
  });

  it('gets a message if its subsets grow forever', () => {
    expect(
      sample(function* () {
        const anchors: Anchor[] = [];
        for (let i = 0; ; i++) anchors.push(yield* subset(`layers.${i}`, anchors));
      }),
    ).toThrow(
      // 4,472 subsets offer 0 + 1 + ... + 4,471 = 9,997,156 anchors.
      new InputError(
        `space test: up to 'layers.4472' it offers more than 10,000,000 options and anchors in all; ${END}`,
      ),
    );
  });

  it('keeps its own errors', () => {
    expect(
      sample(function* () {
        yield* choose('a', [1]);
        throw new RangeError('an error of its own');
      }),
    ).toThrow(new RangeError('an error of its own'));
  });
});

describe('a question with many options', () => {
  const offering = (count: number) =>
    spaceOf(function* () {
      return {
        a: yield* choose(
          'a',
          Array.from({ length: count }, (_, i) => i),
        ),
      };
    });

  it('is rejected beyond 10,000 of them', () => {
    expect(() => offering(100_000).sample(Random.of(1, 'x'))).toThrow(
      new InputError("space test: 'a' offers 100,000 options; allowed: at most 10,000"),
    );
    expect(() => offering(10_001).decode([0])).toThrow("'a' offers 10,001 options");
  });

  it('is answered up to 10,000 of them', () => {
    const space = offering(10_000);
    expect(space.decode([9_999])).toEqual({ a: 9_999 });
    expect(space.encode({ a: 9_999 })).toEqual([9_999]);
    expect(space.countNeighbours([0])).toBe(9_999);
  });

  it('is rejected beyond 10,000 anchors', () => {
    const anchor: Anchor = { index: 0, chosen: [] };
    expect(() => spaceOf(() => subset('a', Array(10_001).fill(anchor))).decode([[]])).toThrow(
      new InputError("space test: 'a' offers 10,001 anchors; allowed: at most 10,000"),
    );
  });
});

describe('a list of options that the program changes afterwards', () => {
  it('is what it was when it was offered', () => {
    const space = spaceOf(function* () {
      const offered = [1, 2];
      const a = yield* choose('a', offered);
      offered.push(3);
      const b = yield* choose('b', offered);
      offered[0] = 9;
      return { a, b, c: yield* choose('c', offered) };
    });
    expect(space.trace([0, 0, 0]).map(({ question }) => question)).toMatchObject([
      { options: [1, 2] },
      { options: [1, 2, 3] },
      { options: [9, 2, 3] },
    ]);
    expect(space.size()).toBe(18n);
    expect([...space.enumerate()].length).toBe(18);
  });

  it('is checked again', () => {
    const space = spaceOf(function* () {
      const offered = [1, 2];
      yield* choose('a', offered);
      offered[0] = 2;
      yield* choose('b', offered);
    });
    expect(() => space.sample(Random.of(1, 'x'))).toThrow("space test: 'b' has the option 2 twice");
  });
});
