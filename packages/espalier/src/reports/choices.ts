import { valueFor } from '../space/answers.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';

/** A choice of an architecture: its path, such as `layers.3.filters`, and the value chosen. */
export interface Choice {
  readonly path: string;
  readonly value: unknown;
}

/** The choices of a decision sequence with their values. @throws InputError for answers that do not fit the space */
export function choicesOf(space: Space, answers: readonly Answer[]): Choice[] {
  return space
    .trace(answers)
    .map(({ question, answer }) => ({ path: question.path, value: valueFor(question, answer) }));
}

/** A value as people read it: a text without quotes. */
export function choiceText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Choices as one text, those of a block together: `layers.0: filterHeight 3, filters 24; layers.1: ...`. */
export function choicesText(choices: readonly Choice[]): string {
  const blocks = new Map<string, string[]>();
  for (const { path, value } of choices) {
    const { block, name } = splitPath(path);
    blocks.set(block, [...(blocks.get(block) ?? []), `${name} ${choiceText(value)}`]);
  }
  return [...blocks]
    .map(([block, named]) => (block === '' ? named.join(', ') : `${block}: ${named.join(', ')}`))
    .join('; ');
}

/** `nodes.2.ops.1` as the block `nodes.2` and the name `ops.1`. */
function splitPath(path: string): { readonly block: string; readonly name: string } {
  const keys = path.split('.');
  const place = keys.findLastIndex((key) => !/^\d+$/.test(key));
  return { block: keys.slice(0, place).join('.'), name: keys.slice(place).join('.') };
}
