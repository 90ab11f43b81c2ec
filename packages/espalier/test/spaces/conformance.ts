import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import { fromArchitectureFile, toArchitectureFile } from '../../src/space/architecture-file.js';
import { findDependence } from '../../src/space/independence.js';
import type { Answer, Question } from '../../src/space/language.js';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';

interface Expectations {
  /** Options that leave few enough sheets to enumerate them all (some thousands at most). */
  readonly small: object;
  /** The size of the space with these options, computed by hand. */
  readonly smallSize: bigint;
  /** The size of the space with the options of the whole suite, computed by hand. */
  readonly size: bigint;
}

const SHEETS = 1000;
/** A question asked n times with k options misses one of them with probability below k * exp(-n / k). */
const ASKED_ENOUGH = 20;

/** The tests that every search space must pass. */
export function describeSpace(definition: AnySpaceDefinition, options: object, expected: Expectations): void {
  const space = Space.configure(definition, options);
  const small = Space.configure(definition, expected.small);
  const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  const sheetOf = (seed: number) => space.sample(Random.of(seed, 'sheet'));

  describe(`space ${definition.name} with ${JSON.stringify(options)}`, () => {
    it('samples sheets that encode to themselves through architecture, JSON and file', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const sheet = sheetOf(seed);
          const architecture = space.decode(sheet);
          expect(space.encode(architecture)).toEqual(sheet);
          expect(space.validate(architecture)).toEqual(architecture);
          const text = JSON.stringify(architecture);
          expect(JSON.parse(text)).toEqual(architecture);
          expect(space.encode(JSON.parse(text))).toEqual(sheet);
          const file = toArchitectureFile(space, architecture);
          const read = fromArchitectureFile(JSON.parse(JSON.stringify(file)), () => definition);
          expect(read.architecture).toEqual(architecture);
          expect(read.space.options).toEqual(space.options);
        }),
      );
    });

    it('samples the same sheet for the same seed, and another stream for another seed', () => {
      const sheets = (seed: number) => {
        const random = Random.of(seed, 'sheets');
        return Array.from({ length: 50 }, () => space.sample(random));
      };
      expect(sheets(1)).toEqual(sheets(1));
      if (expected.size > 1n) expect(sheets(1)).not.toEqual(sheets(2));
    });

    it('samples every option of every question', () => {
      const random = Random.of(1, 'frequencies');
      const asked = new Map<string, { question: Question; answers: Answer[] }>();
      for (let i = 0; i < SHEETS; i++) {
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

    it('mutates a sheet into another legal one, that differs first where one question was answered anew', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const random = Random.of(seed, 'mutations');
          let sheet: readonly Answer[] = sheetOf(seed);
          for (let i = 0; i < 5; i++) {
            const mutant = space.mutate(sheet, random);
            expect(space.encode(space.decode(mutant))).toEqual(mutant);
            expect(space.key(mutant) === space.key(sheet)).toBe(expected.size === 1n);
            sheet = mutant;
          }
        }),
      );
    });

    it('keeps at every path what a mutation does not touch, where the question is the same', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const before = space.trace(sheetOf(seed));
          const sheet = before.map(({ answer }) => answer);
          const after = space.trace(space.mutate(sheet, Random.of(seed, 'mutation')));
          const kept = new Map(after.map((asked) => [JSON.stringify(asked.question), asked.answer]));
          const changed = before.filter(({ question, answer }) => {
            const now = kept.get(JSON.stringify(question));
            return now !== undefined && JSON.stringify(now) !== JSON.stringify(answer);
          });
          expect(changed.length).toBe(expected.size === 1n ? 0 : 1);
        }),
      );
    });

    it('enumerates exactly as many different sheets as it counts, in lexical order', () => {
      const sheets = [...small.enumerate()];
      expect(BigInt(sheets.length)).toBe(expected.smallSize);
      expect(small.size()).toBe(expected.smallSize);
      for (let i = 1; i < sheets.length; i++) {
        expect(compareLists(sheets[i - 1]!, sheets[i]!)).toBeLessThan(0);
      }
      const architectures = new Set(sheets.map((sheet) => JSON.stringify(small.decode(sheet))));
      expect(architectures.size).toBe(sheets.length);
    });

    it('counts its sheets exactly', () => {
      expect(space.size()).toBe(expected.size);
    });

    it('asks nothing after a block or a subset that depends on the answers within', () => {
      const random = Random.of(1, 'independence');
      for (let i = 0; i < 100; i++) expect(findDependence(space, random)).toBeUndefined();
    });

    it('gives questions of one name one kind', () => {
      const kinds = new Map<string, string>();
      for (let seed = 0; seed < 100; seed++) {
        for (const { question } of space.trace(sheetOf(seed))) {
          expect(kinds.get(question.name) ?? question.kind).toBe(question.kind);
          kinds.set(question.name, question.kind);
        }
      }
    });

    it('rejects answers that are not allowed, missing or too many, and names the path', () => {
      const sheet = sheetOf(1);
      space.trace(sheet).forEach(({ question }, i) => {
        for (const wrong of illegalAnswers(question)) {
          const answers = sheet.map((answer, j) => (j === i ? wrong : answer));
          expect(() => space.decode(answers as Answer[])).toThrow(
            `'${question.path}' is ${JSON.stringify(wrong)}; `,
          );
        }
        expect(() => space.decode(sheet.slice(0, i))).toThrow(
          `'${question.path}' has no answer; there are only ${i} answers`,
        );
      });
      expect(() => space.decode([...sheet, 0])).toThrow('the first too many is 0');
    });

    it('rejects architectures with a value that is not allowed, missing or too much, and names the path', () => {
      const architecture = space.decode(sheetOf(1));
      for (const { question } of space.trace(sheetOf(1))) {
        for (const wrong of ['no such value', undefined]) {
          const broken = structuredClone(architecture);
          setAt(broken, question.path.split('.'), wrong);
          expect(() => space.encode(broken)).toThrow(`'${question.path}' is `);
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
