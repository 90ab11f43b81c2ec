import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../random/random.js';
import type { Answer, Question } from './language.js';

/** The answers that a question allows: which they are, how many, their order, and their values in an architecture. */

export function isLegal(question: Question, answer: unknown): answer is Answer {
  if (question.kind === 'choice') return isIndex(answer, question.options.length);
  const { anchors, size } = question;
  if (!Array.isArray(answer) || (size !== undefined && answer.length !== size)) return false;
  return answer.every((item, i) => isIndex(item, anchors.length) && (i === 0 || answer[i - 1] < item));
}

function isIndex(value: unknown, length: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < length;
}

/** The allowed answers, for a message: `0 to 3, for 24, 36, 48, 64`. */
export function describeAnswers(question: Question): string {
  if (question.kind === 'subset') return describeSubsets(question.anchors.length, question.size);
  return `0 to ${question.options.length - 1}, for ${describeOptions(question.options)}`;
}

/** The allowed values in an architecture, for a message: `24, 36, 48, 64`. */
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

/** The number of allowed answers, computed without listing them. */
export function countAnswers(question: Question): bigint {
  if (question.kind === 'choice') return BigInt(question.options.length);
  const n = question.anchors.length;
  if (question.size === undefined) return 1n << BigInt(n);
  let ways = 1n;
  for (let i = 0; i < Math.min(question.size, n - question.size); i++)
    ways = (ways * BigInt(n - i)) / BigInt(i + 1);
  return ways;
}

/** The first allowed answer in lexicographic order. */
export function firstAnswer(question: Question): Answer {
  if (question.kind === 'choice') return 0;
  return Array.from({ length: question.size ?? 0 }, (_, i) => i);
}

/** The allowed answer after `answer` in lexicographic order; undefined after the last. */
export function nextAnswer(question: Question, answer: Answer): Answer | undefined {
  if (question.kind === 'choice') {
    const next = (answer as number) + 1;
    return next < question.options.length ? next : undefined;
  }
  const taken = answer as readonly number[];
  const n = question.anchors.length;
  return question.size === undefined ? nextSubset(taken, n) : nextSubsetOfSize(taken, n);
}

/** In lexicographic order, a list precedes the longer lists that begin with it. */
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

/** A random answer: each allowed one is equally likely. Takes one pass over the options or anchors at most. */
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

/** The value in the architecture for an answer: the option itself, or the list of indices taken. */
export function valueFor(question: Question, answer: Answer): unknown {
  return question.kind === 'choice' ? question.options[answer as number] : answer;
}

/** The answer for a value of an architecture; undefined if the question does not allow the value. */
export function answerFor(question: Question, value: unknown): Answer | undefined {
  if (question.kind === 'subset')
    return isLegal(question, value) ? [...(value as readonly number[])] : undefined;
  const index = question.options.findIndex((option) => isDeepStrictEqual(option, value));
  return index < 0 ? undefined : index;
}
