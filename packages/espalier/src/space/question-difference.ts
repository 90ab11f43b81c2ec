import { isDeepStrictEqual } from 'node:util';
import type { PlacedQuestion } from './trace.js';

/** A question in the form in which two runs are compared. */
export interface ComparedQuestion {
  readonly path: string;
  readonly kind: string;
  /** Options, or the paths of the anchors: the index of an anchor shifts with the number of subsets before it. */
  readonly offers: readonly unknown[];
  readonly size: number | undefined;
}

/** All questions of a run, from the first one on. */
export function comparedQuestions(asked: readonly PlacedQuestion[]): readonly ComparedQuestion[] {
  const anchorPaths: string[] = [];
  return asked.map(({ question }) => {
    const { path, kind } = question;
    if (question.kind === 'choice') return { path, kind, offers: question.options, size: undefined };
    const offers = question.anchors.map((index) => anchorPaths[index]);
    anchorPaths.push(path);
    return { path, kind, offers, size: question.size };
  });
}

function areEqual(one: ComparedQuestion | undefined, other: ComparedQuestion | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.path === other.path &&
    one.kind === other.kind &&
    one.size === other.size &&
    one.offers.length === other.offers.length &&
    // Most are texts or numbers, and there may be a thousand in each of a thousand questions.
    one.offers.every((offer, i) => offer === other.offers[i] || isDeepStrictEqual(offer, other.offers[i]))
  );
}

/** The first difference between the questions of two runs, in words; undefined if there is none. */
export function questionDifference(
  first: readonly ComparedQuestion[],
  second: readonly ComparedQuestion[],
): string | undefined {
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    const [before, now] = [first[i], second[i]];
    if (areEqual(before, now)) continue;
    if (before === undefined) return `whether '${now?.path}' is asked`;
    if (now === undefined || now.path !== before.path) return `whether '${before.path}' is asked`;
    return `what '${before.path}' offers`;
  }
  return undefined;
}
