import { countAnswers, valueFor } from '../space/answers.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';

/** What was chosen at the places of one name: `layers.filters` for `layers.0.filters`, `layers.1.filters`, ... */
export interface Choice {
  readonly name: string;
  /** In the order of the questions. */
  readonly values: readonly unknown[];
}

/**
 * The choices of a decision sequence with their values; questions that allow one answer only are none.
 *
 * @throws InputError for answers that do not fit the space
 */
export function choicesOf(space: Space, answers: readonly Answer[]): Choice[] {
  const values = new Map<string, unknown[]>();
  for (const { question, answer } of space.trace(answers)) {
    if (countAnswers(question) === 1n) continue;
    const name = withoutIndices(question.path);
    values.set(name, [...(values.get(name) ?? []), valueFor(question, answer)]);
  }
  return [...values].map(([name, chosen]) => ({ name, values: chosen }));
}

/** `nodes.2.ops.1` as `nodes.ops`; a path of indices alone as it is. */
function withoutIndices(path: string): string {
  const keys = path.split('.').filter((key) => !/^\d+$/.test(key));
  return keys.length === 0 ? path : keys.join('.');
}

/** The values as people read them, one after the other: texts without quotes. */
export function valuesText({ values }: Choice): string {
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ');
}

/** All choices as one text: `layers.filters 24 36; layers.inputs [] [0]`. */
export function choicesText(choices: readonly Choice[]): string {
  return choices.map((choice) => `${choice.name} ${valuesText(choice)}`).join('; ');
}

/** The choices of several architectures without the key that all their names begin with: `filters` for `layers.filters`. */
export function withoutCommonKey(all: readonly (readonly Choice[])[]): Choice[][] {
  const names = all.flatMap((own) => own.map(({ name }) => name));
  const [first = ''] = names;
  const key = first.slice(0, first.indexOf('.') + 1);
  const isCommon = key !== '' && names.every((name) => name.startsWith(key));
  return all.map((own) =>
    own.map(({ name, values }) => ({ name: isCommon ? name.slice(key.length) : name, values })),
  );
}
