import { scaleLinear, scaleLog } from 'd3-scale';
import { curveStepAfter, line } from 'd3-shape';
import { chartFrame, rangeOf } from './chart-frame.js';
import { frontierStroke, type LegendEntry } from './chart-legend.js';
import { type Paint, paint } from './palette.js';
import { escapeMarkup, px, type Svg } from './svg.js';

interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** What a reader who points at it is told. */
  readonly name: string;
  readonly group: string;
  /** Ringed. */
  readonly emphasised?: boolean;
}

export interface Scatter {
  readonly title: string;
  readonly xAxis: string;
  readonly yAxis: string;
  readonly points: readonly ScatterPoint[];
  /** In the order of the legend; a single group has no entry. */
  readonly groups: readonly { readonly name: string; readonly colour: Paint }[];
  /**
   * Where some `y` are better: draws the points that none of smaller or equal `x` beats, as a line with this text in the
   * legend.
   */
  readonly frontier?: { readonly better: 'higher' | 'lower'; readonly text: string };
}

/** Of more points only those that stand out say what they are: a page must not become too large. */
const MOST_NAMED = 2000;

/** From this quotient of the largest and the smallest `x` on the scale is logarithmic. */
const WIDE = 8;

/** The points that no point of smaller or equal `x` beats, by ascending `x`. */
export function frontierOf<P extends { readonly x: number; readonly y: number }>(
  points: readonly P[],
  better: 'higher' | 'lower',
): P[] {
  const sign = better === 'higher' ? 1 : -1;
  const frontier: P[] = [];
  for (const point of [...points].sort((a, b) => a.x - b.x || sign * (b.y - a.y))) {
    const last = frontier.at(-1);
    if (last === undefined || sign * (point.y - last.y) > 0) frontier.push(point);
  }
  return frontier;
}

/**
 * Draws a dot for each point, as one self-contained SVG element.
 *
 * @throws Error if a coordinate is not finite
 */
export function drawScatter({ title, xAxis, yAxis, points, groups, frontier }: Scatter): Svg {
  if (!points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
    throw new Error(`chart "${title}": a coordinate is not finite`);
  const heights = points.map((point) => point.y);
  const size = Math.abs(heights[0] ?? 0);
  const y = scaleLinear(rangeOf(heights, size > 1e-6 ? size / 10 : 0.1, [0, 1]), [0, 1]).nice(6);
  const widths = points.map((point) => point.x);
  const [least, most] = rangeOf(widths, Math.max(1, Math.abs(widths[0] ?? 0) / 10), [0, 10]);
  const x =
    least > 0 && most / least >= WIDE ? scaleLog([least, most], [0, 1]) : scaleLinear([least, most], [0, 1]);
  // Thousands as `20k`; smaller numbers as they are.
  const format = most < 1000 ? x.tickFormat(6) : x.tickFormat(6, '~s');
  const colours = new Map(groups.map(({ name, colour }) => [name, colour]));
  const legend: LegendEntry[] = [
    ...(groups.length > 1
      ? groups.map(({ name, colour }) => ({ sign: 'dot', colour, text: name }) as const)
      : []),
    ...(frontier === undefined ? [] : [{ sign: 'frontier', colour: 'muted', text: frontier.text } as const]),
  ];
  const frame = chartFrame({
    title,
    legend: legend.length === 0 ? [] : [legend],
    xAxis,
    yAxis,
    x,
    y,
    // A logarithmic scale leaves the text of some ticks out.
    xTicks: x
      .ticks(6)
      .map((tick) => [tick, format(tick)] as const)
      .filter(([, text]) => text !== ''),
    below: 0,
  });
  const best = frontier === undefined ? [] : frontierOf(points, frontier.better);
  const steps = line<ScatterPoint>(
    (point) => x(point.x),
    (point) => y(point.y),
  )
    .digits(2)
    .curve(curveStepAfter);
  const dots = points.map((point) => {
    const colour = colours.get(point.group);
    if (colour === undefined)
      throw new Error(`chart "${title}": "${point.name}" is of no group of the chart`);
    const [left, top] = [px(x(point.x)), px(y(point.y))];
    const ring = point.emphasised
      ? `<circle cx="${left}" cy="${top}" r="8" stroke-width="2" ${paint({ stroke: 'ink' })} data-emphasised="true"/>`
      : '';
    const isNamed = points.length <= MOST_NAMED || point.emphasised;
    return [
      `${ring}<circle cx="${left}" cy="${top}" r="${points.length <= MOST_NAMED ? 4 : 2.5}" fill-opacity="0.75" ${paint({ fill: colour })}`,
      isNamed
        ? ` data-point="${escapeMarkup(point.group)}"><title>${escapeMarkup(point.name)}</title></circle>`
        : '/>',
    ].join('');
  });
  const told = points.filter((point) => point.emphasised).map(({ name }) => `${name}.`);
  return frame.finish([`${yAxis} by ${xAxis} of ${points.length} points.`, ...told].join(' '), [
    ...(best.length === 0
      ? []
      : [
          `<path data-measure="frontier" d="${steps(best)!}" ${frontierStroke} ${paint({ stroke: 'muted' })}/>`,
        ]),
    ...dots,
  ]);
}
