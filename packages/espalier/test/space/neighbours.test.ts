import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import type { Question } from '../../src/space/language.js';
import { type Anchor, type Answer, choose, subset } from '../../src/space/language.js';
import { Space } from '../../src/space/space.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { branching, cell, forced, nested, spaceOf } from './tiny-spaces.js';

/** Whether one answer of a question is near another: the least difference that the question allows. */
function isNear(question: Question, one: Answer, other: Answer): boolean {
  if (question.kind === 'choice') return one !== other;
  const [first, second] = [one as readonly number[], other as readonly number[]];
  const moved = first.filter((item) => !second.includes(item)).length;
  const back = second.filter((item) => !first.includes(item)).length;
  return question.size === undefined ? moved + back === 1 : moved === 1;
}

/** Neighbours by looking at every sequence of a space all of whose sequences answer the same questions. */
function bruteForce(space: Space, sequence: readonly Answer[]): Set<string> {
  const questions = space.trace(sequence).map(({ question }) => question);
  const near = new Set<string>();
  for (const other of space.enumerate()) {
    const differing = questions.flatMap((question, i) =>
      JSON.stringify(sequence[i]) === JSON.stringify(other[i])
        ? []
        : [isNear(question, sequence[i]!, other[i]!)],
    );
    if (differing.length === 1 && differing[0]) near.add(space.key(other));
  }
  return near;
}

const keysOf = (space: Space, sequence: readonly Answer[]) =>
  [...space.neighbours(sequence)].map((neighbour) => space.key(neighbour));

const inputs = spaceOf(function* () {
  const anchors: Anchor[] = [];
  for (let i = 0; i < 4; i++) anchors.push(yield* subset(String(i), anchors));
  return anchors.map(({ chosen }) => chosen);
});

describe('the neighbours of a decision sequence', () => {
  it.each([
    ['cell', Space.configure(cell)],
    ['subsets of any size', inputs],
  ])('are all sequences with one near answer: %s', (_, space) => {
    for (const sequence of space.enumerate()) {
      const keys = keysOf(space, sequence);
      expect(new Set(keys)).toEqual(bruteForce(space, sequence));
      expect(keys.length).toBe(new Set(keys).size);
      expect(space.countNeighbours(sequence)).toBe(keys.length);
    }
  });

  it('are 24 in NAS-Bench-201: four other operations on each of six edges', () => {
    const space = Space.configure(nasBench201);
    const all = [...space.enumerate()];
    const random = Random.of(1, 'architectures');
    for (let i = 0; i < 20; i++) {
      const sequence = all[random.below(all.length)]!;
      const expected = all.filter((other) => other.filter((op, edge) => op !== sequence[edge]).length === 1);
      expect(expected.length).toBe(24);
      const neighbours = [...space.neighbours(sequence)];
      expect(neighbours.length).toBe(24);
      expect(new Set(neighbours.map((one) => space.key(one)))).toEqual(
        new Set(expected.map((one) => space.key(one))),
      );
      expect(space.countNeighbours(sequence)).toBe(24);
    }
  });

  it.each([
    ['branching', Space.configure(branching)],
    ['nested', Space.configure(nested)],
  ])('are different legal sequences of a branching space too: %s', (_, space) => {
    const all = new Set([...space.enumerate()].map((sequence) => space.key(sequence)));
    for (const sequence of space.enumerate()) {
      const keys = keysOf(space, sequence);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.every((key) => all.has(key))).toBe(true);
      expect(keys).not.toContain(space.key(sequence));
      expect(space.countNeighbours(sequence)).toBe(keys.length);
    }
  });

  it('keep the values of later questions where they are still allowed, and have first answers elsewhere', () => {
    const space = spaceOf(function* () {
      const first = yield* choose('first', ['a', 'b']);
      return { first, later: yield* choose('later', first === 'a' ? [1, 2, 3] : [4, 3]) };
    });
    // The value 3 has the index 2 after 'a' and 1 after 'b'.
    expect([...space.neighbours([0, 2])]).toEqual([
      [1, 1],
      [0, 0],
      [0, 1],
    ]);
    expect([...space.neighbours([0, 1])]).toEqual([
      [1, 0],
      [0, 0],
      [0, 2],
    ]);
    const branches = Space.configure(branching, { deepest: 2 });
    // Another depth keeps the first layer and answers the new one with its first option.
    expect([...branches.neighbours([0, 1])]).toEqual([
      [1, 1, 0],
      [0, 0],
    ]);
  });

  it('are none in a space of one sequence', () => {
    expect([...Space.configure(forced).neighbours([0, []])]).toEqual([]);
    expect(Space.configure(forced).countNeighbours([0, []])).toBe(0);
  });

  it('come one at a time: the first of 250,001 at once, all counted at once', () => {
    const space = spaceOf(function* () {
      const anchors: Anchor[] = [];
      for (let i = 0; i < 1000; i++) anchors.push(yield* subset(`sources.${i}`, []));
      const last = yield* subset('last', anchors, 500);
      return { sources: anchors.map(() => []), last: last.chosen, kind: yield* choose('kind', ['a', 'b']) };
    });
    const sequence = space.sample(Random.of(1, 'large'));
    expect(space.countNeighbours(sequence)).toBe(500 * 500 + 1);
    const first = space.neighbours(sequence).next().value!;
    const [before, after] = [space.decode(sequence).last, space.decode(first).last];
    expect(after.length).toBe(500);
    expect(after.filter((item) => !before.includes(item)).length).toBe(1);
    expect(space.mutate(sequence, Random.of(1, 'mutation')).length).toBe(1002);
  });

  it('reject a sequence that is not of the space', () => {
    expect(() => Space.configure(cell).neighbours([0])).toThrow(
      "space cell: the answer to 'sources.0' is 0; ",
    );
  });
});

describe('a mutation', () => {
  it('draws each neighbour of a sequence with equal questions, and no other sequence', () => {
    const random = Random.of(1, 'mutations');
    for (const space of [Space.configure(cell), inputs]) {
      const sequence = space.sample(random);
      const expected = new Set(keysOf(space, sequence));
      const drawn = new Set(Array.from({ length: 2000 }, () => space.key(space.mutate(sequence, random))));
      expect(drawn).toEqual(expected);
    }
  });
});
