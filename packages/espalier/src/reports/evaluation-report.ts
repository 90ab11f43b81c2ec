import { drawDots } from '../drawing/dot-plot-svg.js';
import { type Report, writeReport } from '../drawing/report-html.js';
import type { EvaluatedMethod, EvaluationSettings } from '../experiments/evaluation.js';
import type { Stage } from '../experiments/evaluation-run.js';
import type { EvaluationResults, StageOfMethod } from './evaluation-results.js';
import { capitalised, count } from './figures.js';
import { hours, isFilled, number, onTerminal, range, signed, text, written } from './method-report.js';
import { settingsTable, settingTexts, sharedSettingsTable } from './settings-table.js';
import type { Table } from './text-table.js';

const STAGES: Readonly<Record<Stage, string>> = {
  1: 'stage 1, search',
  2: 'stage 2, short training',
  3: 'stage 3, training from scratch',
};

const READING = [
  "Stage 1 searches; stage 2 trains all that was found for fewer epochs, with a part of the training data held out, and the best on that part is the method's; stage 3 trains it from scratch with one seed after the other. Test data is looked at in stage 3 only (Li & Talwalkar 2019).",
  'The deviation is that of the sample. Intervals are 95% percentile bootstrap intervals of the mean, or of the mean difference of pairs.',
  'p is the share of all ways to swap two methods, seed by seed, that come to a difference of at least this size. With n pairs it cannot be below 2 / 2^n. It tells the two architectures apart that were picked, and not yet the two ways to search.',
  "Kendall's tau-b is 1 where two stages have the same order, 0 where one says nothing of the other.",
  'Hours are the seconds that children, or epochs, took, on CPUs times the threads that each had.',
].join('\n\n');

function stagesTable({ stages, picked }: EvaluationResults): Table {
  const figures = ['n', 'mean', 'deviation', 'best', 'worst', '95% interval'];
  return {
    columns: [text('stage'), text('method'), text('measure'), ...figures.map(number), text('picked')],
    rows: stages.map(({ stage, method, measure, summary, interval }) => [
      STAGES[stage],
      method,
      measure.name,
      String(summary?.n ?? 0),
      summary === undefined ? '' : written(measure, summary.mean),
      summary?.deviation === undefined ? '' : written(measure, summary.deviation),
      summary === undefined ? '' : written(measure, summary.best),
      summary === undefined ? '' : written(measure, summary.worst),
      range(measure, interval),
      stage === 2 ? (picked.get(method) ?? '') : '',
    ]),
  };
}

function differencesTable({ differences }: EvaluationResults): Table {
  return {
    columns: [text('difference'), number('mean'), number('95% interval'), number('p'), text('test')],
    rows: differences.map(({ first, second, measure, pairs, difference, interval, test }) => [
      `${first} - ${second}`,
      difference === undefined ? '' : signed(written(measure, difference)),
      range(measure, interval),
      test === undefined ? '' : test.p.toFixed(4),
      test === undefined
        ? 'too few seeds'
        : `${pairs} pairs, ${test.exact ? 'exact' : `${count(test.rearrangements)} draws`}`,
    ]),
  };
}

function agreementTable({ agreements }: EvaluationResults): Table {
  return {
    columns: [text('architectures of'), text('stages'), number('n'), number("Kendall's tau"), text('note')],
    rows: agreements.map(({ method, first, second, architectures, tau, note }) => [
      method ?? 'all methods, as picked',
      `${first} and ${second}`,
      String(architectures),
      tau === undefined ? '' : tau.toFixed(3),
      note ?? '',
    ]),
  };
}

function costTable({ costs }: EvaluationResults): Table {
  return {
    columns: [text('cost'), ...['runs', 'CPU hours', 'GPU hours'].map(number)],
    rows: costs.map(({ stage, runs, cpuHours, gpuHours }) => [
      STAGES[stage],
      String(runs),
      hours(cpuHours),
      hours(gpuHours),
    ]),
  };
}

/** The tables and notes for the terminal. */
export function evaluationText(results: EvaluationResults): string {
  const tables = [stagesTable, differencesTable, agreementTable, costTable]
    .map((table) => table(results))
    .filter(isFilled)
    .map(onTerminal);
  const notes = results.notes.map((note) => `note: ${note}`).join('\n');
  return [...tables, ...(notes === '' ? [] : [notes])].join('\n\n');
}

/** The same as a page, with all values of the last stage and of the ones before. */
export function evaluationPage(settings: EvaluationSettings, results: EvaluationResults): string {
  const { stages, costs, notes } = results;
  const all = (of: (method: EvaluatedMethod) => number) =>
    [...new Set(settings.methods.map(of))].join(' or ');
  const tables: readonly (readonly [string, Table])[] = [
    ['Differences in stage 3', differencesTable(results)],
    ['Rank agreement of stages', agreementTable(results)],
    ['Cost', costTable(results)],
  ];
  return writeReport({
    title: 'Evaluation of architectures',
    facts: [
      ['methods', String(settings.methods.length)],
      ['epochs of stages 2 and 3', `${all(({ epochs2 }) => epochs2)} and ${all(({ epochs }) => epochs)}`],
      ['seeds of stage 3', String(settings.testSeeds)],
      ['CPU hours', hours(costs.reduce((sum, { cpuHours }) => sum + cpuHours, 0))],
      ['GPU hours', hours(costs.reduce((sum, { gpuHours }) => sum + gpuHours, 0))],
    ],
    sections: [
      { heading: 'Methods and stages', text: notes.join('\n\n'), table: stagesTable(results) },
      ...plots(stages),
      ...tables.filter(([, table]) => isFilled(table)).map(([heading, table]) => ({ heading, table })),
      { heading: 'How to read the tables', text: READING },
      { heading: 'Runs', table: runsTable(results), collapsed: true },
      {
        heading: 'Settings of the methods',
        table: sharedSettingsTable(
          settings.methods.map(({ name, spaceOptions, training, epochs2, epochs }) => ({
            name,
            settings: settingTexts({ spaceOptions, training, epochs2, epochs }),
          })),
        ),
        collapsed: true,
      },
      {
        heading: 'Settings',
        table: settingsTable(
          Object.fromEntries(Object.entries(settings).filter(([key]) => key !== 'methods')),
        ),
        collapsed: true,
      },
    ],
  });
}

/** A plot for each measure of each stage, the last stage first. */
function plots(stages: readonly StageOfMethod[]): Report['sections'] {
  const groups = new Map<string, StageOfMethod[]>();
  for (const one of [...stages].sort((a, b) => b.stage - a.stage)) {
    if (one.summary === undefined) continue;
    const title = `${one.measure.name}, ${STAGES[one.stage]}`;
    groups.set(title, [...(groups.get(title) ?? []), one]);
  }
  return [...groups].map(([title, those]) => ({
    heading: capitalised(title),
    svg: drawDots({
      title,
      valueAxis: (those[0] as StageOfMethod).measure.name,
      interval: 'its 95% interval',
      groups: those.map(({ method, runs, summary, interval }) => ({
        name: method,
        values: runs.flatMap(({ value }) => (value === undefined ? [] : [value])),
        mean: summary?.mean as number,
        ...(interval === undefined ? {} : { interval }),
      })),
    }),
  }));
}

function runsTable({ stages }: EvaluationResults): Table {
  return {
    columns: [
      text('run'),
      text('stage'),
      text('method'),
      text('candidate'),
      number('value'),
      number('hours'),
    ],
    rows: stages.flatMap(({ stage, method, measure, runs }) =>
      runs.map((one) => [
        one.run,
        String(stage),
        method,
        one.candidate,
        one.value === undefined ? 'failed' : written(measure, one.value),
        `${hours(one.hours)} ${one.device}`,
      ]),
    ),
  };
}
