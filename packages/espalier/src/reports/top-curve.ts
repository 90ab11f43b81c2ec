import { type BandStep, drawBands } from '../drawing/band-chart-svg.js';
import type { Svg } from '../drawing/svg.js';
import type { Measure } from '../measures/measure.js';
import type { RunState } from '../runs/run-state.js';

/** How many of the best children the lines average over (Zoph et al. 2018, figure 4). */
const TOPS = [1, 5, 25] as const;

/** The mean of the best `top` values so far, from where there are so many: with the number of values at each point. */
export function meanOfBest(
  values: readonly number[],
  top: number,
  better: Measure['better'],
): { readonly count: number; readonly mean: number }[] {
  const isBefore = (one: number, other: number) => (better === 'higher' ? one > other : one < other);
  /** The best ones, best first. */
  const best: number[] = [];
  const points: { count: number; mean: number }[] = [];
  for (const [index, value] of values.entries()) {
    const place = best.findIndex((other) => isBefore(value, other));
    if (place < 0) best.push(value);
    else best.splice(place, 0, value);
    best.splice(top);
    if (best.length === top)
      points.push({ count: index + 1, mean: best.reduce((sum, one) => sum + one, 0) / top });
  }
  return points;
}

/**
 * The comparison curve of NASNet (Zoph et al. 2018, figure 4): the best child so far and the means of the best 5 and 25,
 * against the number of children. Undefined where no search has measured 5 children.
 *
 * @param searches one, or several of the same measure to compare
 */
export function topCurve(
  { name: measure, better }: Measure,
  searches: readonly { readonly name: string; readonly state: RunState }[],
): Svg | undefined {
  if (searches.every(({ state }) => state.curve.length < 5)) return undefined;
  const series = TOPS.flatMap((top) =>
    searches.map(({ name, state }) => {
      const points = meanOfBest(
        state.curve.map(({ value }) => value),
        top,
        better,
      );
      const what = top === 1 ? 'best' : `mean of the best ${top}`;
      return {
        name: searches.length === 1 ? what : `${name}, ${what}`,
        steps: points.map(({ count: x, mean }): BandStep => ({ x, low: mean, middle: mean, high: mean })),
      };
    }),
  );
  return drawBands({
    title: `Best validation ${measure} by samples`,
    xAxis: 'children',
    yAxis: `validation ${measure}`,
    line: 'so far',
    series,
  });
}
