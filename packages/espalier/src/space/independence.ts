import type { Random } from '../random/random.js';
import { sampleAnswer } from './answers.js';
import { keptAnswers } from './kept-answers.js';
import { type ComparedQuestion, comparedQuestions, questionDifference } from './question-difference.js';
import { type AnsweredQuestion, type PlacedQuestion, type ProgramSource, trace } from './trace.js';

/** In a sequence with more blocks and subsets, so many random ones are looked at. */
const MOST_PARTS = 100;

/** Looking at a part offers all options and anchors of the sequence again. So many are offered for all parts together. */
const MOST_OFFERED = 5_000_000;

/**
 * Looks for a broken promise of independence: a block or a subset whose answers change a later question. Samples one
 * decision sequence, then answers each of its blocks and subsets once more at random and keeps the rest: 100 random ones,
 * if there are more, or fewer in a sequence that offers more than 50,000 options and anchors.
 *
 * @returns what depends on what, in words; undefined if this sequence shows nothing
 */
export function findDependence(source: ProgramSource<unknown>, random: Random): string | undefined {
  const { asked } = trace(source, ({ question }) => sampleAnswer(question, random));
  const kept = keptAnswers(asked);
  const before = comparedQuestions(asked);
  const offered = before.reduce((sum, { offers }) => sum + offers.length, 0);
  const most = Math.min(MOST_PARTS, Math.ceil(MOST_OFFERED / (offered + 1)));
  for (const part of some(independentParts(asked), most, random)) {
    const again = trace(source, (placed) => {
      const { question } = placed;
      if (part.holds(placed)) return sampleAnswer(question, random);
      return kept(question) ?? sampleAnswer(question, random);
    });
    const dependent = questionDifference(
      after(part, asked, before),
      after(part, again.asked, comparedQuestions(again.asked)),
    );
    if (dependent !== undefined) return `${dependent} depends on the answers in ${part.name}`;
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

function some<T>(parts: readonly T[], most: number, random: Random): readonly T[] {
  if (parts.length <= most) return parts;
  const order = random.permutation(parts.length).subarray(0, most);
  return Array.from(order, (index) => parts[index] as T);
}

/** The questions after a part. @param compared those of `asked` */
function after(
  part: IndependentPart,
  asked: readonly AnsweredQuestion[],
  compared: readonly ComparedQuestion[],
): readonly ComparedQuestion[] {
  return compared.slice(asked.findLastIndex(part.holds) + 1);
}
