import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../json.js';

/** Where two values differ, and what each has there: `nothing` if it lacks the key. */
export interface Difference {
  /** The path of keys within the event, joined by dots; empty for the whole event. */
  readonly path: string;
  readonly ours: string;
  readonly theirs: string;
}

/** The first key, at any depth, in which two values differ. Events of different kinds differ as a whole. */
export function firstDifference(
  ours: Json | undefined,
  theirs: Json | undefined,
  path = '',
): Difference | undefined {
  if (isDeepStrictEqual(ours, theirs)) return undefined;
  const whole = { path, ours: shorten(JSON.stringify(ours)), theirs: shorten(JSON.stringify(theirs)) };
  if (!isObject(ours) || !isObject(theirs) || ours.event !== theirs.event) return whole;
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const inner = firstDifference(ours[key], theirs[key], path === '' ? key : `${path}.${key}`);
    if (inner !== undefined) return inner;
  }
  return whole;
}

function isObject(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null;
}

const MOST_SHOWN = 200;

/** A text, shortened to fit on one line of a message. */
export function shorten(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  const line = text.trimEnd();
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}...` : line;
}
