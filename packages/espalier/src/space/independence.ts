import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../random/random.js';
import { answerFor, sampleAnswer, valueFor } from './answers.js';
import { type AnsweredQuestion, type PlacedQuestion, type ProgramSource, trace } from './trace.js';

/**
 * Looks for a broken promise of independence: a block, or a subset, on whose answers a later question
 * depends. One sheet is sampled, and every block and subset of it is answered anew while the rest is kept.
 *
 * @returns what depends on what, in words; undefined where this sheet shows nothing
 */
export function findDependence(source: ProgramSource<unknown>, random: Random): string | undefined {
  const { asked } = trace(source, ({ question }) => sampleAnswer(question, random));
  const values = new Map(
    asked.map(({ question, answer }) => [question.path, valueFor(question, answer)] as const),
  );
  for (const part of independentParts(asked)) {
    const again = trace(source, (placed) => {
      const { question } = placed;
      if (part.holds(placed)) return sampleAnswer(question, random);
      return answerFor(question, values.get(question.path)) ?? sampleAnswer(question, random);
    });
    const dependent = firstDifference(after(asked, part), after(again.asked, part));
    if (dependent !== undefined) return `${dependent} depends on what was answered in ${part.name}`;
  }
  return undefined;
}

interface IndependentPart {
  readonly name: string;
  holds(placed: PlacedQuestion): boolean;
}

function independentParts(asked: readonly AnsweredQuestion[]): IndependentPart[] {
  const blocks = new Set(asked.flatMap((placed) => placed.blocks));
  const subsets = asked.filter(({ question }) => question.kind === 'subset');
  return [
    ...[...blocks].map((path) => ({
      name: `the block '${path}'`,
      holds: (placed: PlacedQuestion) => placed.blocks.includes(path),
    })),
    ...subsets.map(({ question: { path } }) => ({
      name: `the subset '${path}'`,
      holds: (placed: PlacedQuestion) => placed.question.path === path,
    })),
  ];
}

function after(asked: readonly AnsweredQuestion[], part: IndependentPart): readonly PlacedQuestion[] {
  return asked.slice(asked.findLastIndex(part.holds) + 1);
}

function firstDifference(was: readonly PlacedQuestion[], is: readonly PlacedQuestion[]): string | undefined {
  for (let i = 0; i < Math.max(was.length, is.length); i++) {
    const [before, now] = [was[i]?.question, is[i]?.question];
    if (isDeepStrictEqual(before, now)) continue;
    if (before === undefined) return `whether '${now?.path}' is asked`;
    if (now === undefined || now.path !== before.path) return `whether '${before.path}' is asked`;
    return `what '${before.path}' offers`;
  }
  return undefined;
}
