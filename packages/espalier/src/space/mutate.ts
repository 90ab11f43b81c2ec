import type { Random } from '../random/random.js';
import { anotherAnswer, answerFor, countAnswers, sampleAnswer, valueFor } from './answers.js';
import type { Answer } from './language.js';
import { type AnsweredQuestion, type ProgramSource, trace } from './trace.js';

/**
 * The sheet with another answer to one of its questions, each that leaves a choice equally likely. Later
 * questions keep what stood at their path where it is still allowed, and are answered at random elsewhere.
 * The result differs from the sheet unless the space has no other.
 */
export function mutateSheet(
  source: ProgramSource<unknown>,
  asked: readonly AnsweredQuestion[],
  random: Random,
): Answer[] {
  const open = asked.flatMap(({ question }, i) => (countAnswers(question) > 1n ? [i] : []));
  if (open.length === 0) return asked.map(({ answer }) => answer);
  const changed = open[random.below(open.length)] as number;
  const values = new Map(
    asked.map(({ question, answer }) => [question.path, valueFor(question, answer)] as const),
  );
  const mutant = trace(source, ({ question }, i) => {
    const before = asked[i];
    if (before !== undefined && i < changed) return before.answer;
    if (before !== undefined && i === changed) return anotherAnswer(question, before.answer, random);
    return answerFor(question, values.get(question.path)) ?? sampleAnswer(question, random);
  });
  return mutant.asked.map(({ answer }) => answer);
}
