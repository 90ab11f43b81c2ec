import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';

/** A whole number of at least `least`, for commander's options. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`Allowed: a whole number, ${least} or more.`);
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new InvalidArgumentError('Allowed: a number above 0.');
  return value;
}

/** Collects `--set key=value`; the value is JSON where it reads as JSON, and text otherwise. */
export function collectSetting(text: string, before: Record<string, Json>): Record<string, Json> {
  const [, key, value] = /^([\w.]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('Allowed: key=value.');
  try {
    return { ...before, [key]: JSON.parse(value) as Json };
  } catch {
    return { ...before, [key]: value };
  }
}

/** Those whose options `--set` can change, by the word before the dot. */
export interface Settable {
  readonly word: 'space' | 'strategy' | 'training';
  /** For messages: `space zoph-cnn`. */
  readonly owner: string;
  readonly schema: z.ZodObject | undefined;
}

/**
 * Gives each setting to its owner: `space.filters`, `strategy.learningRate`, `training.momentum`, or the name alone
 * where only one has it. A name that both a space or strategy and the training have is that of the former.
 *
 * @throws InputError for a name that nobody has, or space and strategy both
 */
export function shareOut(
  settings: Readonly<Record<string, Json>>,
  owners: readonly Settable[],
): Record<Settable['word'], Record<string, Json>> {
  const shares: Record<Settable['word'], Record<string, Json>> = { space: {}, strategy: {}, training: {} };
  const names = ({ schema }: Settable) => Object.keys(schema?.shape ?? {});
  for (const [key, value] of Object.entries(settings)) {
    const dot = key.indexOf('.');
    const word = dot < 0 ? undefined : key.slice(0, dot);
    const name = key.slice(dot + 1);
    const having = owners.filter(
      (owner) => (word === undefined || owner.word === word) && names(owner).includes(name),
    );
    const first = having.filter((owner) => owner.word !== 'training');
    const candidates = first.length > 0 ? first : having;
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

/** The options of a schema as lines of help: name, default, what it is. */
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
