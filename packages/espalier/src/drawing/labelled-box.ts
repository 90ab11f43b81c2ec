import { paint } from './palette.js';
import type { Rect } from './path.js';
import { px } from './svg.js';

/** @param painted the attributes returned by `paint` for fill and stroke */
export function writeBox({ x, y, width, height }: Rect, radius: number, painted: string): string {
  return `<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" rx="${radius}" stroke-width="1.25" ${painted}/>`;
}

/** Centres markup in a box, at a font size in px. */
export function writeLabel(content: string, { x, y, width, height }: Rect, size: number): string {
  const baseline = y + height / 2 + size * 0.35;
  return `<text x="${px(x + width / 2)}" y="${px(baseline)}" font-size="${size}" text-anchor="middle" ${paint({ fill: 'ink' })}>${content}</text>`;
}
