import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { rangeOf } from './chart-frame.js';
import { averageStroke, type LegendEntry, writeLegend } from './chart-legend.js';
import { label, margin, shortNumber, textSize } from './chart-text.js';
import { pictureRoom } from './page-width.js';
import { type Paint, paint, seriesPaints } from './palette.js';
import { escapeMarkup, px, type Svg, svgElement } from './svg.js';
import { symbolMarkup } from './symbol.js';

export interface SmallMultiples {
  readonly title: string;
  readonly xAxis: string;
  readonly yAxis: string;
  /** Names of the lines, which all charts have. */
  readonly lines: readonly string[];
  readonly charts: readonly {
    /** With symbols as in `symbolMarkup`. */
    readonly name: string;
    /** For each line its value at each `x`. */
    readonly values: readonly (readonly number[])[];
    /** The line that is drawn boldly. */
    readonly emphasised?: number;
  }[];
  readonly x: readonly number[];
}

const columns = 4;
const gap = 28;
const plotHeight = 84;
const nameHeight = 22;
const axisHeight = 26;
const titleSize = 17;
const nameSize = 13;

/**
 * Draws many small charts with the same lines and the same scales, side by side, as one self-contained SVG element.
 *
 * @throws Error if a value is not finite, or a chart does not have a value for each line and each `x`
 */
export function drawSmallMultiples({ title, xAxis, yAxis, lines, charts, x: at }: SmallMultiples): Svg {
  for (const { name, values } of charts)
    if (
      values.length !== lines.length ||
      values.some((line) => line.length !== at.length || !line.every(Number.isFinite))
    )
      throw new Error(
        `chart "${title}": "${name}" does not have a finite value for each of ${lines.length} lines at ${at.length} places`,
      );
  const colourOf = (line: number): Paint => seriesPaints[line % seriesPaints.length]!;
  const dashesOf = (line: number): string => (line < seriesPaints.length ? '' : ' stroke-dasharray="5 3"');
  const legendTop = margin + titleSize + 12;
  const legend = writeLegend(
    [
      lines.map((text, line): LegendEntry => {
        return { sign: 'line', colour: colourOf(line), dashes: dashesOf(line), text };
      }),
    ],
    legendTop,
  );
  const numbers = 48;
  const width = (pictureRoom - 2 * margin - (columns - 1) * gap) / columns;
  const top = legendTop + legend.height + 16;
  const rowHeight = nameHeight + plotHeight + axisHeight + 12;
  const all = charts.flatMap(({ values }) => values.flat());
  const y = scaleLinear(rangeOf(all, Math.abs(all[0] ?? 0) / 10 || 0.1, [0, 1]), [plotHeight, 0]).nice(2);
  const x = scaleLinear(rangeOf(at, 1, [0, 10]), [numbers + 4, width - 4]);
  const path = line<number>(
    (_, index) => x(at[index]!),
    (value) => y(value),
  ).digits(2);
  const yFormat = y.tickFormat(2);
  const [first, last] = [at[0], at.at(-1)];
  const ends = first === undefined || last === undefined ? [] : first === last ? [first] : [first, last];
  const drawn = charts.map(({ name, values, emphasised }, place) => {
    const left = margin + (place % columns) * (width + gap);
    const above = top + Math.floor(place / columns) * rowHeight;
    return [
      `<g data-chart="${escapeMarkup(name)}" transform="translate(${px(left)} ${px(above)})">`,
      `<text x="${numbers}" y="${nameSize}" font-size="${nameSize}" ${paint({ fill: 'ink' })}>${symbolMarkup(name, nameSize)}</text>`,
      `<g transform="translate(0 ${nameHeight})">`,
      ...y
        .ticks(2)
        .map(
          (tick) =>
            `<path d="M${numbers} ${px(y(tick))}H${px(width)}" ${paint({ stroke: 'grid' })}/>${label(yFormat(tick), numbers - 6, y(tick) + 4, 'end')}`,
        ),
      ...ends.map((end, index) =>
        label(
          shortNumber(end),
          x(end),
          plotHeight + 17,
          ends.length === 1 ? 'middle' : index === 0 ? 'start' : 'end',
        ),
      ),
      ...[...values.keys()]
        .sort((a, b) => Number(a === emphasised) - Number(b === emphasised))
        .map((index) => {
          const isBold = index === emphasised;
          const stroke = isBold
            ? 'stroke-width="2.75" stroke-linejoin="round" stroke-linecap="round"'
            : `${averageStroke} opacity="0.7"`;
          return (
            `<path data-line="${escapeMarkup(lines[index]!)}"${isBold ? ' data-emphasised="true"' : ''} d="${path([...values[index]!])!}" ${stroke}${dashesOf(index)} ${paint({ stroke: colourOf(index) })}>` +
            `<title>${escapeMarkup(`${lines[index]}: ${shortNumber(values[index]!.at(-1) ?? 0)} at ${xAxis} ${last}`)}</title></path>`
          );
        }),
      '</g></g>',
    ].join('');
  });
  const bottom = top + Math.ceil(charts.length / columns) * rowHeight;
  const height = bottom + textSize + margin / 2;
  const description = [
    `${yAxis} by ${xAxis}, a chart for each of ${charts.map(({ name }) => name).join(', ')}.`,
    ...charts.flatMap(({ name, values, emphasised }) =>
      emphasised === undefined
        ? []
        : [`${name}: ${lines[emphasised]} ${shortNumber(values[emphasised]!.at(-1) ?? 0)} at the end.`],
    ),
  ].join(' ');
  return svgElement({ x: 0, y: 0, width: pictureRoom, height, title, description }, [
    `<rect width="${px(pictureRoom)}" height="${px(height)}" ${paint({ fill: 'paper' })}/>`,
    `<text x="${margin}" y="${margin + titleSize}" font-size="${titleSize}" font-weight="600" ${paint({ fill: 'ink' })}>${escapeMarkup(title)}</text>`,
    ...legend.drawn,
    ...drawn,
    label(`across: ${xAxis}; upwards: ${yAxis}`, margin, bottom + 2, 'start'),
  ]);
}
