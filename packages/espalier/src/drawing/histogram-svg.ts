import { bin } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { chartFrame, rangeOf } from './chart-frame.js';
import { paint } from './palette.js';
import { escapeMarkup, px, type Svg } from './svg.js';

export interface Histogram {
  readonly title: string;
  readonly valueAxis: string;
  readonly countAxis: string;
  /** All finite. */
  readonly values: readonly number[];
  /** A value that is marked with a line, and what it is. */
  readonly mark?: { readonly value: number; readonly text: string };
}

/** Bars that are wished for; their borders are round numbers. */
const BARS = 24;

/**
 * Draws how often values fall into which range, as one self-contained SVG element.
 *
 * @throws Error if a value is not finite
 */
export function drawHistogram({ title, valueAxis, countAxis, values, mark }: Histogram): Svg {
  const all = [...values, ...(mark === undefined ? [] : [mark.value])];
  if (!all.every(Number.isFinite)) throw new Error(`histogram "${title}": a value is not finite`);
  const size = Math.abs(all[0] ?? 0);
  const x = scaleLinear(rangeOf(all, size > 1e-6 ? size / 10 : 0.1, [0, 1]), [0, 1]).nice(BARS);
  const [least, most] = x.domain() as [number, number];
  const bins = bin().domain([least, most]).thresholds(x.ticks(BARS))([...values]);
  const y = scaleLinear([0, Math.max(1, ...bins.map(({ length }) => length))], [0, 1]).nice(6);
  const format = x.tickFormat(8);
  const frame = chartFrame({
    title,
    legend: mark === undefined ? [] : [[{ sign: 'line', colour: 'series-2', text: mark.text }]],
    xAxis: valueAxis,
    yAxis: countAxis,
    x,
    y,
    xTicks: x.ticks(8).map((tick) => [tick, format(tick)] as const),
    below: 0,
  });
  const bars = bins
    .filter(({ length }) => length > 0)
    .map((values) => {
      const [left, right, top] = [x(values.x0!), x(values.x1!), y(values.length)];
      return (
        `<rect x="${px(left + 0.5)}" y="${px(top)}" width="${px(Math.max(1, right - left - 1))}" height="${px(frame.bottom - top)}" ${paint({ fill: 'series-1' })} data-count="${values.length}">` +
        `<title>${escapeMarkup(`${format(values.x0!)} to ${format(values.x1!)}: ${values.length}`)}</title></rect>`
      );
    });
  const line =
    mark === undefined
      ? []
      : [
          `<path data-mark="true" d="M${px(x(mark.value))} ${px(y(y.domain()[1]!))}V${px(frame.bottom)}" stroke-width="2" ${paint({ stroke: 'series-2' })}/>`,
        ];
  const told = mark === undefined ? '' : ` ${mark.text}.`;
  return frame.finish(`${countAxis} by ${valueAxis}: ${values.length} values.${told}`, [...bars, ...line]);
}
