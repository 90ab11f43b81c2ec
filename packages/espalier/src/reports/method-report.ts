import { drawBands } from '../drawing/band-chart-svg.js';
import { drawDots } from '../drawing/dot-plot-svg.js';
import { type Report, writeReport } from '../drawing/report-html.js';
import type { ResultMeasure } from '../experiments/run-result.js';
import type { Interval } from '../statistics/bootstrap.js';
import { bestByCost } from './best-by-cost.js';
import { count, valueText } from './figures.js';
import type { BaselineDifference, Comparison, Method } from './method-comparison.js';
import { sharedSettingsTable } from './settings-table.js';
import type { StageAgreement } from './stage-agreement.js';
import { type Column, type Table, textTable } from './text-table.js';

export const number = (heading: string): Column => ({ heading, numeric: true });
export const text = (heading: string): Column => ({ heading, numeric: false });

/** `validation accuracy, zoph-cnn on mnist` */
function titleOf({ measure, space, data }: Comparison): string {
  return `${measure.name}, ${space} on ${data}`;
}

/** What the numbers of the tables are. */
const READING = [
  'The deviation is that of the sample. Intervals are 95% percentile bootstrap intervals of the mean, or of the difference of two means.',
  'p is the share of all ways to swap two methods that come to a difference of at least this size: seed by seed where both ran with the same seeds, over all runs where they did not. With n pairs it cannot be below 2 / 2^n.',
  'Hours are the seconds that children, or epochs, took, on CPUs times the threads that each had.',
].join('\n\n');

export function written(measure: ResultMeasure, value: number): string {
  return valueText(measure, value);
}

export function range(measure: ResultMeasure, interval: Interval | undefined): string {
  return interval === undefined
    ? ''
    : `${written(measure, interval.low)} to ${written(measure, interval.high)}`;
}

/** Hours to three digits that count. */
export function hours(value: number): string {
  return value === 0 ? '0' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

const FIGURES = ['seeds', 'mean', 'deviation', 'best', 'worst', '95% interval'];

function methodsTable({ measure, methods }: Comparison): Table {
  const devices = devicesOf(methods);
  return {
    columns: [text('method'), ...[...FIGURES, `${devices} hours`].map(number)],
    rows: methods.map(({ name, summary, interval, device, hours: spent }) => [
      name,
      String(summary.n),
      written(measure, summary.mean),
      summary.deviation === undefined ? '' : written(measure, summary.deviation),
      written(measure, summary.best),
      written(measure, summary.worst),
      range(measure, interval),
      devices === device ? hours(spent) : `${hours(spent)} ${device}`,
    ]),
  };
}

/** `CPU`, or `CPU or GPU`. */
function devicesOf(methods: readonly Method[]): string {
  return [...new Set(methods.map(({ device }) => device))].sort().join(' or ');
}

/** Empty where random search is not among the runs. */
function differencesTable({ measure, methods }: Comparison): Table {
  return {
    columns: [text('difference'), number('mean'), number('95% interval'), number('p'), text('test')],
    rows: methods.flatMap(({ name, against }) =>
      against === undefined
        ? []
        : [
            [
              `${name} - ${against.baseline}`,
              signed(written(measure, against.difference)),
              range(measure, against.interval),
              against.test === undefined ? '' : against.test.p.toFixed(4),
              testOf(against),
            ],
          ],
    ),
  };
}

function testOf({ test, pairs }: BaselineDifference): string {
  if (test === undefined) return 'too few seeds';
  const how = pairs === undefined ? 'unpaired' : `${pairs} pairs`;
  return test.exact ? `${how}, exact` : `${how}, ${count(test.rearrangements)} draws`;
}

export function signed(text: string): string {
  return text.startsWith('-') ? text : `+${text}`;
}

function agreementTable(agreements: readonly StageAgreement[]): Table {
  return {
    columns: [text('method'), text('first'), text('second'), number('networks'), number("Kendall's tau")],
    rows: agreements.map(({ method, first, second, networks, tau }) => [
      method,
      first,
      second,
      String(networks),
      tau.toFixed(3),
    ]),
  };
}

export const isFilled = ({ rows }: Table) => rows.length > 0;
export const onTerminal = ({ columns, rows }: Table) => textTable(columns, rows);

/** The tables and notes for the terminal. */
export function methodsText(
  comparisons: readonly Comparison[],
  agreements: readonly StageAgreement[],
): string {
  const parts = comparisons.flatMap((comparison) => [
    [
      titleOf(comparison),
      ...[methodsTable(comparison)].filter(isFilled).map(onTerminal),
      ...comparison.notes.map((note) => `note: ${note}`),
    ].join('\n'),
    ...[differencesTable(comparison)].filter(isFilled).map(onTerminal),
  ]);
  if (agreements.length > 0) {
    parts.push(`rank agreement of stages\n${onTerminal(agreementTable(agreements))}`);
  }
  return parts.join('\n\n');
}

/** The same as a page, with the best value by cost and the final values of each method. */
export function methodsPage(
  comparisons: readonly Comparison[],
  agreements: readonly StageAgreement[],
): string {
  const runs = comparisons.flatMap(({ methods }) => methods.flatMap((method) => method.runs));
  return writeReport({
    title: 'Methods compared',
    facts: [
      ['runs', String(runs.length)],
      [
        'methods',
        String(new Set(comparisons.flatMap(({ methods }) => methods.map(({ name }) => name))).size),
      ],
      ['hours of training', hours(runs.reduce((sum, run) => sum + run.hours, 0))],
    ],
    sections: [
      ...comparisons.flatMap((comparison) => sectionsOf(comparison)),
      ...(agreements.length === 0
        ? []
        : [
            {
              heading: 'Rank agreement of stages',
              text: "Kendall's tau-b between an earlier and a later measure of the same networks: 1 where both have the same order, 0 where one says nothing of the other.",
              table: agreementTable(agreements),
            },
          ]),
      { heading: 'How to read the tables', text: READING },
      ...comparisons
        .filter(({ methods }) => methods.length > 0)
        .map((comparison) => ({
          heading: `Settings: ${titleOf(comparison)}`,
          table: sharedSettingsTable(
            comparison.methods.map(({ name, strategy, settings }) => ({
              name,
              settings: strategy === null ? settings : { strategy, ...settings },
            })),
          ),
          collapsed: true,
        })),
      { heading: 'Runs', table: runsTable(comparisons), collapsed: true },
    ],
  });
}

function sectionsOf(comparison: Comparison): Report['sections'] {
  const { measure, methods, notes } = comparison;
  const title = titleOf(comparison);
  if (methods.length === 0) return [{ heading: title, text: notes.join('\n\n') }];
  const courses = methods
    .map(({ name, runs }) => ({ name, steps: bestByCost(runs, measure.better) }))
    .filter(({ steps }) => steps.length > 0);
  return [
    { heading: title, text: notes.join('\n\n'), table: methodsTable(comparison) },
    ...[differencesTable(comparison)]
      .filter(isFilled)
      .map((table) => ({ heading: 'Against random search', table })),
    ...(courses.length === 0
      ? []
      : [
          {
            heading: 'Best so far by cost',
            svg: drawBands({
              title: `Best ${measure.name} so far`,
              xAxis: `${devicesOf(methods)} hours of training`,
              yAxis: measure.name,
              line: 'mean over seeds',
              band: 'from the lowest to the highest seed',
              series: courses,
            }),
          },
        ]),
    {
      heading: 'Final values',
      svg: drawDots({
        title: `Final ${measure.name}`,
        valueAxis: measure.name,
        interval: 'its 95% interval',
        groups: methods.map(({ name, runs, summary, interval }) => ({
          name,
          values: runs.map(({ value }) => value),
          mean: summary.mean,
          ...(interval === undefined ? {} : { interval }),
        })),
      }),
    },
  ];
}

function runsTable(comparisons: readonly Comparison[]): Table {
  return {
    columns: [text('run'), text('method'), text('measure'), number('seed'), number('value'), number('hours')],
    rows: comparisons.flatMap(({ measure, methods }) =>
      methods.flatMap(({ name, runs }) =>
        runs.map((run) => [
          run.path,
          name,
          measure.name,
          run.label,
          written(measure, run.value),
          `${hours(run.hours)} ${run.device}`,
        ]),
      ),
    ),
  };
}
