import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { chartFrame, rangeOf } from './chart-frame.js';
import { averageStroke, bestStroke, type LegendEntry } from './chart-legend.js';
import { shortNumber } from './chart-text.js';
import { type Paint, paint, seriesPaints } from './palette.js';
import { escapeMarkup, px, type Svg } from './svg.js';

export interface LinePoint {
  /** A whole number, such as an epoch. */
  readonly x: number;
  readonly y: number;
}

export interface LineSeries {
  readonly name: string;
  /** Sorted by ascending `x`. */
  readonly points: readonly LinePoint[];
  /** Name of its group, where lines are many: a group has a colour and an entry of the legend, a line has none. */
  readonly group?: string;
  /** Drawn over the others, boldly, and in the colour of the emphasis where the chart has one. */
  readonly emphasised?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly xAxis: string;
  readonly yAxis: string;
  readonly series: readonly LineSeries[];
  /** The groups in the order of their colours; without them each line is a group. */
  readonly groups?: readonly { readonly name: string; readonly colour: Paint }[];
  /** Missing: an emphasised line has the colour of its group. */
  readonly emphasis?: Paint;
}

/** Points of all lines that are drawn as dots, each with its values; of more they would hide the lines. */
const MOST_DOTS = 400;

/**
 * Draws lines through points, as one self-contained SVG element.
 *
 * @throws Error if a coordinate is not finite, or a line is of a group that the chart does not have
 */
export function drawLines(chart: LineChart): Svg {
  const series = chart.series.filter(({ points }) => points.length > 0);
  const points = series.flatMap((one) => one.points);
  if (!points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
    throw new Error(`chart "${chart.title}": a coordinate is not finite`);
  const colourOf = coloursOf(chart, series);
  const heights = points.map(({ y }) => y);
  const size = Math.abs(heights[0] ?? 0);
  const y = scaleLinear(rangeOf(heights, size > 1e-6 ? size / 10 : 0.1, [0, 1]), [0, 1]).nice(6);
  const x = scaleLinear(
    rangeOf(
      points.map((point) => point.x),
      1,
      [0, 10],
    ),
    [0, 1],
  );
  const xFormat = x.tickFormat(8, ',d');
  const frame = chartFrame({
    title: chart.title,
    legend: legendOf(chart, series, colourOf),
    xAxis: chart.xAxis,
    yAxis: chart.yAxis,
    x,
    y,
    xTicks: x
      .ticks(8)
      .filter(Number.isInteger)
      .map((tick) => [tick, xFormat(tick)] as const),
    below: 0,
  });
  const path = line<LinePoint>(
    (point) => x(point.x),
    (point) => y(point.y),
  ).digits(2);
  const hasDots = points.length <= MOST_DOTS;
  const isGrouped = chart.groups !== undefined;
  const drawn = [...series]
    .sort((a, b) => Number(a.emphasised ?? false) - Number(b.emphasised ?? false))
    .map((one) => {
      const colour = colourOf(one);
      const isFaint = isGrouped && !one.emphasised;
      const stroke = isFaint ? `${averageStroke} opacity="0.6"` : bestStroke;
      const dots = one.points.map(
        (point) =>
          `<circle cx="${px(x(point.x))}" cy="${px(y(point.y))}" r="${isFaint ? 2.25 : 3}" ${paint({ fill: colour })}>` +
          `<title>${escapeMarkup(`${one.name}, ${chart.xAxis} ${point.x}: ${shortNumber(point.y)}`)}</title></circle>`,
      );
      return [
        `<g data-series="${escapeMarkup(one.name)}"${one.emphasised ? ' data-emphasised="true"' : ''}>`,
        `<title>${escapeMarkup(one.name)}</title>`,
        `<path d="${path(one.points)!}" ${stroke} ${paint({ stroke: colour })}/>`,
        ...(hasDots ? dots : []),
        '</g>',
      ].join('');
    });
  return frame.finish(describe(chart, series), drawn);
}

function coloursOf(
  { title, groups, emphasis }: LineChart,
  series: readonly LineSeries[],
): (one: LineSeries) => Paint {
  if (groups === undefined) return (one) => seriesPaints[series.indexOf(one) % seriesPaints.length]!;
  const colours = new Map(groups.map(({ name, colour }) => [name, colour]));
  return ({ name, group, emphasised }) => {
    if (emphasised && emphasis !== undefined) return emphasis;
    const colour = colours.get(group ?? '');
    if (colour === undefined) throw new Error(`chart "${title}": line "${name}" is of no group of the chart`);
    return colour;
  };
}

function legendOf(
  { groups }: LineChart,
  series: readonly LineSeries[],
  colourOf: (one: LineSeries) => Paint,
): LegendEntry[][] {
  const entryOf = (one: LineSeries): LegendEntry => ({
    sign: 'line',
    colour: colourOf(one),
    text: `${one.name}: ${shortNumber(one.points.at(-1)!.y)}`,
  });
  if (groups === undefined) return [series.map(entryOf)];
  const emphasised = series.filter((one) => one.emphasised).map(entryOf);
  return [
    groups.map(({ name, colour }) => ({ sign: 'line', colour, text: name })),
    ...(emphasised.length === 0 ? [] : [emphasised]),
  ];
}

function describe({ xAxis, yAxis, groups }: LineChart, series: readonly LineSeries[]): string {
  const told = groups === undefined ? series : series.filter((one) => one.emphasised);
  const sentences = told.map(
    ({ name, points }) =>
      `${name}: ${shortNumber(points[0]!.y)} at ${shortNumber(points[0]!.x)}, ` +
      `${shortNumber(points.at(-1)!.y)} at ${shortNumber(points.at(-1)!.x)}.`,
  );
  const lines = groups === undefined ? [] : [`${series.length} lines.`];
  return [`${yAxis} by ${xAxis}.`, ...lines, ...sentences].join(' ');
}
