import { type Paint, paint } from './palette.js';
import { escapeMarkup, px } from './svg.js';

/** The width in px of every chart. */
export const pictureWidth = 760;
export const margin = 24;
export const textSize = 11.5;

/** A short text in a chart, on its base line. */
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

/** Four significant digits, and no more than the number has. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
