import { scaleLinear } from 'd3-scale';
import { area, curveStepAfter, line } from 'd3-shape';
import { chartFrame, rangeOf } from './chart-frame.js';
import { bandFill, bestStroke, type LegendEntry } from './chart-legend.js';
import { shortNumber } from './chart-text.js';
import { type Paint, paint, seriesPaints } from './palette.js';
import { escapeMarkup, type Svg } from './svg.js';

/** Values that hold from `x` up to the `x` of the next step. */
export interface BandStep {
  readonly x: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

interface BandSeries {
  readonly name: string;
  /** Sorted by ascending `x`. */
  readonly steps: readonly BandStep[];
}

export interface BandChart {
  readonly title: string;
  readonly xAxis: string;
  readonly yAxis: string;
  /** Legend text of the lines. */
  readonly line: string;
  /** Legend text of the bands. Omit it for a chart of lines only. */
  readonly band?: string;
  readonly series: readonly BandSeries[];
}

/**
 * Draws step lines with a band around each, as one self-contained SVG element.
 *
 * @throws Error if a coordinate is not finite
 */
export function drawBands(chart: BandChart): Svg {
  const series = chart.series.filter(({ steps }) => steps.length > 0);
  const steps = series.flatMap((one) => one.steps);
  if (!steps.every(({ x, low, middle, high }) => [x, low, middle, high].every(Number.isFinite)))
    throw new Error(`chart "${chart.title}": a coordinate is not finite`);
  // A mean may lie outside of its quartiles.
  const heights = steps.flatMap(({ low, middle, high }) => [low, middle, high]);
  const size = Math.abs(heights[0] ?? 0);
  const y = scaleLinear(rangeOf(heights, size > 1e-6 ? size / 10 : 0.1, [0, 1]), [0, 1]).nice(6);
  const longest = Math.max(0, ...steps.map(({ x }) => x));
  const x = scaleLinear([0, longest > 0 ? longest : 1], [0, 1]);
  const xFormat = x.tickFormat(8);
  const colourOf = (index: number): Paint => seriesPaints[index % seriesPaints.length]!;
  const legend: LegendEntry[][] = [
    series.map(({ name, steps }, index) => ({
      sign: 'search',
      colour: colourOf(index),
      text: `${name}: ${shortNumber(steps.at(-1)!.middle)}`,
    })),
    [
      { sign: 'best', colour: 'muted', text: chart.line },
      ...(chart.band === undefined ? [] : [{ sign: 'band', colour: 'muted', text: chart.band } as const]),
    ],
  ];
  const frame = chartFrame({
    title: chart.title,
    legend,
    xAxis: chart.xAxis,
    yAxis: chart.yAxis,
    x,
    y,
    xTicks: x.ticks(8).map((tick) => [tick, xFormat(tick)] as const),
    below: 0,
  });
  const band = area<BandStep>(
    (step) => x(step.x),
    (step) => y(step.low),
    (step) => y(step.high),
  )
    .digits(2)
    .curve(curveStepAfter);
  const middle = line<BandStep>(
    (step) => x(step.x),
    (step) => y(step.middle),
  )
    .digits(2)
    .curve(curveStepAfter);
  const drawn = [
    ...series.map(
      ({ name, steps }, index) =>
        `<path data-series="${escapeMarkup(name)}" data-measure="band" d="${band(steps)!}" ${bandFill} ${paint({ fill: colourOf(index) })}/>`,
    ),
    ...series.map(
      ({ name, steps }, index) =>
        `<path data-series="${escapeMarkup(name)}" data-measure="middle" d="${middle(steps)!}" ${bestStroke} ${paint({ stroke: colourOf(index) })}/>`,
    ),
  ];
  const sentences = series.map(
    ({ name, steps }) =>
      `${name}: ${shortNumber(steps.at(-1)!.middle)} at ${shortNumber(steps.at(-1)!.x)}, from ${shortNumber(steps.at(-1)!.low)} to ${shortNumber(steps.at(-1)!.high)}.`,
  );
  return frame.finish([`${chart.yAxis} by ${chart.xAxis}.`, ...sentences].join(' '), drawn);
}
