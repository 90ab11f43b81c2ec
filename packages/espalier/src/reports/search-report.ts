import { type CurveChart, movingAverage } from '../drawing/curve-series.js';
import { drawCurves } from '../drawing/curve-svg.js';
import { drawNetwork } from '../drawing/network-svg.js';
import { type Report, writeReport } from '../drawing/report-html.js';
import type { Svg } from '../drawing/svg.js';
import type { ExperimentSettings } from '../experiments/experiment.js';
import { type ReadRun, spaceOfTrial } from '../experiments/found-architecture.js';
import { buildNetwork } from '../networks/build-network.js';
import { networkGraph } from '../networks/network-graph.js';
import { traceClassifier } from '../networks/operator-trace.js';
import type { RunState } from '../runs/run-state.js';
import { type RungState, rungsOf } from '../runs/rungs.js';
import type { InputShape, Space } from '../space/space.js';
import { childName, countedIn } from './child-name.js';
import { drawCells } from './draw-architecture.js';
import { count, percent } from './figures.js';

/** Results that the moving average of the reward curve takes. */
const WINDOW = 10;

/** The curve of one search, or of several to compare. */
export function rewardCurve(title: string, searches: readonly { name: string; state: RunState }[]): Svg {
  const chart: CurveChart = {
    title,
    trialAxis: searches.some(({ state }) => countedIn(state) === 'trainings') ? 'training' : 'child',
    rewardAxis: 'validation accuracy',
    window: WINDOW,
    searches: searches.map(({ name, state }) => ({
      name,
      trials: state.results.map(({ outcome }, index) => ({
        trial: index + 1,
        reward: outcome?.status === 'ok' ? outcome.accuracy : null,
      })),
    })),
  };
  return drawCurves(chart);
}

/** The picture of an architecture: its cells as the papers draw them, or else its network layer by layer. */
export function drawArchitecture(space: Space, architecture: unknown, shape: InputShape, title: string): Svg {
  const cells = drawCells(space.name, architecture);
  if (cells !== undefined) return cells;
  const network = buildNetwork(space, architecture, shape);
  try {
    return drawNetwork(networkGraph(traceClassifier(network, shape).calls, shape, title));
  } finally {
    network.free();
  }
}

/** The mean accuracy of the last results. */
export function recentAverage(state: RunState): number | undefined {
  return movingAverage(
    state.curve.map(({ trial, accuracy }) => ({ trial, reward: accuracy })),
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
export function reportSearch(run: ReadRun, shape: InputShape): SearchReport {
  const { state, space, settings } = run;
  const title = `${settings.strategy} on ${space.name}, ${settings.task.data.split(':')[0]}`;
  const rungs = rungsOf(state);
  const heading = rungs.length > 0 ? 'Accuracy by training' : 'Accuracy by child';
  const curve = rewardCurve(heading, [{ name: settings.strategy, state }]);
  const best = state.best === null ? undefined : state.trials[state.best.trial];
  const outcome = best?.outcome?.status === 'ok' ? best.outcome : undefined;
  const own = best === undefined ? space : spaceOfTrial(space, best);
  const network =
    best === undefined
      ? undefined
      : drawArchitecture(
          own,
          own.decode(best.answers),
          shape,
          `Child ${state.childOf(best.trial) + 1}, the best network`,
        );
  const report: Report = {
    title: `Search: ${title}`,
    facts: [
      [rungs.length > 0 ? 'trainings' : 'children trained', `${state.done} of ${state.header.trials}`],
      ...(rungs.length > 0 ? ([['children', String(state.children)]] as const) : []),
      ['failed', String(state.failed)],
      ...(outcome === undefined || best === undefined
        ? []
        : ([
            ['best validation accuracy', percent(outcome.accuracy)],
            ['best child', childName(state, best.trial).replace('child ', '')],
            ['parameters', count(outcome.params as number)],
            ['multiply-adds', count(outcome.macs as number)],
          ] as const)),
    ],
    sections: [
      {
        heading,
        text:
          rungs.length > 0
            ? `Validation accuracy at the end of each training, in the order of the results, the average of the last ${WINDOW} and the best so far. A child that is promoted to the next rung goes on where it stopped.`
            : `Validation accuracy of each child, the average of the last ${WINDOW} and the best so far.`,
        svg: curve,
      },
      ...(rungs.length > 0 ? [{ heading: 'Rungs', table: rungsTable(rungs) }] : []),
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

function rungsTable(rungs: readonly RungState[]) {
  return {
    columns: ['epochs', 'children', 'failed', 'went on', 'best accuracy'].map((heading) => ({
      heading,
      numeric: true,
    })),
    rows: rungs.map(({ epochs, told, failed, promoted, best }) => [
      ...[epochs, told, failed, promoted].map(String),
      best === null ? '' : percent(best),
    ]),
  };
}

function childrenTable(state: RunState) {
  const withEpochs = countedIn(state) === 'trainings';
  return {
    columns: [
      { heading: 'child', numeric: true },
      ...(withEpochs ? [{ heading: 'epochs', numeric: true }] : []),
      { heading: 'accuracy', numeric: true },
      { heading: 'parameters', numeric: true },
      { heading: 'multiply-adds', numeric: true },
      { heading: 'answers', numeric: false },
    ],
    rows: state.results.map(({ trial, answers, epochs, outcome }) => {
      const measured =
        outcome?.status === 'ok'
          ? [percent(outcome.accuracy), count(outcome.params as number), count(outcome.macs as number)]
          : ['failed', '', ''];
      const what = outcome?.status === 'failed' ? outcome.reason : JSON.stringify(answers);
      const name = [state.childOf(trial) + 1, ...(withEpochs ? [epochs] : [])];
      return [...name.map(String), ...measured, what];
    }),
  };
}

function settingsTable(settings: ExperimentSettings) {
  const rows = Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object'
      ? Object.entries(value).map(([inner, its]) => [`${name}.${inner}`, JSON.stringify(its)])
      : [[name, String(value)]],
  );
  return {
    columns: [
      { heading: 'setting', numeric: false },
      { heading: 'value', numeric: false },
    ],
    rows,
  };
}
