import { z } from 'zod';

/** A number that networks are judged by. Plain JSON: the header of every run holds those that it is after. */
export interface Measure {
  /** The key of its values: `accuracy`. */
  readonly name: string;
  readonly better: 'higher' | 'lower';
  /** The least and the greatest value there can be. Missing: there is no such bound. */
  readonly least?: number;
  readonly most?: number;
  /** How people read it: 0.9822 as `98.22%`, 1234567 as `1,234,567`, 62.4 as `62.40`; four significant digits by default. */
  readonly shown?: 'percent' | 'count' | 'hundredths';
}

/** Values by the names of their measures: `{ accuracy: 0.93, loss: 0.31, params: 58_122 }`. */
export type Measures = Readonly<Record<string, number>>;

/** What a search is after. The first measure decides; the others are there for reports and for several objectives. */
export type Objectives = readonly [Measure, ...Measure[]];

const measure = z.strictObject({
  name: z.string().min(1),
  better: z.enum(['higher', 'lower']),
  least: z.exactOptional(z.number()),
  most: z.exactOptional(z.number()),
  shown: z.exactOptional(z.enum(['percent', 'count', 'hundredths'])),
});

/** The objectives in the header of a run. */
export const objectivesSchema = z.tuple([measure], measure) as unknown as z.ZodType<Objectives>;

/** Whether a value is better than another. */
export function isBetter({ better }: Pick<Measure, 'better'>, value: number, than: number): boolean {
  return better === 'higher' ? value > than : value < than;
}

/** The value where higher is better, its negative where lower is. */
export function goodness({ better }: Pick<Measure, 'better'>, value: number): number {
  return better === 'higher' ? value : -value;
}

/** The best of some values; undefined of none. */
export function bestValue(
  { better }: Pick<Measure, 'better'>,
  values: readonly number[],
): number | undefined {
  if (values.length === 0) return undefined;
  return better === 'higher' ? Math.max(...values) : Math.min(...values);
}

/**
 * The value of the measure that decides.
 *
 * @throws TypeError where the measures lack it, or it is outside its range
 */
export function decidingValue([{ name, least, most }]: Objectives, measures: Measures): number {
  const value = measures[name];
  if (value === undefined)
    throw new TypeError(
      `the measures are ${Object.keys(measures).join(', ') || 'none'}; the search is judged by '${name}', which is missing`,
    );
  const tooLow = least !== undefined && value < least;
  const tooHigh = most !== undefined && value > most;
  // Also false for NaN, which is on neither side.
  if (tooLow || tooHigh || !Number.isFinite(value))
    throw new TypeError(`the ${name} is ${value}; allowed: ${rangeText(least, most)}`);
  return value;
}

function rangeText(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  if (least !== undefined) return `${least} and above`;
  return most === undefined ? 'a finite number' : `${most} and below`;
}
