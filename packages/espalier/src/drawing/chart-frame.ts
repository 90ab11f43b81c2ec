import type { ScaleLinear } from 'd3-scale';
import { type LegendEntry, writeLegend } from './chart-legend.js';
import { label, margin, pictureWidth, textSize } from './chart-text.js';
import { paint } from './palette.js';
import { escapeMarkup, px, type Svg, svgElement } from './svg.js';
import { textWidth, wrapText } from './text-width.js';

const plotHeight = 300;
const titleSize = 17;
const titleHeight = 23;
const tickLength = 5;
/** The gap before the first value and after the last one, so that no mark sits on the border of the plot. */
const endSpace = 8;

/**
 * The range of the values. If they are all equal, the range extends `halfWidth` to either side; without values it is
 * `fallback`.
 */
export function rangeOf(
  values: readonly number[],
  halfWidth: number,
  fallback: readonly [number, number],
): [number, number] {
  if (values.length === 0) return [...fallback];
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  // Treat differences close to the precision of a double as none: an axis could not label them.
  const least = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high));
  return high - low > least ? [low, high] : [low - halfWidth, high + halfWidth];
}

/** Maps values to coordinates, once it has its range. */
interface ChartScale {
  (value: number): number;
  range(ends: readonly [number, number]): unknown;
}

interface FrameOptions {
  readonly title: string;
  readonly legend: readonly (readonly LegendEntry[])[];
  readonly xAxis: string;
  readonly yAxis: string;
  /** `chartFrame` sets the range of both scales. */
  readonly x: ChartScale;
  readonly y: ScaleLinear<number, number>;
  /** The position and text of each tick. */
  readonly xTicks: readonly (readonly [number, string])[];
  /** Free space below the values, in px. */
  readonly below: number;
}

/** Everything around the values of a chart. */
interface ChartFrame {
  /** The y coordinate of the horizontal axis. The values end above it by the free space that was asked for. */
  readonly bottom: number;
  /** Returns the chart with the drawn values in it. */
  finish(description: string, values: readonly string[]): Svg;
}

/** Draws title, legend, grid and axes of a chart. Afterwards both scales map values to coordinates in px. */
export function chartFrame({ title, legend, xAxis, yAxis, x, y, xTicks, below }: FrameOptions): ChartFrame {
  const yTicks = y.ticks(6);
  const yFormat = y.tickFormat(6);
  const widestNumber = Math.max(...yTicks.map((tick) => Math.ceil(textWidth(yFormat(tick), textSize))));
  const titleLines = wrapText(title, pictureWidth - 2 * margin, titleSize, 'bold');
  const legendTop = margin + titleLines.length * titleHeight + 6;
  const signs = writeLegend(legend, legendTop);

  const left = margin + 24 + widestNumber + 8;
  const right = pictureWidth - margin;
  const top = legendTop + signs.height + 14;
  const bottom = top + plotHeight;
  y.range([bottom - below, top]);
  x.range([left + endSpace, right - endSpace]);

  const grid = yTicks.map((tick) => {
    const height = px(y(tick));
    return `<path d="M${px(left)} ${height}H${px(right)}" ${paint({ stroke: 'grid' })}/>${label(yFormat(tick), left - 8, y(tick) + 4, 'end')}`;
  });
  const axis = [
    `<path d="M${px(left)} ${px(bottom)}H${px(right)}${xTicks.map(([tick]) => `M${px(x(tick))} ${px(bottom)}v${tickLength}`).join('')}" ${paint({ stroke: 'axis' })}/>`,
    ...xTicks.map(([tick, text]) => label(text, x(tick), bottom + 19, 'middle')),
    label(xAxis, (left + right) / 2, bottom + 42, 'middle', 'ink'),
    `<g transform="translate(${px(margin + 9)} ${px((top + bottom) / 2)}) rotate(-90)">${label(yAxis, 0, 0, 'middle', 'ink')}</g>`,
  ];
  const height = bottom + 42 + margin - 4;
  return {
    bottom,
    finish: (description, values) =>
      svgElement({ x: 0, y: 0, width: pictureWidth, height, title, description }, [
        `<rect width="${px(pictureWidth)}" height="${px(height)}" ${paint({ fill: 'paper' })}/>`,
        ...titleLines.map(
          (text, index) =>
            `<text x="${margin}" y="${px(margin + index * titleHeight + titleSize)}" font-size="${titleSize}" font-weight="600" ${paint({ fill: 'ink' })}>${escapeMarkup(text)}</text>`,
        ),
        ...signs.drawn,
        ...grid,
        ...axis,
        ...values,
      ]),
  };
}
