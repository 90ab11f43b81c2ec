import { type CurveChart, movingAverage } from '../drawing/curve-series.js';
import { drawCurves } from '../drawing/curve-svg.js';
import { drawNetwork } from '../drawing/network-svg.js';
import { type Report, writeReport } from '../drawing/report-html.js';
import type { Svg } from '../drawing/svg.js';
import { type ReadRun, spaceOfTrial, taskOf } from '../experiments/found-architecture.js';
import type { Measure, Objectives } from '../measures/measure.js';
import { partLabel } from '../modules/find-part.js';
import type { AnyNetworkKind } from '../network-kinds/network-kind.js';
import { networkGraph } from '../networks/network-graph.js';
import type { RunState, TrialState } from '../runs/run-state.js';
import { type RungState, rungsOf } from '../runs/rungs.js';
import type { Space } from '../space/space.js';
import { findTask } from '../tasks/find-task.js';
import { childName, countedIn } from './child-name.js';
import { drawCells } from './draw-architecture.js';
import { capitalised, count, valueText } from './figures.js';
import { settingsTable } from './settings-table.js';

/** Results that the moving average of the reward curve takes. */
const WINDOW = 10;

/** The curve of one search, or of several of the same measure to compare. */
export function rewardCurve(
  title: string,
  { name: measure, better }: Measure,
  searches: readonly { name: string; state: RunState }[],
): Svg {
  const chart: CurveChart = {
    title,
    trialAxis: searches.some(({ state }) => countedIn(state) === 'trainings') ? 'training' : 'child',
    rewardAxis: `validation ${measure}`,
    better,
    window: WINDOW,
    searches: searches.map(({ name, state }) => ({
      name,
      trials: state.results.map(({ outcome }, index) => ({
        trial: index + 1,
        reward: outcome?.status === 'ok' ? (outcome.measures[measure] as number) : null,
      })),
    })),
  };
  return drawCurves(chart);
}

/**
 * The picture of an architecture: its cells as the papers draw them, or else its network layer by layer. Undefined for
 * networks that have neither.
 */
export function drawArchitecture(
  space: Space,
  architecture: unknown,
  networks: AnyNetworkKind,
  input: object,
  title: string,
): Svg | undefined {
  const cells = drawCells(space.name, architecture);
  if (cells !== undefined || networks.drawnInput === undefined) return cells;
  const network = networks.build(space, architecture, input);
  try {
    const { calls } = networks.trace(network, input);
    return drawNetwork(networkGraph(calls, networks.drawnInput(input), title));
  } finally {
    network.free();
  }
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
  const { state, settings } = run;
  const { objective, header } = state;
  const { estimation } = settings;
  const title = `${partLabel(settings.strategy)} on ${partLabel(settings.space)}, ${estimation.source?.name ?? partLabel(estimation.estimator)}`;
  const rungs = rungsOf(state);
  const heading = `${capitalised(objective.name)} by ${rungs.length > 0 ? 'training' : 'child'}`;
  const curve = rewardCurve(heading, objective, [{ name: partLabel(settings.strategy), state }]);
  const best = state.best === null ? undefined : state.trials[state.best.trial];
  const network = await drawBest(run);
  const of = header.trials === undefined ? '' : ` of ${header.trials}`;
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
      ...(rungs.length > 0 ? [{ heading: 'Rungs', table: rungsTable(rungs, objective) }] : []),
      ...(network === undefined ? [] : [{ heading: 'The best network', svg: network }]),
      {
        heading: rungs.length > 0 ? 'Trainings' : 'Children',
        table: childrenTable(state),
        collapsed: true,
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
  return [
    [`best validation ${objective.name}`, valueText(objective, measures[objective.name] as number)],
    ['best child', childName(state, trial).replace('child ', '')],
    ...others.map(([name, value]) => [wordsOf(name), valueText(measureOf(objectives, name), value)] as const),
  ];
}

/** The names of measures as people read them, where these differ. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['params', 'parameters'],
  ['macs', 'multiply-adds'],
  ['loss', 'validation loss'],
]);
const wordsOf = (name: string) => WORDS.get(name) ?? name;

/** How a measure is shown: as an objective of the run says, or as the box does. */
const measureOf = (objectives: Objectives, name: string): Measure | string =>
  objectives.find((one) => one.name === name) ?? name;

/** The picture of a search's best network; undefined where there is none, or networks of the space are not drawn. */
export async function drawBest(run: ReadRun, title?: string): Promise<Svg | undefined> {
  const { state, space, settings, from } = run;
  const best = state.best === null ? undefined : state.trials[state.best.trial];
  if (best === undefined) return undefined;
  const own = spaceOfTrial(space, best);
  const architecture = own.decode(best.answers);
  const { input } = settings.estimation;
  const task = taskOf({ settings, from });
  // An estimator that builds no networks has none to draw.
  if (input === undefined || task === undefined) return drawCells(own.name, architecture);
  const { definition } = await findTask(task.name, from);
  return drawArchitecture(
    own,
    architecture,
    definition.networks,
    input,
    title ?? `Child ${state.childOf(best.trial) + 1}, the best network`,
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

function childrenTable(state: RunState) {
  const { objective, objectives } = state;
  const withEpochs = countedIn(state) === 'trainings';
  const names = new Set(
    state.results.flatMap(({ outcome }) => (outcome?.status === 'ok' ? Object.keys(outcome.measures) : [])),
  );
  names.delete(objective.name);
  const shown = [objective.name, ...names];
  return {
    columns: [
      { heading: 'child', numeric: true },
      ...(withEpochs ? [{ heading: 'epochs', numeric: true }] : []),
      ...shown.map((name) => ({ heading: wordsOf(name), numeric: true })),
      { heading: 'answers', numeric: false },
    ],
    rows: state.results.map(({ trial, answers, epochs, outcome }) => {
      const measured =
        outcome?.status === 'ok'
          ? shown.map((name) => {
              const value = outcome.measures[name];
              return value === undefined ? '' : valueText(measureOf(objectives, name), value);
            })
          : ['failed', ...shown.slice(1).map(() => '')];
      const what = outcome?.status === 'failed' ? outcome.reason : JSON.stringify(answers);
      const name = [state.childOf(trial) + 1, ...(withEpochs ? [epochs] : [])];
      return [...name.map(String), ...measured, what];
    }),
  };
}
