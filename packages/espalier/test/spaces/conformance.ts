import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import { fromArchitectureFile, toArchitectureFile } from '../../src/space/architecture-file.js';
import { checkSpace } from '../../src/space/check.js';
import type { Answer, Question } from '../../src/space/language.js';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';

interface Expectations {
  /** Options that leave few enough sequences to enumerate: a few thousand at most. */
  readonly small: object;
  /** The size of the space with these options, computed by hand. */
  readonly smallSize: bigint;
  /** The size of the space with the options of the whole suite, computed by hand. */
  readonly size: bigint;
}

const SEQUENCES = 1000;
/** A question with k options that is asked n times misses one of them with probability below k * exp(-n / k). */
const ASKED_ENOUGH = 20;

/** The tests that every search space must pass. */
export function describeSpace(definition: AnySpaceDefinition, options: object, expected: Expectations): void {
  const space = Space.configure(definition, options);
  const small = Space.configure(definition, expected.small);
  const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  const sequenceOf = (seed: number) => space.sample(Random.of(seed, 'sequence'));

  describe(`space ${definition.name} with ${JSON.stringify(options)}`, () => {
    it('samples sequences that survive the way through architecture, JSON and file', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const sequence = sequenceOf(seed);
          const architecture = space.decode(sequence);
          expect(space.encode(architecture)).toEqual(sequence);
          expect(space.validate(architecture)).toEqual(architecture);
          const text = JSON.stringify(architecture);
          expect(JSON.parse(text)).toEqual(architecture);
          expect(space.encode(JSON.parse(text))).toEqual(sequence);
          const file = toArchitectureFile(space, architecture);
          const read = fromArchitectureFile(JSON.parse(JSON.stringify(file)), () => definition);
          expect(read.architecture).toEqual(architecture);
          expect(read.space.options).toEqual(space.options);
        }),
      );
    });

    it('samples the same sequences from the same seed, and others from another seed', () => {
      const sequences = (seed: number) => {
        const random = Random.of(seed, 'sequences');
        return Array.from({ length: 50 }, () => space.sample(random));
      };
      expect(sequences(1)).toEqual(sequences(1));
      if (expected.size > 1n) expect(sequences(1)).not.toEqual(sequences(2));
    });

    it('samples every option of every question', () => {
      const random = Random.of(1, 'frequencies');
      const asked = new Map<string, { question: Question; answers: Answer[] }>();
      for (let i = 0; i < SEQUENCES; i++) {
        for (const { question, answer } of space.trace(space.sample(random))) {
          const key = JSON.stringify(question);
          const entry = asked.get(key) ?? { question, answers: [] };
          entry.answers.push(answer);
          asked.set(key, entry);
        }
      }
      let judged = 0;
      for (const { question, answers } of asked.values()) {
        if (question.kind === 'choice') {
          if (answers.length < ASKED_ENOUGH * question.options.length) continue;
          expect(new Set(answers), question.path).toEqual(new Set(question.options.keys()));
        } else {
          if (answers.length < ASKED_ENOUGH * (question.anchors.length + 1)) continue;
          const taken = new Set((answers as number[][]).flat());
          if (question.size !== 0) expect(taken, question.path).toEqual(new Set(question.anchors.keys()));
          const sizes = new Set((answers as number[][]).map((answer) => answer.length));
          if (question.size !== undefined) expect(sizes, question.path).toEqual(new Set([question.size]));
          else
            expect(sizes.has(question.anchors.length) || question.anchors.length > 4, question.path).toBe(
              true,
            );
        }
        judged++;
      }
      expect(judged).toBeGreaterThan(0);
    });

    it('mutates a sequence into another legal one', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const random = Random.of(seed, 'mutations');
          let sequence: readonly Answer[] = sequenceOf(seed);
          for (let i = 0; i < 5; i++) {
            const mutant = space.mutate(sequence, random);
            expect(space.encode(space.decode(mutant))).toEqual(mutant);
            expect(space.key(mutant) === space.key(sequence)).toBe(expected.size === 1n);
            sequence = mutant;
          }
        }),
      );
    });

    it('keeps the answers that a mutation does not touch, where the question is the same', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const before = space.trace(sequenceOf(seed));
          const sequence = before.map(({ answer }) => answer);
          const after = space.trace(space.mutate(sequence, Random.of(seed, 'mutation')));
          const kept = new Map(after.map((asked) => [JSON.stringify(asked.question), asked.answer]));
          const changed = before.filter(({ question, answer }) => {
            const now = kept.get(JSON.stringify(question));
            return now !== undefined && JSON.stringify(now) !== JSON.stringify(answer);
          });
          expect(changed.length).toBe(expected.size === 1n ? 0 : 1);
        }),
      );
    });

    it('lists each neighbour of a sequence once, and as many as it counts', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const sequence = small.sample(Random.of(seed, 'sequence'));
          const keys = [...small.neighbours(sequence)].map((one) =>
            small.key(small.encode(small.decode(one))),
          );
          expect(new Set(keys).size).toBe(keys.length);
          expect(keys).not.toContain(small.key(sequence));
          expect(small.countNeighbours(sequence)).toBe(keys.length);
          expect(keys.length > 0).toBe(expected.smallSize > 1n);
        }),
        { numRuns: 20 },
      );
    });

    it('enumerates exactly as many different sequences as it counts, in lexicographic order', () => {
      const sequences = [...small.enumerate()];
      expect(BigInt(sequences.length)).toBe(expected.smallSize);
      expect(small.size()).toBe(expected.smallSize);
      for (let i = 1; i < sequences.length; i++) {
        expect(compareLists(sequences[i - 1]!, sequences[i]!)).toBeLessThan(0);
      }
      const architectures = new Set(sequences.map((sequence) => JSON.stringify(small.decode(sequence))));
      expect(architectures.size).toBe(sequences.length);
    });

    it('counts its sequences exactly', () => {
      expect(space.size()).toBe(expected.size);
    });

    it('keeps its promises: it is deterministic, its blocks are independent, its names have one kind', () => {
      expect(() => checkSpace(space, { sequences: 100, seed: 1 })).not.toThrow();
    });

    it('describes each of its options', () => {
      for (const [name, schema] of Object.entries(definition.options?.shape ?? {}))
        expect((schema as { description?: string }).description, name).toMatch(/\w/);
    });

    it('rejects a misspelt option, even when its schema parses the options alone', () => {
      expect(() => Space.configure(definition, { misspelt: 1 })).toThrow(
        `space ${definition.name} has no option 'misspelt'; `,
      );
      if (definition.options !== undefined) {
        expect(definition.options.safeParse({ misspelt: 1 }).error?.issues[0]).toMatchObject({
          code: 'unrecognized_keys',
          keys: ['misspelt'],
        });
        expect(definition.options.parse({})).toEqual(Space.configure(definition).options);
      }
    });

    it('rejects absurd sizes at once', () => {
      for (const name of Object.keys(definition.options?.shape ?? {}))
        for (const absurd of [1e9, [1e9]])
          expect(() => Space.configure(definition, { [name]: absurd })).toThrow(
            new RegExp(`^space ${definition.name}: option '${name}(\\.0)?' is `),
          );
    });

    it('rejects answers that are not allowed, missing or too many, and names the path', () => {
      const sequence = sequenceOf(1);
      space.trace(sequence).forEach(({ question }, i) => {
        for (const wrong of illegalAnswers(question)) {
          const answers = sequence.map((answer, j) => (j === i ? wrong : answer));
          expect(() => space.decode(answers as Answer[])).toThrow(
            `'${question.path}' is ${JSON.stringify(wrong)}; `,
          );
        }
        expect(() => space.decode(sequence.slice(0, i))).toThrow(
          `'${question.path}' has no answer; there are only ${i} answers`,
        );
      });
      expect(() => space.decode([...sequence, 0])).toThrow('the first too many is 0');
    });

    it('rejects architectures with a value that is not allowed, missing or surplus, and names the path', () => {
      const architecture = space.decode(sequenceOf(1));
      for (const { question } of space.trace(sequenceOf(1))) {
        for (const wrong of ['no such value', undefined]) {
          const broken = structuredClone(architecture);
          setAt(broken, question.path.split('.'), wrong);
          expect(() => space.validate(broken)).toThrow(`'${question.path}' is `);
        }
      }
      expect(() => space.encode({ ...(architecture as object), surplus: 1 })).toThrow(
        "'surplus' is 1, but nothing may stand there",
      );
    });
  });
}

function illegalAnswers(question: Question): unknown[] {
  if (question.kind === 'choice') return [question.options.length, -1, 0.5, [0], '0'];
  const n = question.anchors.length;
  const wrongSize =
    question.size === undefined ? [] : [Array.from({ length: question.size + 1 }, (_, i) => i)];
  return [0, [n], [-1], [0.5], [0, 0], [1, 0], ...wrongSize];
}

function compareLists(a: readonly Answer[], b: readonly Answer[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i]!, b[i]!];
    const order = typeof x === 'number' ? x - (y as number) : compareLists(x, y as readonly number[]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function setAt(value: unknown, [key, ...rest]: string[], to: unknown): void {
  const parent = value as Record<string, unknown>;
  if (rest.length === 0) parent[key!] = to;
  else setAt(parent[key!], rest, to);
}
