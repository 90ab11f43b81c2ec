import { scaleLinear } from 'd3-scale';
import { rangeOf } from './chart-frame.js';
import { label, margin, pictureWidth, shortNumber, textSize } from './chart-text.js';
import { paint, seriesPaints } from './palette.js';
import { escapeMarkup, px, type Svg, svgElement } from './svg.js';
import { textWidth, wrapText } from './text-width.js';

interface DotGroup {
  readonly name: string;
  readonly values: readonly number[];
  readonly mean: number;
  /** Confidence interval of the mean, if known. */
  readonly interval?: { readonly low: number; readonly high: number };
}

export interface DotPlot {
  readonly title: string;
  readonly valueAxis: string;
  /** Description of the interval for the legend. */
  readonly interval: string;
  readonly groups: readonly DotGroup[];
}

const titleHeight = 23;
const titleSize = 17;
const rowHeight = 44;
const widestName = 220;
const lineHeight = 15;

/**
 * Draws one row per group, with a dot for each value and below them the mean and its interval, as one self-contained
 * SVG element.
 *
 * @throws Error if a value is not finite
 */
export function drawDots(plot: DotPlot): Svg {
  const all = plot.groups.flatMap(({ values, mean, interval }) => [
    ...values,
    mean,
    ...(interval === undefined ? [] : [interval.low, interval.high]),
  ]);
  if (!all.every(Number.isFinite)) throw new Error(`dot plot "${plot.title}": a value is not finite`);
  const names = plot.groups.map(({ name }) => wrapText(name, widestName, textSize).slice(0, 2));
  const nameWidth = Math.max(0, ...names.flat().map((text) => Math.ceil(textWidth(text, textSize))));
  const titleLines = wrapText(plot.title, pictureWidth - 2 * margin, titleSize, 'bold');
  const left = margin + nameWidth + 16;
  const right = pictureWidth - margin - 8;
  const top = margin + titleLines.length * titleHeight + 28;
  const bottom = top + plot.groups.length * rowHeight;
  const size = Math.abs(all[0] ?? 0);
  const x = scaleLinear(rangeOf(all, size > 1e-6 ? size / 10 : 0.1, [0, 1]), [left, right]).nice(6);
  const ticks = x.ticks(6);
  const format = x.tickFormat(6);
  const rows = plot.groups.map((group, index) => {
    const colour = seriesPaints[index % seriesPaints.length]!;
    const dotsAt = top + index * rowHeight + 15;
    const meanAt = dotsAt + 14;
    const lines = names[index]!;
    const shown = (measure: string, data: string, stroke: string): string =>
      `<path data-group="${escapeMarkup(group.name)}" data-measure="${measure}" d="${data}" ${stroke} ${paint({ stroke: colour })}/>`;
    return [
      ...lines.map((text, line) =>
        label(text, left - 14, dotsAt + 11 + (line - (lines.length - 1) / 2) * lineHeight, 'end', 'ink'),
      ),
      ...(group.interval === undefined
        ? []
        : [
            shown(
              'interval',
              `M${px(x(group.interval.low))} ${px(meanAt)}H${px(x(group.interval.high))}`,
              'stroke-width="2"',
            ),
          ]),
      shown('mean', `M${px(x(group.mean))} ${px(meanAt - 5)}v10`, 'stroke-width="2.5"'),
      shown(
        'values',
        group.values.map((value) => `M${px(x(value))} ${px(dotsAt)}h0`).join(''),
        'stroke-width="7" stroke-linecap="round" opacity="0.55"',
      ),
    ];
  });
  const height = bottom + 42 + margin - 4;
  const description = [
    `${plot.valueAxis}: one dot per run, the mean${plot.groups.some(({ interval }) => interval) ? ` and ${plot.interval}` : ''}.`,
    ...plot.groups.map(
      ({ name, values, mean }) =>
        `${name}: ${values.map(shortNumber).join(', ')}; mean ${shortNumber(mean)}.`,
    ),
  ].join(' ');
  return svgElement({ x: 0, y: 0, width: pictureWidth, height, title: plot.title, description }, [
    `<rect width="${px(pictureWidth)}" height="${px(height)}" ${paint({ fill: 'paper' })}/>`,
    ...titleLines.map(
      (text, index) =>
        `<text x="${margin}" y="${px(margin + index * titleHeight + titleSize)}" font-size="${titleSize}" font-weight="600" ${paint({ fill: 'ink' })}>${escapeMarkup(text)}</text>`,
    ),
    label(
      `one dot per run; below: mean and ${plot.interval}`,
      margin,
      margin + titleLines.length * titleHeight + 10,
      'start',
    ),
    ...ticks.map(
      (tick) =>
        `<path d="M${px(x(tick))} ${px(top)}V${px(bottom)}" ${paint({ stroke: 'grid' })}/>${label(format(tick), x(tick), bottom + 19, 'middle')}`,
    ),
    `<path d="M${px(left)} ${px(bottom)}H${px(right + 8)}" ${paint({ stroke: 'axis' })}/>`,
    label(plot.valueAxis, (left + right) / 2, bottom + 42, 'middle', 'ink'),
    ...rows.flat(),
  ]);
}
