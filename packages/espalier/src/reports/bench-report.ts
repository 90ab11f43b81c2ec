import { drawBands } from '../drawing/band-chart-svg.js';
import { drawDots } from '../drawing/dot-plot-svg.js';
import { writeReport } from '../drawing/report-html.js';
import type { BenchState } from '../experiments/bench.js';
import type { Measure } from '../measures/measure.js';
import type { BenchedMethod } from './bench-results.js';
import { count, percent, valueText } from './figures.js';
import { isFilled, number, onTerminal, signed, text } from './method-report.js';
import { settingsTable } from './settings-table.js';
import type { Table } from './text-table.js';

const READING = [
  'Each search has the same number of simulated seconds. A value is that of the architecture with the best value that the search saw in that time. The deviation is that of the sample.',
  'The regret is the difference between the best architecture of the table and the one that a search would answer with. Bands are from the first to the third quartile of the searches, lines are means.',
  'p is the share of sign flips of the paired differences that come to a mean difference of at least this size.',
].join('\n\n');

function methodsTable({ settings }: BenchState, methods: readonly BenchedMethod[]): Table {
  const [objective] = settings.objectives;
  const written = (value: number) => valueText(objective, value);
  return {
    columns: [
      text('strategy'),
      ...['searches', 'mean', 'deviation', 'quartile 1', 'median', 'quartile 3', 'optimum', 'trials'].map(
        number,
      ),
      number('seconds a search'),
    ],
    rows: methods.map((method) => [
      method.strategy,
      count(method.runs),
      written(method.mean),
      method.deviation === undefined ? '' : written(method.deviation),
      ...method.quartiles.map(written),
      percent(method.optimal),
      method.trials.toFixed(1),
      method.secondsARun.toPrecision(2),
    ]),
  };
}

function differencesTable(objective: Measure, methods: readonly BenchedMethod[]): Table {
  const written = (value: number) => signed(valueText(objective, value));
  return {
    columns: [text('difference'), number('mean'), number('95% interval'), number('p'), number('pairs')],
    rows: methods.flatMap(({ strategy, against }) =>
      against === undefined
        ? []
        : [
            [
              `${strategy} - ${against.baseline}`,
              written(against.test.difference),
              `${written(against.interval.low)} to ${written(against.interval.high)}`,
              against.test.p < 1e-4 ? '< 0.0001' : against.test.p.toFixed(4),
              count(against.pairs),
            ],
          ],
    ),
  };
}

function titleOf({ settings: { objectives, space, budget, optimum } }: BenchState): string {
  const [objective] = objectives;
  return (
    `${objective.name} of what was found in ${space} after ${count(budget)} simulated seconds; ` +
    `the best of the table has ${valueText(objective, optimum)}`
  );
}

/** Searches without a single result, which no mean counts. */
function notesOf(methods: readonly BenchedMethod[]): string[] {
  return methods.flatMap(({ strategy, empty }) =>
    empty === 0 ? [] : [`${count(empty)} searches of ${strategy} had no result within the budget`],
  );
}

/** The tables for the terminal. */
export function benchText(state: BenchState, methods: readonly BenchedMethod[]): string {
  const tables = [
    methodsTable(state, methods),
    differencesTable(state.settings.objectives[0], methods),
  ].filter(isFilled);
  return [titleOf(state), ...tables.map(onTerminal), ...notesOf(methods).map((note) => `note: ${note}`)].join(
    '\n\n',
  );
}

/** The same as a page, with the regret by simulated time. */
export function benchPage(state: BenchState, methods: readonly BenchedMethod[]): string {
  const { settings, searches } = state;
  const [objective] = settings.objectives;
  const differences = differencesTable(objective, methods);
  return writeReport({
    title: `Strategies in a table of ${settings.space}`,
    facts: [
      ['strategies', String(settings.strategies.length)],
      ['searches', count(searches.length)],
      ['simulated seconds of each', count(settings.budget)],
      ['trials at once', count(settings.workers)],
      ['best of the table', valueText(objective, settings.optimum)],
    ],
    sections: [
      {
        heading: 'At the end of the budget',
        text: [titleOf(state), ...notesOf(methods)].join('\n\n'),
        table: methodsTable(state, methods),
      },
      ...(isFilled(differences) ? [{ heading: 'Against random search', table: differences }] : []),
      ...(methods.length === 0
        ? []
        : [
            {
              heading: 'Regret by time',
              svg: drawBands({
                title: `Regret of ${objective.name}`,
                xAxis: 'simulated seconds',
                yAxis: 'regret',
                line: 'mean over searches',
                band: 'from the first to the third quartile',
                series: methods.map(({ strategy, regret }) => ({ name: strategy, steps: regret })),
              }),
            },
            {
              heading: 'Final values',
              svg: drawDots({
                title: `Final ${objective.name}`,
                valueAxis: objective.name,
                interval: 'from the first to the third quartile',
                groups: methods.map(({ strategy, values, quartiles: [low, , high], mean }) => ({
                  name: strategy,
                  values,
                  mean,
                  interval: { low, high },
                })),
              }),
            },
          ]),
      { heading: 'How to read this page', text: READING },
      { heading: 'Settings', table: settingsTable(settings), collapsed: true },
    ],
  });
}

/** The regret of every strategy by simulated time, as CSV. */
export function regretCsv(methods: readonly BenchedMethod[]): string {
  const rows = methods.flatMap(({ strategy, regret }) =>
    regret.map(({ x, middle, deviation, low, median, high }) =>
      [strategy, x, middle, deviation, low, median, high].join(','),
    ),
  );
  return `${['strategy,seconds,mean,deviation,quartile1,median,quartile3', ...rows].join('\n')}\n`;
}
