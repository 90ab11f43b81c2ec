import type { Path, Point } from './path.js';
import { px } from './svg.js';

function at({ x, y }: Point): string {
  return `${px(x)} ${px(y)}`;
}

/** Writes a path in the syntax of the `d` attribute. */
export function pathData({ start, segments }: Path): string {
  const pieces = segments.map((segment) =>
    segment.kind === 'line'
      ? `L${at(segment.to)}`
      : `C${at(segment.control1)} ${at(segment.control2)} ${at(segment.to)}`,
  );
  return `M${at(start)}${pieces.join('')}`;
}

/** Writes an arrow head in the syntax of the `d` attribute, given the middle of its base and its tip. */
export function arrowHeadData(base: Point, tip: Point, halfWidth: number): string {
  const length = Math.hypot(tip.x - base.x, tip.y - base.y);
  const aside = { x: (-(tip.y - base.y) / length) * halfWidth, y: ((tip.x - base.x) / length) * halfWidth };
  const corners = [
    { x: base.x + aside.x, y: base.y + aside.y },
    { x: base.x - aside.x, y: base.y - aside.y },
  ];
  return `M${at(tip)}L${at(corners[0]!)}L${at(corners[1]!)}Z`;
}
