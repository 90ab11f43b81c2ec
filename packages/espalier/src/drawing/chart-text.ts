import { type Paint, paint } from './palette.js';
import { escapeMarkup, px } from './svg.js';

/** The width of every chart, in px. */
export const pictureWidth = 760;
export const margin = 24;
export const textSize = 11.5;

/** Draws a short text in a chart, with its baseline at `y`. */
export function label(
  text: string,
  x: number,
  y: number,
  anchor: 'start' | 'middle' | 'end',
  colour: Paint = 'muted',
): string {
  const anchored = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${px(x)}" y="${px(y)}" font-size="${textSize}"${anchored} ${paint({ fill: colour })}>${escapeMarkup(text)}</text>`;
}

/** Formats a number with at most four significant digits, without trailing zeros. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
