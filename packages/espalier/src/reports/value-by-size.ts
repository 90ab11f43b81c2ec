import { drawScatter } from '../drawing/scatter-svg.js';
import type { Svg } from '../drawing/svg.js';
import type { RunState } from '../runs/run-state.js';
import { childName } from './child-name.js';
import { valueText } from './figures.js';
import { measureOf, wordsOf } from './measure-words.js';
import { rungGroups, type TrainingGroup } from './rung-colours.js';

/** The sizes of a network, the first of which that a search has measured is drawn. */
const SIZES = ['params', 'macs'];

/** The group of all results where there are no rungs. */
const ALL: TrainingGroup = { name: '', colour: 'series-1' };

/** The deciding measure of the children by the size of their networks. */
export interface ValueBySize {
  /** The size as people read it. */
  readonly size: string;
  readonly svg: Svg;
}

/** A dot for each result. Undefined where no size was measured, or all networks are of one size. */
export function drawValueBySize(state: RunState): ValueBySize | undefined {
  const { objective, objectives, best, results } = state;
  const measured = results.flatMap(({ trial, epochs, outcome }) =>
    outcome?.status === 'ok' ? [{ trial, epochs, measures: outcome.measures }] : [],
  );
  const size = SIZES.find((name) => measured.some(({ measures }) => measures[name] !== undefined));
  if (size === undefined) return undefined;
  const rungs = rungGroups(state);
  const points = measured.flatMap(({ trial, epochs, measures }) => {
    const [x, y] = [measures[size], measures[objective.name]];
    if (x === undefined || y === undefined) return [];
    const isBest = trial === best?.trial;
    return [
      {
        x,
        y,
        name:
          `${isBest ? 'best: ' : ''}${childName(state, trial)}: ${objective.name} ${valueText(objective, y)}, ` +
          `${valueText(measureOf(objectives, size), x)} ${wordsOf(size)}`,
        group: rungs.get(epochs ?? 0)?.name ?? '',
        ...(isBest ? { emphasised: true } : {}),
      },
    ];
  });
  if (new Set(points.map(({ x }) => x)).size < 2) return undefined;
  const used = new Set(points.map(({ group }) => group));
  const title = `Validation ${objective.name} by ${wordsOf(size)}`;
  return {
    size: wordsOf(size),
    svg: drawScatter({
      title,
      xAxis: wordsOf(size),
      yAxis: `validation ${objective.name}`,
      points,
      groups: [...rungs.values(), ALL].filter(({ name }) => used.has(name)),
      frontier: { better: objective.better, text: 'best of this size and smaller' },
    }),
  };
}
