import { firstAnswer } from './answers.js';
import { keptAnswers } from './kept-answers.js';
import type { Answer } from './language.js';
import { countNearAnswers, nearAnswers } from './near-answers.js';
import { type AnsweredQuestion, type ProgramSource, trace } from './trace.js';

/**
 * The neighbours of a decision sequence, lazily: one question after the other gets each near answer (`nearAnswers`).
 * Later questions keep the value at their path where it is still allowed and get their first answer elsewhere.
 *
 * Two neighbours differ in the question that was answered anew or in its answer, so none comes twice, and none is the
 * sequence itself.
 */
export function* neighboursOf(
  source: ProgramSource<unknown>,
  asked: readonly AnsweredQuestion[],
): Generator<readonly Answer[], void> {
  const kept = keptAnswers(asked);
  for (const [changed, { question, answer }] of asked.entries()) {
    for (const near of nearAnswers(question, answer)) {
      const neighbour = trace(source, (placed, i) => {
        return i === changed ? near : (kept(placed.question) ?? firstAnswer(placed.question));
      });
      yield neighbour.asked.map((one) => one.answer);
    }
  }
}

/** The number of neighbours, computed without listing them. */
export function countNeighbours(asked: readonly AnsweredQuestion[]): number {
  return asked.reduce((sum, { question }) => sum + countNearAnswers(question), 0);
}
