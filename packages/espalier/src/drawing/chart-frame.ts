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
/** From the axis line to the first value and from the last one to the right end, so that no mark sits on an edge. */
const endSpace = 8;

/** The range of the values; around a single value, or where there is none, as wide as an axis needs. */
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
  // Differences that doubles can hardly tell apart are not drawn: an axis cannot number them.
  const least = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high));
  return high - low > least ? [low, high] : [low - halfWidth, high + halfWidth];
}

interface FrameOptions {
  readonly title: string;
  readonly legend: readonly (readonly LegendEntry[])[];
  readonly xAxis: string;
  readonly yAxis: string;
  /** Get their ranges here. */
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
  /** With their texts. */
  readonly xTicks: readonly (readonly [number, string])[];
  /** Left free below the values, in px. */
  readonly below: number;
}

/** What stands around the values of a chart. */
interface ChartFrame {
  /** Where values end below, above the axis by what was to be left free. */
  readonly bottom: number;
  /** The chart with its values drawn. */
  finish(description: string, values: readonly string[]): Svg;
}

/** Title, legend, grid and axes of a chart. After it, the scales give coordinates in px. */
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
