import { type CurveChart, movingAverage } from '../drawing/curve-series.js';
import { drawCurves } from '../drawing/curve-svg.js';
import { type Report, writeReport } from '../drawing/report-html.js';
import type { Svg } from '../drawing/svg.js';
import { architectureOfTrial, type ReadRun, taskOf } from '../experiments/found-architecture.js';
import type { Measure } from '../measures/measure.js';
import { partLabel } from '../modules/find-part.js';
import type { BestTrial, RunState, TrialState } from '../runs/run-state.js';
import { type RungState, rungsOf } from '../runs/rungs.js';
import { childName, countedIn } from './child-name.js';
import { childrenTable } from './children-table.js';
import { drawFound } from './draw-network.js';
import { capitalised, count, valueText } from './figures.js';
import { drawLearningCurves, MOST_CURVES } from './learning-curves.js';
import { measureOf, wordsOf } from './measure-words.js';
import { rungGroups, type TrainingGroup } from './rung-colours.js';
import { settingsTable } from './settings-table.js';
import { stalenessCurve } from './staleness-curve.js';
import { topCurve } from './top-curve.js';
import { type TrainedChild, trainedChildren } from './trained-children.js';
import { drawValueBySize } from './value-by-size.js';

/** Results that the moving average of the reward curve takes. */
const WINDOW = 10;

/** A table of more children is closed until a reader opens it. */
const MOST_OPEN = 50;

/** The curve of one search, or of several of the same measure to compare. */
export function rewardCurve(
  title: string,
  { name: measure, better }: Measure,
  searches: readonly { name: string; state: RunState }[],
): Svg {
  const groups = searches.length === 1 ? rungGroups(searches[0]!.state) : new Map<number, TrainingGroup>();
  const chart: CurveChart = {
    title,
    trialAxis: searches.some(({ state }) => countedIn(state) === 'trainings') ? 'training' : 'child',
    rewardAxis: `validation ${measure}`,
    better,
    window: WINDOW,
    searches: searches.map(({ name, state }) => ({
      name,
      trials: state.results.map(({ outcome, epochs }, index) => {
        const group = groups.get(epochs ?? 0)?.name;
        return {
          trial: index + 1,
          reward: outcome?.status === 'ok' ? (outcome.measures[measure] as number) : null,
          ...(group === undefined ? {} : { group }),
        };
      }),
    })),
    ...(groups.size === 0 ? {} : { groups: [...groups.values()] }),
  };
  return drawCurves(chart);
}

/** The mean value of the last results. */
export function recentAverage(state: RunState): number | undefined {
  return movingAverage(
    state.curve.map(({ trial, value }) => ({ trial, reward: value })),
    WINDOW,
  ).at(-1)?.reward;
}

/** What a search came to, as one page; and its pictures by themselves. */
export interface SearchReport {
  readonly html: string;
  readonly curve: Svg;
  /** Of the best network, where there is one. */
  readonly network?: Svg;
}

/** @throws InputError where the best architecture cannot be built */
export async function reportSearch(run: ReadRun): Promise<SearchReport> {
  const { state, settings, space } = run;
  const { objective, header } = state;
  const { estimation } = settings;
  const title = `${partLabel(settings.strategy)} on ${partLabel(settings.space)}, ${estimation.source?.name ?? partLabel(estimation.estimator)}`;
  const rungs = rungsOf(state);
  const heading = `${capitalised(objective.name)} by ${rungs.length > 0 ? 'training' : 'child'}`;
  const curve = rewardCurve(heading, objective, [{ name: partLabel(settings.strategy), state }]);
  const best = state.best === null ? undefined : state.trials[state.best.trial];
  const network = await drawBest(run);
  const staleness = stalenessCurve(state.updates);
  const tops =
    rungs.length > 0 ? undefined : topCurve(objective, [{ name: partLabel(settings.strategy), state }]);
  const of = header.trials === undefined ? '' : ` of ${header.trials}`;
  const children = trainedChildren(state);
  const curvesTitle = `Validation ${objective.name} by epoch`;
  const curves = drawLearningCurves(curvesTitle, state, children);
  const bySize = drawValueBySize(state);
  const report: Report = {
    title: `Search: ${title}`,
    facts: [
      [rungs.length > 0 ? 'trainings' : 'children measured', `${state.done}${of}`],
      ...(rungs.length > 0 ? ([['children', String(state.children)]] as const) : []),
      ['failed', String(state.failed)],
      ...(estimation.costUnit === undefined
        ? []
        : ([['cost', `${count(state.cost)} ${estimation.costUnit}`]] as const)),
      ...(best === undefined ? [] : bestFacts(state, best)),
    ],
    sections: [
      {
        heading,
        text:
          rungs.length > 0
            ? `Validation ${objective.name} at the end of each training, in the order of the results, the average of the last ${WINDOW} and the best so far. A child that is promoted to the next rung goes on where it stopped.`
            : `Validation ${objective.name} of each child, the average of the last ${WINDOW} and the best so far.`,
        svg: curve,
      },
      ...(tops === undefined
        ? []
        : [
            {
              heading: `The best so far by children`,
              text: 'The best child so far, and the means of the best 5 and 25, where there are so many.',
              svg: tops,
            },
          ]),
      ...(staleness === undefined
        ? []
        : [
            {
              heading: 'Staleness',
              text: 'How many updates of the controller were made between the drawing of the children and their gradient.',
              svg: staleness,
            },
          ]),
      ...(rungs.length > 0 ? [{ heading: 'Rungs', table: rungsTable(rungs, objective) }] : []),
      ...(network === undefined || best === undefined
        ? []
        : [{ heading: 'The best network', text: bestText(state, best), svg: network }]),
      ...(curves === undefined
        ? []
        : [{ heading: 'Learning curves', text: curvesText(state, children, rungs), svg: curves }]),
      ...(bySize === undefined
        ? []
        : [
            {
              heading: `${capitalised(objective.name)} by ${bySize.size}`,
              text: `A dot for each ${rungs.length > 0 ? 'training' : 'child'}; the best is ringed.`,
              svg: bySize.svg,
            },
          ]),
      {
        heading: 'Children',
        text:
          'A click on a heading sorts by it.' +
          (rungs.length > 0 ? ' Measures are those of the last training of a child.' : ''),
        table: childrenTable(state, space, children),
        collapsed: children.length > MOST_OPEN,
      },
      { heading: 'Settings', table: settingsTable(settings), collapsed: true },
    ],
  };
  return { html: writeReport(report), curve, ...(network === undefined ? {} : { network }) };
}

/** What the best trial was measured to be, the deciding measure first. */
function bestFacts(state: RunState, { trial, outcome }: TrialState): (readonly [string, string])[] {
  const measures = outcome?.status === 'ok' ? outcome.measures : {};
  const { objective, objectives } = state;
  const others = Object.entries(measures).filter(([name]) => name !== objective.name);
  const rungs = rungsOf(state);
  const rung = rungs.findIndex(({ epochs }) => epochs === state.trials[trial]?.epochs) + 1;
  return [
    [`best validation ${objective.name}`, valueText(objective, measures[objective.name] as number)],
    ['best child', childName(state, trial).replace('child ', '')],
    ...(rung === 0 ? [] : ([['rung of the best', `${rung} of ${rungs.length}`]] as const)),
    ...others.map(([name, value]) => [wordsOf(name), valueText(measureOf(objectives, name), value)] as const),
  ];
}

/** Which child it is, and after how long a training. */
function bestText(state: RunState, { trial }: TrialState): string {
  const { objective, best } = state;
  const value = valueText(objective, (best as BestTrial).value);
  const which = countedIn(state) === 'trainings' ? ', the best of all rungs' : '';
  return `${capitalised(childName(state, trial))}: validation ${objective.name} ${value}${which}.`;
}

function curvesText(
  { objective }: RunState,
  children: readonly TrainedChild[],
  rungs: readonly RungState[],
): string {
  const told = children.filter(({ curve }) => curve.length > 0).length;
  const which = told > MOST_CURVES ? `the ${MOST_CURVES} children that end best of ${told}` : 'each child';
  const colour = rungs.length > 0 ? ' The colour is the highest rung that a child was trained to.' : '';
  return `Validation ${objective.name} of ${which} after each epoch.${colour}`;
}

/** The picture of a search's best network; undefined where there is none, or networks of the space are not drawn. */
export async function drawBest(run: ReadRun, title?: string): Promise<Svg | undefined> {
  const { state, settings } = run;
  if (state.best === null) return undefined;
  const { space, architecture } = architectureOfTrial(run, state.best.trial);
  const { input } = settings.estimation;
  const task = taskOf(run);
  return drawFound(
    {
      space,
      architecture,
      ...(task === undefined ? {} : { task }),
      ...(input === undefined ? {} : { input }),
    },
    title ?? `Child ${state.childOf(state.best.trial) + 1}, the best network`,
  );
}

function rungsTable(rungs: readonly RungState[], measure: Measure) {
  return {
    columns: ['epochs', 'children', 'failed', 'went on', `best ${measure.name}`].map((heading) => ({
      heading,
      numeric: true,
    })),
    rows: rungs.map(({ epochs, told, failed, promoted, best }) => [
      ...[epochs, told, failed, promoted].map(String),
      best === null ? '' : valueText(measure, best),
    ]),
  };
}
