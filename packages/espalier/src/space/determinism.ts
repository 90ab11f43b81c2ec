import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../random/random.js';
import { sampleAnswer } from './answers.js';
import { comparedQuestions, questionDifference } from './question-difference.js';
import { type PlacedQuestion, type ProgramSource, trace, walk } from './trace.js';

/**
 * Looks for a program that depends on more than its answers, such as `Math.random()` or a variable that outlives a run.
 * Samples one decision sequence and gives its answers a second time.
 *
 * @returns what differs between the two runs, in words; undefined if nothing does
 */
export function findIndeterminism(source: ProgramSource<unknown>, random: Random): string | undefined {
  const { asked, architecture } = trace(source, ({ question }) => sampleAnswer(question, random));
  const again: PlacedQuestion[] = [];
  const questions = walk(source);
  let step = questions.next();
  while (!step.done) {
    again.push(step.value);
    const index = again.length - 1;
    const same = asked[index];
    // The answer may not fit another question, so the second run ends at the first difference.
    if (same === undefined || !isDeepStrictEqual(same.question, step.value.question)) break;
    step = questions.next(same.answer);
  }
  const difference = questionDifference(comparedQuestions(asked), comparedQuestions(again));
  if (difference !== undefined) return difference;
  return isDeepStrictEqual(step.value, architecture) ? undefined : 'the architecture that it returns';
}
