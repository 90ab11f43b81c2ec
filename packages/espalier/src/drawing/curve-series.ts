import { type Paint, seriesPaints } from './palette.js';

/** The reward of each trial of one search. */
interface SearchCurve {
  readonly name: string;
  /** Sorted by ascending trial number. The reward of a failed trial is null. */
  readonly trials: readonly {
    readonly trial: number;
    readonly reward: number | null;
    /** A group of the chart. */
    readonly group?: string;
  }[];
}

export interface CurveChart {
  readonly title: string;
  /** What a trial is called, in the singular, such as 'child'. */
  readonly trialAxis: string;
  readonly rewardAxis: string;
  /** Whether higher or lower rewards are better. */
  readonly better: 'higher' | 'lower';
  /** The number of finished trials in the moving average. */
  readonly window: number;
  /** One search, or several searches to compare. */
  readonly searches: readonly SearchCurve[];
  /** Colours of the dots of a single search, by the groups of its trials, such as its rungs. */
  readonly groups?: readonly { readonly name: string; readonly colour: Paint }[];
}

/** A finished trial with its reward, or with a statistic of the rewards up to it. */
export interface Mark {
  readonly trial: number;
  readonly reward: number;
  readonly group?: string;
}

/** The best reward up to each finished trial. */
export function bestSoFar(marks: readonly Mark[], better: CurveChart['better']): Mark[] {
  const choose = better === 'higher' ? Math.max : Math.min;
  let best = marks[0]?.reward ?? Number.NaN;
  return marks.map(({ trial, reward }) => {
    best = choose(best, reward);
    return { trial, reward: best };
  });
}

/** The mean of the last `window` finished trials at each trial, or of all trials so far if there are fewer. */
export function movingAverage(marks: readonly Mark[], window: number): Mark[] {
  return marks.map(({ trial }, index) => {
    const last = marks.slice(Math.max(0, index + 1 - window), index + 1);
    return { trial, reward: last.reduce((sum, mark) => sum + mark.reward, 0) / last.length };
  });
}

/** Everything that a chart draws of one search. */
export interface Series {
  readonly name: string;
  readonly marks: readonly Mark[];
  readonly failed: readonly number[];
  readonly average: readonly Mark[];
  readonly best: readonly Mark[];
  readonly colours: { readonly mark: Paint; readonly average: Paint; readonly best: Paint };
  readonly dashes: string;
}

/** @throws Error if a reward is not finite or the window is not a positive integer */
export function seriesOf(chart: CurveChart): Series[] {
  if (!Number.isInteger(chart.window) || chart.window < 1) {
    throw new Error(
      `reward curve "${chart.title}": the window must be a positive integer, not ${chart.window}`,
    );
  }
  return chart.searches.map((search, index) => {
    const marks = search.trials.flatMap(({ reward, ...trial }) =>
      reward === null ? [] : [{ ...trial, reward }],
    );
    const odd = marks.find(({ reward }) => !Number.isFinite(reward));
    if (odd !== undefined) {
      throw new Error(
        `reward curve "${search.name}": the reward of trial ${odd.trial} is ${odd.reward}, not a finite number`,
      );
    }
    const best = bestSoFar(marks, chart.better);
    const last = search.trials.at(-1);
    if (best.length > 0 && last!.trial > best.at(-1)!.trial)
      best.push({ trial: last!.trial, reward: best.at(-1)!.reward });
    const own = seriesPaints[index % seriesPaints.length]!;
    const isAlone = chart.searches.length === 1;
    return {
      name: search.name,
      marks,
      failed: search.trials.flatMap(({ trial, reward }) => (reward === null ? [trial] : [])),
      average: movingAverage(marks, chart.window),
      best,
      // A single search has one colour per curve. When searches are compared, each has one colour.
      colours: isAlone
        ? { mark: 'axis', average: 'series-2', best: 'series-1' }
        : { mark: own, average: own, best: own },
      dashes: ['', ' stroke-dasharray="7 4"', ' stroke-dasharray="2 4"'][
        Math.floor(index / seriesPaints.length) % 3
      ]!,
    };
  });
}

/** The first trial with the best reward. */
export function bestMark(series: Series): Mark | undefined {
  return series.marks.find((mark) => mark.reward === series.best.at(-1)!.reward);
}
