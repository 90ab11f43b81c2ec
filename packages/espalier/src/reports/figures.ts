/** Numbers as people read them: on the terminal and in reports. */
import type { Measure } from '../measures/measure.js';
import { measures } from '../measures/measure-names.js';

/** `accuracy` as `Accuracy`. */
export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** 1234567 as `1,234,567`. */
export function count(value: number | bigint): string {
  return value.toLocaleString('en-US');
}

/** The value of a measure as the measure is shown: an accuracy as `98.22%`, a perplexity as `62.40`. */
export function valueText(measure: Pick<Measure, 'shown'> | string, value: number): string {
  const { shown } = typeof measure === 'string' ? (measures.get(measure) ?? {}) : measure;
  switch (shown) {
    case 'percent':
      return percent(value);
    case 'count':
      return count(value);
    case 'hundredths':
      // The perplexity of a network that was never trained as it is used may be anything.
      return value < 1e9 ? value.toFixed(2) : value.toExponential(2);
    default:
      return Number(value.toPrecision(4)).toString();
  }
}

/** 0.98217 as `98.22%`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}

/** Bytes as `312 B`, `4.5 KiB`, `1.2 MiB` or `16.5 GiB`. */
export function bytes(value: number): string {
  if (value < 2 ** 10) return `${value} B`;
  const [unit, name] =
    value < 2 ** 20 ? [2 ** 10, 'KiB'] : value < 2 ** 30 ? [2 ** 20, 'MiB'] : [2 ** 30, 'GiB'];
  return `${(value / unit).toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 })} ${name}`;
}

/** 1234.567 as `1,234.57`. */
export function milliseconds(value: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** Seconds as `8 s`, `3:05` or `2:03:05`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (number: number) => String(number).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
