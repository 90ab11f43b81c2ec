import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../random/random.js';
import type { Answer, Question } from './language.js';

/** The answers that one question allows: which they are, how many, their order, and their place in an architecture. */

export function isLegal(question: Question, answer: unknown): answer is Answer {
  if (question.kind === 'choice') return isIndex(answer, question.options.length);
  const { anchors, size } = question;
  if (!Array.isArray(answer) || (size !== undefined && answer.length !== size)) return false;
  return answer.every((item, i) => isIndex(item, anchors.length) && (i === 0 || answer[i - 1] < item));
}

function isIndex(value: unknown, length: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < length;
}

/** What an answer may be, for a message: `0 to 3, for 24, 36, 48, 64`. */
export function describeAnswers(question: Question): string {
  if (question.kind === 'subset') return describeSubsets(question.anchors.length, question.size);
  return `0 to ${question.options.length - 1}, for ${describeOptions(question.options)}`;
}

/** What may stand in the architecture, for a message: `24, 36, 48, 64`. */
export function describeValues(question: Question): string {
  if (question.kind === 'subset') return describeSubsets(question.anchors.length, question.size);
  return describeOptions(question.options);
}

function describeSubsets(n: number, size: number | undefined): string {
  if (n === 0 || size === 0) return 'the empty list';
  return `a list of ${size === undefined ? '' : `${size} `}different ascending numbers from 0 to ${n - 1}`;
}

const MOST_OPTIONS_SHOWN = 20;

function describeOptions(options: readonly unknown[]): string {
  const shown = options.slice(0, MOST_OPTIONS_SHOWN).map((option) => JSON.stringify(option));
  if (shown.length < options.length) shown.push(`... (${options.length} in all)`);
  return shown.join(', ');
}

export function countAnswers(question: Question): bigint {
  if (question.kind === 'choice') return BigInt(question.options.length);
  const n = question.anchors.length;
  if (question.size === undefined) return 1n << BigInt(n);
  let ways = 1n;
  for (let i = 0; i < question.size; i++) ways = (ways * BigInt(n - i)) / BigInt(i + 1);
  return ways;
}

/** The first answer in lexical order; the one after `answer`, undefined after the last. */
export function firstAnswer(question: Question): Answer {
  if (question.kind === 'choice') return 0;
  return Array.from({ length: question.size ?? 0 }, (_, i) => i);
}

export function nextAnswer(question: Question, answer: Answer): Answer | undefined {
  if (question.kind === 'choice') {
    const next = (answer as number) + 1;
    return next < question.options.length ? next : undefined;
  }
  const taken = answer as readonly number[];
  const n = question.anchors.length;
  return question.size === undefined ? nextSubset(taken, n) : nextSubsetOfSize(taken, n);
}

/** Lexical order: a list stands before the longer ones that begin with it. */
function nextSubset(taken: readonly number[], n: number): Answer | undefined {
  const last = taken.at(-1) ?? -1;
  if (last < n - 1) return [...taken, last + 1];
  const rest = taken.slice(0, -1);
  const raised = rest.pop();
  return raised === undefined ? undefined : [...rest, raised + 1];
}

function nextSubsetOfSize(taken: readonly number[], n: number): Answer | undefined {
  const size = taken.length;
  for (let i = size - 1; i >= 0; i--) {
    const item = taken[i] as number;
    if (item < n - (size - i)) {
      return taken.map((kept, j) => (j < i ? kept : item + 1 + j - i));
    }
  }
  return undefined;
}

/** One of the answers, each equally likely. */
export function sampleAnswer(question: Question, random: Random): Answer {
  if (question.kind === 'choice') return random.below(question.options.length);
  const { anchors, size } = question;
  const taken: number[] = [];
  for (let i = 0; i < anchors.length; i++) {
    const takes =
      size === undefined ? random.below(2) === 1 : random.below(anchors.length - i) < size - taken.length;
    if (takes) taken.push(i);
  }
  return taken;
}

/**
 * Another answer, near `answer`: any other option of a choice; a subset with one item more or less, or with
 * one item exchanged where the size is given. The question must allow more than one answer.
 */
export function anotherAnswer(question: Question, answer: Answer, random: Random): Answer {
  if (question.kind === 'choice') {
    const other = random.below(question.options.length - 1);
    return other < (answer as number) ? other : other + 1;
  }
  const taken = new Set(answer as readonly number[]);
  if (question.size === undefined) {
    const flipped = random.below(question.anchors.length);
    if (!taken.delete(flipped)) taken.add(flipped);
  } else {
    const free = question.anchors.map((_, i) => i).filter((i) => !taken.has(i));
    taken.delete((answer as readonly number[])[random.below(question.size)] as number);
    taken.add(free[random.below(free.length)] as number);
  }
  return [...taken].sort((a, b) => a - b);
}

/** What stands in the architecture for an answer: the option itself, or the list of indices taken. */
export function valueFor(question: Question, answer: Answer): unknown {
  return question.kind === 'choice' ? question.options[answer as number] : answer;
}

/** The answer that a value of an architecture stands for; undefined where the question does not allow it. */
export function answerFor(question: Question, value: unknown): Answer | undefined {
  if (question.kind === 'subset')
    return isLegal(question, value) ? [...(value as readonly number[])] : undefined;
  const index = question.options.findIndex((option) => isDeepStrictEqual(option, value));
  return index < 0 ? undefined : index;
}
