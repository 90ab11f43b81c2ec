import type { Random } from '../random/random.js';
import { sampleAnswer } from './answers.js';
import { keptAnswers } from './kept-answers.js';
import type { Answer } from './language.js';
import { countNearAnswers, sampleNearAnswer } from './near-answers.js';
import { type AnsweredQuestion, type ProgramSource, trace } from './trace.js';

/**
 * The decision sequence with a near answer (`nearAnswers`) to one of its questions. Each question that allows several
 * answers is equally likely. Later questions keep the value at their path where it is still allowed and are answered at
 * random elsewhere. The result differs from the original unless the space has only one sequence.
 */
export function mutateSequence(
  source: ProgramSource<unknown>,
  asked: readonly AnsweredQuestion[],
  random: Random,
): Answer[] {
  const open = asked.flatMap(({ question }, i) => (countNearAnswers(question) > 0 ? [i] : []));
  if (open.length === 0) return asked.map(({ answer }) => answer);
  const changed = open[random.below(open.length)] as number;
  const kept = keptAnswers(asked);
  const { answer } = asked[changed] as AnsweredQuestion;
  const mutant = trace(source, ({ question }, i) => {
    if (i === changed) return sampleNearAnswer(question, answer, random);
    return kept(question) ?? sampleAnswer(question, random);
  });
  return mutant.asked.map((one) => one.answer);
}
