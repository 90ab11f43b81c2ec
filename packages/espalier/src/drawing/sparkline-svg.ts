import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { rangeOf } from './chart-frame.js';
import type { LinePoint } from './line-chart-svg.js';
import { type Paint, paint } from './palette.js';
import { px, type Svg, svgElement } from './svg.js';

export interface Sparkline {
  /** What it is, for readers who cannot see it. */
  readonly description: string;
  /** Sorted by ascending `x`; one at least. */
  readonly points: readonly LinePoint[];
  /** Points that are marked with a dot. */
  readonly marks: readonly { readonly at: LinePoint; readonly colour: Paint }[];
  /** The scales, so that several can be compared. */
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

const width = 132;
const height = 30;
const border = 4;

/** A curve without axes for the cell of a table. */
export function drawSparkline({ description, points, marks, ...range }: Sparkline): Svg {
  const x = scaleLinear(rangeOf(range.x, 1, [0, 1]), [border, width - border]);
  const y = scaleLinear(rangeOf(range.y, 1, [0, 1]), [height - border, border]);
  const path = line<LinePoint>(
    (point) => x(point.x),
    (point) => y(point.y),
  ).digits(1);
  return svgElement({ x: 0, y: 0, width, height, title: description, description: '' }, [
    `<path d="${path(points)!}" stroke-width="1.5" stroke-linejoin="round" ${paint({ stroke: 'axis' })}/>`,
    ...marks.map(
      ({ at, colour }) =>
        `<circle cx="${px(x(at.x))}" cy="${px(y(at.y))}" r="3" ${paint({ fill: colour })}/>`,
    ),
  ]);
}
