import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';

/** A whole number of at least `least`, for commander's options. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`Allowed: a whole number from ${least} to ${Number.MAX_SAFE_INTEGER}.`);
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new InvalidArgumentError('Allowed: a number above 0.');
  return value;
}

/** Collects `--set key=value`. The value is parsed as JSON if it can be, and is text otherwise. */
export function collectSetting(text: string, before: Record<string, Json>): Record<string, Json> {
  const [, key, value] = /^([\w.]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('Allowed: key=value.');
  try {
    return { ...before, [key]: JSON.parse(value) as Json };
  } catch {
    return { ...before, [key]: value };
  }
}

/** The words before the dot of a setting. */
type Word = 'space' | 'strategy' | 'estimator' | 'training' | 'table' | 'input';

/** Something that has options which `--set` can change. */
export interface Settable {
  readonly word: Word;
  /** For messages: `space zoph-cnn`. */
  readonly owner: string;
  readonly schema: z.ZodObject | undefined;
}

/**
 * Gives each setting to its owner: `space.filters`, `strategy.learningRate`, `training.momentum`, or the name alone
 * where only one has it. A name alone means the training or the input only if nobody else has it.
 *
 * @throws InputError for a name that nobody has, and for one that several of the others have
 */
export function shareOut(
  settings: Readonly<Record<string, Json>>,
  owners: readonly Settable[],
): Record<Word, Record<string, Json>> {
  const shares: Record<Word, Record<string, Json>> = {
    space: {},
    strategy: {},
    estimator: {},
    training: {},
    table: {},
    input: {},
  };
  const names = ({ schema }: Settable) => Object.keys(schema?.shape ?? {});
  for (const [key, value] of Object.entries(settings)) {
    const dot = key.indexOf('.');
    const word = dot < 0 ? undefined : key.slice(0, dot);
    const name = key.slice(dot + 1);
    const having = owners.filter(
      (owner) => (word === undefined || owner.word === word) && names(owner).includes(name),
    );
    const first = having.filter(({ word: its }) => its !== 'training' && its !== 'input');
    const candidates = first.length > 0 ? first : having.slice(0, 1);
    const [owner] = candidates;
    if (owner === undefined) {
      const known = owners.map((one) => `${one.owner}: ${names(one).join(', ') || 'none'}`).join('; ');
      throw new InputError(`--set ${key}: there is no such option; the options are those of ${known}`);
    }
    if (candidates.length > 1)
      throw new InputError(
        `--set ${key}: ${candidates.map((one) => one.owner).join(' and ')} both have it; ` +
          `write ${candidates.map((one) => `${one.word}.${name}`).join(' or ')}`,
      );
    shares[owner.word][name] = value;
  }
  return shares;
}

/** The options of a schema with their names, defaults and descriptions. */
export function describeOptions(
  schema: z.ZodObject | undefined,
): { name: string; default: Json; description: string }[] {
  return Object.entries(schema?.shape ?? {}).map(([name, type]) => {
    const field = type as z.ZodType;
    const parsed = field.safeParse(undefined);
    return {
      name,
      default: (parsed.success ? (parsed.data ?? null) : null) as Json,
      description: field.description ?? '',
    };
  });
}
