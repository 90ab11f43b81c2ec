import { inspect, isDeepStrictEqual } from 'node:util';
import type { Question, Step } from './language.js';
import type { Places } from './places.js';

/** The most options or anchors of one question: a controller has a weight for each option. */
const MOST_OFFERED = 10_000;

/**
 * The question that a program yields, with its path.
 *
 * @param anchorsPassed how many subsets the program has asked for so far
 * @throws InputError for a step that breaks a rule of the language
 */
export function toQuestion(step: Step, places: Places, anchorsPassed: number): Question {
  switch (step?.kind) {
    case 'choice': {
      const place = places.question(step.name);
      const options = soundOptions(step.options, (what) => places.broken(`'${place.path}' ${what}`));
      return { kind: 'choice', ...place, options };
    }
    case 'subset': {
      const place = places.question(step.name);
      const broken = (what: string) => places.broken(`'${place.path}' ${what}`);
      if (!Array.isArray(step.anchors)) broken(`offers ${inspect(step.anchors)}; allowed: a list of anchors`);
      requireFew(step.anchors, 'anchors', broken);
      const anchors = step.anchors.map((anchor) => anchor?.index);
      if (!isAscendingBelow(anchors, anchorsPassed))
        broken(`offers the anchors [${anchors}]; allowed: earlier ones, in their order`);
      const { size } = step;
      if (size !== undefined && !(Number.isInteger(size) && size >= 0 && size <= anchors.length))
        broken(`takes ${size} of ${anchors.length} anchors`);
      return { kind: 'subset', ...place, anchors, size };
    }
    default:
      return places.broken(
        'the program yields something that is not a question; write `yield* choose(...)`, with the star',
      );
  }
}

function isAscendingBelow(indices: readonly number[], limit: number): boolean {
  for (let i = 0; i < indices.length; i++) {
    const next = indices[i + 1] ?? limit;
    if (!((indices[i] as number) < next)) return false;
  }
  return true;
}

/**
 * Copies of the lists found sound, by the program's own lists: most programs offer the same few again and again. They are
 * copies because a program may change its list after the question.
 */
const sound = new WeakMap<readonly unknown[], readonly unknown[]>();

/** A copy of the options of a choice. `broken` throws: what is wrong with them. */
function soundOptions(options: readonly unknown[], broken: (what: string) => never): readonly unknown[] {
  if (!Array.isArray(options)) broken(`offers ${inspect(options)}; allowed: a list of options`);
  const known = sound.get(options);
  if (known?.length === options.length && known.every((option, i) => option === options[i])) return known;
  if (options.length === 0) broken('is asked with no options');
  requireFew(options, 'options', broken);
  if (!isSetOfScalars(options)) requireJson(options, broken);
  const copy = [...options];
  sound.set(options, copy);
  return copy;
}

/** Whether all options are texts or numbers, no two equal: this is quickly seen, and most options are. */
function isSetOfScalars(options: readonly unknown[]): boolean {
  const scalar = (option: unknown) => typeof option === 'string' || Number.isFinite(option);
  return options.every(scalar) && new Set(options).size === options.length;
}

function requireJson(options: readonly unknown[], broken: (what: string) => never): void {
  const seen = new Set<string>();
  for (const option of options) {
    const text = jsonOf(option);
    if (text === undefined) broken(`has an option that JSON cannot hold: ${inspect(option)}`);
    if (seen.has(text)) broken(`has the option ${text} twice`);
    seen.add(text);
  }
}

function requireFew(offered: readonly unknown[], what: string, broken: (what: string) => never): void {
  const count = (n: number) => n.toLocaleString('en');
  if (offered.length > MOST_OFFERED)
    broken(`offers ${count(offered.length)} ${what}; allowed: at most ${count(MOST_OFFERED)}`);
}

/** The text of a value in JSON; undefined if the value does not survive it. */
function jsonOf(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value);
    return isDeepStrictEqual(JSON.parse(text), value) ? text : undefined;
  } catch {
    return undefined;
  }
}
