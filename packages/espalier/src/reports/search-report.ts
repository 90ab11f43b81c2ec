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
import type { RunState, TrialState } from '../runs/run-state.js';
import { type RungState, rungsOf } from '../runs/rungs.js';
import type { InputShape, Space, TokenInput } from '../space/space.js';
import { ACCURACY, type Measure, measuredValue, PERPLEXITY } from '../tasks/measure.js';
import { childName, countedIn } from './child-name.js';
import { drawCells } from './draw-architecture.js';
import { capitalised, count, valueText } from './figures.js';

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
        reward: outcome?.status === 'ok' ? measuredValue(outcome) : null,
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
export function reportSearch(run: ReadRun, input: InputShape | TokenInput): SearchReport {
  const { state, space, settings } = run;
  const title = `${settings.strategy} on ${space.name}, ${settings.task.data.split(':')[0]}`;
  const rungs = rungsOf(state);
  const measure = 'vocabulary' in input ? PERPLEXITY : ACCURACY;
  const heading = `${capitalised(measure.name)} by ${rungs.length > 0 ? 'training' : 'child'}`;
  const curve = rewardCurve(heading, measure, [{ name: settings.strategy, state }]);
  const best = state.best === null ? undefined : state.trials[state.best.trial];
  const outcome = best?.outcome?.status === 'ok' ? best.outcome : undefined;
  const network = best === undefined ? undefined : drawBest(space, state, best, input);
  const report: Report = {
    title: `Search: ${title}`,
    facts: [
      [rungs.length > 0 ? 'trainings' : 'children trained', `${state.done} of ${state.header.trials}`],
      ...(rungs.length > 0 ? ([['children', String(state.children)]] as const) : []),
      ['failed', String(state.failed)],
      ...(outcome === undefined || best === undefined
        ? []
        : ([
            [`best validation ${measure.name}`, valueText(measure, measuredValue(outcome))],
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
            ? `Validation ${measure.name} at the end of each training, in the order of the results, the average of the last ${WINDOW} and the best so far. A child that is promoted to the next rung goes on where it stopped.`
            : `Validation ${measure.name} of each child, the average of the last ${WINDOW} and the best so far.`,
        svg: curve,
      },
      ...(rungs.length > 0 ? [{ heading: 'Rungs', table: rungsTable(rungs, measure) }] : []),
      ...(network === undefined ? [] : [{ heading: 'The best network', svg: network }]),
      {
        heading: rungs.length > 0 ? 'Trainings' : 'Children',
        table: childrenTable(state, measure),
        collapsed: true,
      },
      { heading: 'Settings', table: settingsTable(settings), collapsed: true },
    ],
  };
  return { html: writeReport(report), curve, ...(network === undefined ? {} : { network }) };
}

/** Of a language model the cells only: where its space has none that are drawn, it has no picture. */
function drawBest(
  space: Space,
  state: RunState,
  best: TrialState,
  input: InputShape | TokenInput,
): Svg | undefined {
  const own = spaceOfTrial(space, best);
  const architecture = own.decode(best.answers);
  return 'vocabulary' in input
    ? drawCells(own.name, architecture)
    : drawArchitecture(own, architecture, input, `Child ${state.childOf(best.trial) + 1}, the best network`);
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

function childrenTable(state: RunState, measure: Measure) {
  const withEpochs = countedIn(state) === 'trainings';
  return {
    columns: [
      { heading: 'child', numeric: true },
      ...(withEpochs ? [{ heading: 'epochs', numeric: true }] : []),
      { heading: measure.name, numeric: true },
      { heading: 'parameters', numeric: true },
      { heading: 'multiply-adds', numeric: true },
      { heading: 'answers', numeric: false },
    ],
    rows: state.results.map(({ trial, answers, epochs, outcome }) => {
      const measured =
        outcome?.status === 'ok'
          ? [
              valueText(measure, measuredValue(outcome)),
              count(outcome.params as number),
              count(outcome.macs as number),
            ]
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
