import type { Random } from '../random/random.js';
import type { Answer, Question } from './language.js';

/**
 * The answers near a given one: every other option of a choice; a subset with one item more or less or, where the
 * question fixes the size, with one item exchanged.
 */
export function* nearAnswers(question: Question, answer: Answer): Generator<Answer, void> {
  if (question.kind === 'choice') {
    for (let other = 0; other < question.options.length; other++) if (other !== answer) yield other;
    return;
  }
  const taken = answer as readonly number[];
  if (question.size === undefined) {
    for (const item of question.anchors.keys()) yield flipped(taken, item);
    return;
  }
  const free = freeItems(question.anchors.length, taken);
  for (const out of taken) for (const into of free) yield flipped(flipped(taken, out), into);
}

/** The number of answers near any given one, computed without listing them. */
export function countNearAnswers(question: Question): number {
  if (question.kind === 'choice') return question.options.length - 1;
  const { anchors, size } = question;
  return size === undefined ? anchors.length : size * (anchors.length - size);
}

/** A random answer near a given one: each is equally likely. The question must allow more than one answer. */
export function sampleNearAnswer(question: Question, answer: Answer, random: Random): Answer {
  if (question.kind === 'choice') {
    const other = random.below(question.options.length - 1);
    return other < (answer as number) ? other : other + 1;
  }
  const taken = answer as readonly number[];
  if (question.size === undefined) return flipped(taken, random.below(question.anchors.length));
  const free = freeItems(question.anchors.length, taken);
  const out = taken[random.below(taken.length)] as number;
  return flipped(flipped(taken, out), free[random.below(free.length)] as number);
}

/** An ascending list without `item` if it holds it, and with it otherwise. */
function flipped(taken: readonly number[], item: number): readonly number[] {
  const at = taken.findIndex((one) => one >= item);
  if (at < 0) return [...taken, item];
  return taken[at] === item ? taken.toSpliced(at, 1) : taken.toSpliced(at, 0, item);
}

function freeItems(n: number, taken: readonly number[]): readonly number[] {
  const isTaken = new Set(taken);
  return Array.from({ length: n }, (_, item) => item).filter((item) => !isTaken.has(item));
}
