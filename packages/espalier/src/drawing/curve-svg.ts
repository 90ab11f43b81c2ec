import { scaleLinear } from 'd3-scale';
import { curveStepAfter, line } from 'd3-shape';
import { chartFrame, rangeOf } from './chart-frame.js';
import { averageStroke, bestStroke, cross, type LegendEntry } from './chart-legend.js';
import { shortNumber } from './chart-text.js';
import { bestMark, type CurveChart, type Mark, type Series, seriesOf } from './curve-series.js';
import { type Paint, paint } from './palette.js';
import { escapeMarkup, px, type Svg } from './svg.js';

/** The height in px of the row of crosses for the failed trials of one search, below all rewards. */
const failedHeight = 12;

/** One group of rows explains the signs. If there are several searches, a group before it names them. */
function legendGroups(chart: CurveChart, allSeries: readonly Series[]): LegendEntry[][] {
  const [first] = allSeries;
  if (first === undefined) return [];
  const isAlone = allSeries.length === 1;
  const result = (series: Series): string => {
    const best = bestMark(series);
    return best === undefined
      ? `no ${chart.trialAxis} finished`
      : `${shortNumber(best.reward)} at ${chart.trialAxis} ${best.trial}${best.group === undefined ? '' : `, ${best.group}`}`;
  };
  const colourOf = (paintOf: Paint): Paint => (isAlone ? paintOf : 'muted');
  const signs: LegendEntry[] = [
    ...(chart.groups === undefined
      ? [{ sign: 'dot', colour: colourOf(first.colours.mark), text: chart.trialAxis } as const]
      : []),
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
  const groups = (chart.groups ?? []).map(
    ({ name, colour }): LegendEntry => ({ sign: 'dot', colour, text: `${chart.trialAxis} ${name}` }),
  );
  if (isAlone) return groups.length === 0 ? [signs] : [groups, signs];
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
 * Draws reward curves as one self-contained SVG element. Each search shows a dot for every finished trial, the moving
 * average, the best reward so far as a step line, and a cross below for every failed trial.
 * @throws Error if a reward is not finite or the window is not a positive integer
 */
export function drawCurves(chart: CurveChart): Svg {
  const allSeries = seriesOf(chart);
  const trials = chart.searches.flatMap((search) => search.trials.map(({ trial }) => trial));
  const rewards = allSeries.flatMap((series) => series.marks.map(({ reward }) => reward));
  const size = Math.abs(rewards[0] ?? 0);
  const flat = size > 1e-6 ? size / 10 : 0.1;
  const y = scaleLinear(rangeOf(rewards, flat, [0, 1]), [0, 1]).nice(6);
  const x = scaleLinear(rangeOf(trials, 1, [0, 10]), [0, 1]);

  const failing = allSeries.filter((series) => series.failed.length > 0);
  const xFormat = x.tickFormat(8, ',d');
  const frame = chartFrame({
    title: chart.title,
    legend: legendGroups(chart, allSeries),
    xAxis: chart.trialAxis,
    yAxis: chart.rewardAxis,
    x,
    y,
    xTicks: x
      .ticks(8)
      .filter(Number.isInteger)
      .map((tick) => [tick, xFormat(tick)] as const),
    below: failing.length * failedHeight + (failing.length > 0 ? 6 : 0),
  });

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
    const height = frame.bottom - (failing.length - row - 0.5) * failedHeight;
    const data = series.failed.map((trial) => cross(x(trial), height)).join('');
    return drawn(series, 'failed', data, 'stroke-width="1.5"', isAlone ? 'failed' : series.colours.mark);
  });
  const finished = allSeries.filter((series) => series.marks.length > 0);
  // Shrink the dots as their number grows, so that they do not merge.
  const dotSize = Math.min(7, Math.max(2, 5 * Math.sqrt(300 / rewards.length)));
  const dots = finished.flatMap((series) => {
    const { groups = [{ name: undefined, colour: series.colours.mark }] } = chart;
    return groups.map(({ name, colour }) => {
      const data = series.marks
        .filter(({ group }) => name === undefined || group === name)
        .map((mark) => `M${px(x(mark.trial))} ${px(y(mark.reward))}h0`)
        .join('');
      const opacity = name !== undefined ? 1 : isAlone ? 0.55 : 0.35;
      const size = name === undefined ? dotSize : 1.25 * dotSize;
      const stroke = `stroke-width="${px(size)}" stroke-linecap="round" opacity="${opacity}"${name === undefined ? '' : ` data-group="${escapeMarkup(name)}"`}`;
      return drawn(series, 'trials', data, stroke, colour);
    });
  });
  const averages = finished.map((series) =>
    drawn(series, 'average', path(series.average)!, averageStroke, series.colours.average),
  );
  const bests = finished.map((series) =>
    drawn(series, 'best', steps(series.best)!, bestStroke + series.dashes, series.colours.best),
  );
  // Dots whose colours say something lie over the lines.
  const layers =
    chart.groups === undefined ? [...dots, ...averages, ...bests] : [...averages, ...bests, ...dots];
  return frame.finish(describe(chart, allSeries), [...crosses, ...layers]);
}
