import { type ReportTable, writeReport } from '../drawing/report-html.js';
import type { TuningState } from '../experiments/tuning.js';
import { isBetter } from '../measures/measure.js';
import { valueText } from './figures.js';
import { settingsTable } from './settings-table.js';

/** The trainings of the grid, best first; those that failed last. */
function rankedPoints({ trained, settings }: TuningState): TuningState['trained'] {
  const [objective] = settings.objectives;
  return [...trained].sort((one, other) => {
    if (one.value === undefined || other.value === undefined || one.value === other.value)
      return Number(one.value === undefined) - Number(other.value === undefined) || one.point - other.point;
    return isBetter(objective, one.value, other.value) ? -1 : 1;
  });
}

function gridTable(state: TuningState): ReportTable {
  const { settings, chosen } = state;
  const [objective] = settings.objectives;
  const ranked = rankedPoints(state);
  const place = ranked.findIndex(({ point }) => point === chosen?.point);
  const paths = settings.grid.map(({ owner, option }) => `${owner}.${option}`);
  return {
    columns: [
      { heading: 'training', numeric: true },
      ...settings.grid.map(({ option }) => ({ heading: option, numeric: true })),
      { heading: `validation ${objective.name}`, numeric: true },
    ],
    rows: ranked.map(({ point, options, value, reason }) => [
      String(point),
      ...paths.map((path) => JSON.stringify(options[path])),
      value === undefined ? (reason ?? '') : valueText(objective, value),
    ]),
    sortable: true,
    ...(place < 0 ? {} : { emphasised: place }),
  };
}

/** What a grid search has come to, as one page. */
export function tuningPage(state: TuningState): string {
  const { settings, trained, chosen, tested } = state;
  const [objective] = settings.objectives;
  const { architecture, ...options } = settings;
  const space = (architecture as { readonly space: string }).space.replace(/^.*[/\\]/, '');
  return writeReport({
    title: `Grid search: ${space}, ${settings.task.data.split(':')[0]}`,
    facts: [
      [
        'trainings of the grid',
        `${trained.length} of ${settings.grid.reduce((n, { values }) => n * values.length, 1)}`,
      ],
      ['epochs', `${settings.epochs}, in the end ${settings.finalEpochs}`],
      ...(chosen?.value === undefined
        ? []
        : [[`best validation ${objective.name}`, valueText(objective, chosen.value)] as const]),
      ...(tested?.value === undefined
        ? []
        : [[`test ${objective.name} in the end`, valueText(objective, tested.value)] as const]),
    ],
    sections: [
      {
        heading: 'The grid',
        text:
          'Validation data decides; the best row stands out. It is trained from scratch on all training data in the end, and ' +
          'only then is the test data looked at.',
        table: gridTable(state),
      },
      { heading: 'Settings', table: settingsTable({ ...options, architecture }), collapsed: true },
    ],
  });
}
