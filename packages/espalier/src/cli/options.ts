import { cpus } from 'node:os';
import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { didYouMean } from '../nearest-name.js';

/** A whole number from `least` to `most`, for commander's options. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`Allowed: a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** A number of threads: see `setThreads`. */
export const threadCount = wholeNumber(1, Math.max(64, cpus().length));

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

/** A file that is the only one: of two, one would be ignored. */
export function oneFile(file: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError(`It follows '${before}'. Allowed: one file.`);
  return file;
}

/**
 * Settings of `--set` with what flags of their own say of the same options.
 *
 * @throws InputError where both set an option, to different values
 */
export function withFlags(
  settings: Readonly<Record<string, Json>>,
  flags: Readonly<Record<string, Json>>,
): Record<string, Json> {
  for (const [name, value] of Object.entries(flags)) {
    const set = settings[name];
    if (set === undefined || set === value) continue;
    throw new InputError(
      `--set ${name}=${JSON.stringify(set)}: a flag sets the same option to ${JSON.stringify(value)}; give one of the two`,
    );
  }
  return { ...settings, ...flags };
}

/** The words before the dot of a setting. */
type Word = 'space' | 'supernet' | 'strategy' | 'estimator' | 'training' | 'table' | 'input';

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
 * @param flag that the settings were given with, for messages
 * @throws InputError for a name that nobody has, and for one that several of the others have
 */
export function shareOut(
  settings: Readonly<Record<string, Json>>,
  owners: readonly Settable[],
  flag = '--set',
): Record<Word, Record<string, Json>> {
  const shares: Record<Word, Record<string, Json>> = {
    space: {},
    supernet: {},
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
    const ofWord = (owner: Settable) => word === undefined || owner.word === word;
    const having = owners.filter((owner) => ofWord(owner) && names(owner).includes(name));
    const first = having.filter(({ word: its }) => its !== 'training' && its !== 'input');
    const candidates = first.length > 0 ? first : having.slice(0, 1);
    const [owner] = candidates;
    if (owner === undefined) {
      const known = owners.map((one) => `${one.owner}: ${names(one).join(', ') || 'none'}`).join('; ');
      const meant = didYouMean(name, owners.filter(ofWord).flatMap(names));
      throw new InputError(
        `${flag} ${key}: there is no such option;${meant} the options are those of ${known}`,
      );
    }
    if (candidates.length > 1)
      throw new InputError(
        `${flag} ${key}: ${candidates.map((one) => one.owner).join(' and ')} both have it; ` +
          `write ${candidates.map((one) => `${one.word}.${name}`).join(' or ')}`,
      );
    if (Object.hasOwn(shares[owner.word], name))
      throw new InputError(`${flag} ${key}: '${name}' of ${owner.owner} is set twice`);
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
