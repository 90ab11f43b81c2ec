/** One size for both height and width, or one for each. */
export type Pair = number | readonly [number, number];

const allowed = (least: number) => `an integer of at least ${least}`;

const isInteger = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

/** @throws RangeError unless `value` is an integer of at least `least` */
export function requireInteger(name: string, value: number, least = 1): number {
  if (!isInteger(value, least))
    throw new RangeError(`${name} must be ${allowed(least)}, not ${shown(value)}`);
  return value;
}

/** @returns the sizes for height and width @throws RangeError unless both are integers of at least `least` */
export function requirePair(name: string, value: Pair, least = 1): readonly [number, number] {
  const both: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (both.length !== 2 || !both.every((one) => isInteger(one, least)))
    throw new RangeError(`${name} must be ${allowed(least)}, or two of them, not ${shown(value)}`);
  return both as readonly [number, number];
}

/** @throws RangeError unless `groups` divides each of the channel counts */
export function requireGroups(groups: number, channels: Readonly<Record<string, number>>): number {
  requireInteger('groups', groups);
  if (Object.values(channels).some((count) => count % groups !== 0)) {
    const counts = Object.entries(channels).map(([name, count]) => `${count} ${name}`);
    throw new RangeError(`${groups} groups do not divide ${counts.join(' and ')}`);
  }
  return groups;
}

/** @throws RangeError unless `epsilon` is a finite number of at least 0 */
export function requireEpsilon(epsilon: number): number {
  if (!(epsilon >= 0 && epsilon < Infinity))
    throw new RangeError(`epsilon must be a number of at least 0, not ${shown(epsilon)}`);
  return epsilon;
}

/** @throws RangeError unless `p` lies in [0, 1] */
export function requireProbability(name: string, p: number): number {
  if (!(p >= 0 && p <= 1))
    throw new RangeError(`${name} must be a probability between 0 and 1, not ${shown(p)}`);
  return p;
}

const shown = (value: unknown): string => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value));
