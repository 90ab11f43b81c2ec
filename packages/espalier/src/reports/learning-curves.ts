import { drawLines, type LineSeries } from '../drawing/line-chart-svg.js';
import type { Svg } from '../drawing/svg.js';
import { goodness } from '../measures/measure.js';
import type { RunState } from '../runs/run-state.js';
import { rungGroups, type TrainingGroup } from './rung-colours.js';
import type { TrainedChild } from './trained-children.js';

/** The most children whose curves are drawn; of more, the best. */
export const MOST_CURVES = 200;

/** All other children, where there are no rungs. */
const CHILDREN: TrainingGroup = { name: 'child', colour: 'axis' };

/**
 * The deciding measure of each child by epoch, coloured by the highest rung that it was trained to; undefined where no
 * child tells of two epochs.
 */
export function drawLearningCurves(
  title: string,
  state: RunState,
  children: readonly TrainedChild[],
): Svg | undefined {
  const { objective, best } = state;
  const told = children.filter(({ curve }) => curve.length > 0);
  if (!told.some(({ curve }) => curve.length > 1)) return undefined;
  const rungs = rungGroups(state);
  const winner = best === null ? undefined : state.childOf(best.trial) + 1;
  const bestFirst = [...told].sort(
    (a, b) => goodness(objective, b.curve.at(-1)!.value) - goodness(objective, a.curve.at(-1)!.value),
  );
  const shown = new Set(bestFirst.slice(0, MOST_CURVES));
  const series = told
    .filter((child) => shown.has(child) || child.number === winner)
    .map(({ number, curve, rungs: reached }): LineSeries => {
      const isBest = number === winner;
      const group = rungs.get(Math.max(...reached)) ?? CHILDREN;
      return {
        name: isBest ? `child ${number}, the best` : `child ${number}`,
        points: curve.map(({ epoch, value }) => ({ x: epoch, y: value })),
        group: group.name,
        ...(isBest ? { emphasised: true } : {}),
      };
    });
  const used = new Set(series.map(({ group }) => group));
  return drawLines({
    title,
    xAxis: 'epoch',
    yAxis: `validation ${objective.name}`,
    series,
    groups: [...rungs.values(), CHILDREN].filter(({ name }) => used.has(name)),
    emphasis: 'series-1',
  });
}
