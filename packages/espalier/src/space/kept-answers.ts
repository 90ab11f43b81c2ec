import { answerFor, valueFor } from './answers.js';
import type { Answer, Question } from './language.js';
import type { AnsweredQuestion } from './trace.js';

/**
 * The answers of one decision sequence, to be given again in another. A question at a known path is answered with the
 * value that stood there, which may have another index now.
 *
 * @returns the answer to a question; undefined if its path is new or no longer allows the value
 */
export function keptAnswers(asked: readonly AnsweredQuestion[]): (question: Question) => Answer | undefined {
  const values = new Map(
    asked.map(({ question, answer }) => [question.path, valueFor(question, answer)] as const),
  );
  return (question) => answerFor(question, values.get(question.path));
}
