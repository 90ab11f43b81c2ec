import { scaleLinear } from 'd3-scale';
import { curveStepAfter, line } from 'd3-shape';
import { bestMark, type CurveChart, type Mark, type Series, seriesOf } from './curve-series.js';
import { legendRows } from './legend-rows.js';
import { type Paint, paint } from './palette.js';
import { escapeMarkup, px, type Svg, svgElement } from './svg.js';
import { textWidth, wrapText } from './text-width.js';

const pictureWidth = 760;
const plotHeight = 300;
const margin = 24;
const titleSize = 17;
const titleHeight = 23;
const textSize = 11.5;
const legendHeight = 20;
const signWidth = 24;
const signGap = 6;
const tickLength = 5;
/** From the axis line to the first trial and from the last one to the right end, so that no mark sits on an edge. */
const endSpace = 8;
/** The height that the crosses of one search's failed trials take, below all rewards. */
const failedHeight = 12;

type SignKind = 'search' | 'dot' | 'average' | 'best' | 'failed';

interface LegendEntry {
  readonly sign: SignKind;
  readonly colour: Paint;
  readonly text: string;
  readonly dashes?: string;
}

// Round caps make a dot of a line through a single trial.
const averageStroke = 'stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"';
const bestStroke = 'stroke-width="2.25" stroke-linejoin="round" stroke-linecap="round"';

/** A cross of two strokes around a point. */
function cross(x: number, y: number): string {
  return `M${px(x - 3)} ${px(y - 3)}l6 6m0 -6l-6 6`;
}

function writeSign({ sign, colour, dashes }: LegendEntry, x: number, y: number): string {
  const right = px(x + signWidth);
  switch (sign) {
    case 'search':
      return `<path d="M${px(x)} ${px(y)}H${right}" stroke-width="4"${dashes ?? ''} ${paint({ stroke: colour })}/>`;
    case 'dot':
      return `<path d="M${px(x + signWidth / 2)} ${px(y)}h0" stroke-width="5" stroke-linecap="round" opacity="0.55" ${paint({ stroke: colour })}/>`;
    case 'average':
      return `<path d="M${px(x)} ${px(y)}H${right}" ${averageStroke} ${paint({ stroke: colour })}/>`;
    case 'best':
      return `<path d="M${px(x)} ${px(y + 4)}h12v-8H${right}" ${bestStroke} ${paint({ stroke: colour })}/>`;
    case 'failed':
      return `<path d="${cross(x + signWidth / 2, y)}" stroke-width="1.5" ${paint({ stroke: colour })}/>`;
  }
}

/** The range of the values; around a single value, or where there is none, as wide as an axis needs. */
function rangeOf(
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

function label(
  text: string,
  x: number,
  y: number,
  anchor: 'start' | 'middle' | 'end',
  colour: Paint = 'muted',
): string {
  const anchored = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${px(x)}" y="${px(y)}" font-size="${textSize}"${anchored} ${paint({ fill: colour })}>${escapeMarkup(text)}</text>`;
}

/** Four significant digits, and no more than the number has. */
function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** One row group for the searches, where there are several, and one for what the signs mean. */
function legendGroups(chart: CurveChart, allSeries: readonly Series[]): LegendEntry[][] {
  const [first] = allSeries;
  if (first === undefined) return [];
  const isAlone = allSeries.length === 1;
  const result = (series: Series): string => {
    const best = bestMark(series);
    return best === undefined
      ? `no ${chart.trialAxis} finished`
      : `${shortNumber(best.reward)} at ${chart.trialAxis} ${best.trial}`;
  };
  const colourOf = (paintOf: Paint): Paint => (isAlone ? paintOf : 'muted');
  const signs: LegendEntry[] = [
    { sign: 'dot', colour: colourOf(first.colours.mark), text: chart.trialAxis },
    { sign: 'average', colour: colourOf(first.colours.average), text: `moving average of ${chart.window}` },
    {
      sign: 'best',
      colour: colourOf(first.colours.best),
      text: isAlone ? `best so far: ${result(first)}` : 'best so far',
    },
  ];
  if (allSeries.some((series) => series.failed.length > 0)) {
    signs.push({ sign: 'failed', colour: isAlone ? 'failed' : 'muted', text: `failed ${chart.trialAxis}` });
  }
  if (isAlone) return [signs];
  const searches = allSeries.map((series): LegendEntry => {
    return {
      sign: 'search',
      colour: series.colours.best,
      dashes: series.dashes,
      text: `${series.name}: ${result(series)}`,
    };
  });
  return [searches, signs];
}

/** The legend below `top`, and how high it is. */
function writeLegend(
  groups: readonly (readonly LegendEntry[])[],
  top: number,
): { drawn: string[]; height: number } {
  const drawn: string[] = [];
  const width = pictureWidth - 2 * margin;
  let rows = 0;
  for (const group of groups) {
    const texts = group.map(({ text }) => {
      const [start = '', ...rest] = wrapText(text, width - signWidth - signGap - textSize, textSize);
      return rest.length > 0 ? `${start}…` : start;
    });
    const slots = legendRows(
      texts.map((text) => signWidth + signGap + Math.ceil(textWidth(text, textSize))),
      width,
    );
    for (const [index, entry] of group.entries()) {
      const x = margin + slots[index]!.offset;
      const y = top + (rows + slots[index]!.row) * legendHeight + legendHeight / 2;
      drawn.push(writeSign(entry, x, y), label(texts[index]!, x + signWidth + signGap, y + 4, 'start'));
    }
    rows += 1 + (slots.at(-1)?.row ?? -1);
  }
  return { drawn, height: rows * legendHeight };
}

function describe(chart: CurveChart, allSeries: readonly Series[]): string {
  const sentences = allSeries.map((series) => {
    const best = bestMark(series);
    const result =
      best === undefined
        ? `no ${chart.trialAxis} finished`
        : `best ${shortNumber(best.reward)} at ${chart.trialAxis} ${best.trial}`;
    return `${series.name}: ${series.failed.length} of ${series.marks.length + series.failed.length} failed, ${result}.`;
  });
  return [`${chart.rewardAxis} by ${chart.trialAxis}.`, ...sentences].join(' ');
}

/**
 * A line chart as one SVG element that needs nothing else: for each search a dot for every finished trial, the
 * moving average, the best so far as steps, and a cross below for every failed trial.
 * @throws Error when a reward is not finite or the window is not a positive integer.
 */
export function drawCurves(chart: CurveChart): Svg {
  const allSeries = seriesOf(chart);
  const trials = chart.searches.flatMap((search) => search.trials.map(({ trial }) => trial));
  const rewards = allSeries.flatMap((series) => series.marks.map(({ reward }) => reward));
  const size = Math.abs(rewards[0] ?? 0);
  const flat = size > 1e-6 ? size / 10 : 0.1;
  const y = scaleLinear(rangeOf(rewards, flat, [0, 1]), [0, 1]).nice(6);
  const x = scaleLinear(rangeOf(trials, 1, [0, 10]), [0, 1]);

  const yTicks = y.ticks(6);
  const yFormat = y.tickFormat(6);
  const widestNumber = Math.max(...yTicks.map((tick) => Math.ceil(textWidth(yFormat(tick), textSize))));
  const titleLines = wrapText(chart.title, pictureWidth - 2 * margin, titleSize, 'bold');
  const legendTop = margin + titleLines.length * titleHeight + 6;
  const legend = writeLegend(legendGroups(chart, allSeries), legendTop);

  const left = margin + 24 + widestNumber + 8;
  const right = pictureWidth - margin;
  const top = legendTop + legend.height + 14;
  const bottom = top + plotHeight;
  const failing = allSeries.filter((series) => series.failed.length > 0);
  y.range([bottom - failing.length * failedHeight - (failing.length > 0 ? 6 : 0), top]);
  x.range([left + endSpace, right - endSpace]);

  const grid = yTicks.map((tick) => {
    const height = px(y(tick));
    return `<path d="M${px(left)} ${height}H${px(right)}" ${paint({ stroke: 'grid' })}/>${label(yFormat(tick), left - 8, y(tick) + 4, 'end')}`;
  });
  const xFormat = x.tickFormat(8, ',d');
  const xTicks = x.ticks(8).filter(Number.isInteger);
  const axis = [
    `<path d="M${px(left)} ${px(bottom)}H${px(right)}${xTicks.map((tick) => `M${px(x(tick))} ${px(bottom)}v${tickLength}`).join('')}" ${paint({ stroke: 'axis' })}/>`,
    ...xTicks.map((tick) => label(xFormat(tick), x(tick), bottom + 19, 'middle')),
    label(chart.trialAxis, (left + right) / 2, bottom + 42, 'middle', 'ink'),
    `<g transform="translate(${px(margin + 9)} ${px((top + bottom) / 2)}) rotate(-90)">${label(chart.rewardAxis, 0, 0, 'middle', 'ink')}</g>`,
  ];

  const path = line<Mark>(
    (mark) => x(mark.trial),
    (mark) => y(mark.reward),
  ).digits(2);
  const steps = line<Mark>(
    (mark) => x(mark.trial),
    (mark) => y(mark.reward),
  )
    .digits(2)
    .curve(curveStepAfter);
  const isAlone = allSeries.length === 1;
  const drawn = (series: Series, measure: string, data: string, stroke: string, colour: Paint): string =>
    `<path data-search="${escapeMarkup(series.name)}" data-measure="${measure}" d="${data}" ${stroke} ${paint({ stroke: colour })}/>`;
  const crosses = failing.map((series, row) => {
    const height = bottom - (failing.length - row - 0.5) * failedHeight;
    const data = series.failed.map((trial) => cross(x(trial), height)).join('');
    return drawn(series, 'failed', data, 'stroke-width="1.5"', isAlone ? 'failed' : series.colours.mark);
  });
  const finished = allSeries.filter((series) => series.marks.length > 0);
  // Many dots would run into one another at the size at which a few are seen well.
  const dotSize = Math.min(5, Math.max(2, 5 * Math.sqrt(300 / rewards.length)));
  const dots = finished.map((series) => {
    const data = series.marks.map((mark) => `M${px(x(mark.trial))} ${px(y(mark.reward))}h0`).join('');
    const stroke = `stroke-width="${px(dotSize)}" stroke-linecap="round" opacity="${isAlone ? 0.55 : 0.35}"`;
    return drawn(series, 'trials', data, stroke, series.colours.mark);
  });
  const averages = finished.map((series) =>
    drawn(series, 'average', path(series.average)!, averageStroke, series.colours.average),
  );
  const bests = finished.map((series) =>
    drawn(series, 'best', steps(series.best)!, bestStroke + series.dashes, series.colours.best),
  );
  const height = bottom + 42 + margin - 4;
  return svgElement(
    { x: 0, y: 0, width: pictureWidth, height, title: chart.title, description: describe(chart, allSeries) },
    [
      `<rect width="${px(pictureWidth)}" height="${px(height)}" ${paint({ fill: 'paper' })}/>`,
      ...titleLines.map(
        (text, index) =>
          `<text x="${margin}" y="${px(margin + index * titleHeight + titleSize)}" font-size="${titleSize}" font-weight="600" ${paint({ fill: 'ink' })}>${escapeMarkup(text)}</text>`,
      ),
      ...legend.drawn,
      ...grid,
      ...axis,
      ...crosses,
      ...dots,
      ...averages,
      ...bests,
    ],
  );
}
