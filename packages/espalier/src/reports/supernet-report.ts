import { writeReport } from '../drawing/report-html.js';
import type { Svg } from '../drawing/svg.js';
import type { SupernetRunState } from '../experiments/read-supernet-run.js';
import { measureIn } from '../experiments/run-result.js';
import type { Measure } from '../measures/measure.js';
import { partLabel } from '../modules/find-part.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { roundsOf } from '../weight-sharing/round-event.js';
import { candidateSections } from './candidate-sections.js';
import { drawCells } from './draw-architecture.js';
import { type EpochValue, epochCurve, inEvent } from './epoch-curve.js';
import { valueText } from './figures.js';
import { mixtureSections, weightsOf } from './mixture-sections.js';
import { sampleSections } from './sample-sections.js';
import { settingsTable } from './settings-table.js';

/** The most pictures of cells on the way; of more changes the last ones. */
const MOST_PICTURES = 12;

/**
 * What a search with shared weights has come to so far, as one page: the network, curves, weights, candidates, and the
 * cells on the way.
 *
 * @param network the picture of what was found
 * @param samples what the supernet makes of a few validation inputs, as PNG files of pictures side by side
 */
export function reportSupernet(
  run: SupernetRunState,
  network: Svg | undefined,
  samples: readonly { readonly name: string; readonly png: Uint8Array }[] = [],
): string {
  const { settings, space, objectives, epochs, choice, end } = run;
  const [objective] = objectives;
  const last = epochs.at(-1);
  return writeReport({
    title: `Search: ${partLabel(settings.strategy)} on ${space.name}, ${settings.task.data.split(':')[0]}`,
    facts: [
      ['epochs', `${epochs.length} of ${settings.strategyOptions.epochs}`],
      ...(last === undefined ? [] : [['training loss', (last.loss as number).toFixed(4)] as const]),
      ...factOf(objective, `validation ${objective.name} of the supernet`, last),
      ...factOf(
        objective,
        `validation ${objective.name} of the architecture found, with the shared weights`,
        end,
      ),
      ...(settings.table === undefined || typeof end?.judged !== 'number'
        ? []
        : [
            [
              `${settings.table.objectives[0].name} of what was found, in the table`,
              valueText(settings.table.objectives[0], end.judged),
            ] as const,
          ]),
    ],
    sections: [
      ...(network === undefined ? [] : [{ heading: 'What was found', svg: network }]),
      ...sampleSections(samples, 'validation'),
      ...epochCurve(
        `Validation ${objective.name} of the supernet by epoch`,
        `validation ${objective.name}`,
        epochs,
        [{ name: objective.name, of: (event) => measureIn(event, objective.name) }],
      ),
      ...(settings.table === undefined
        ? []
        : epochCurve(
            `What the cells of each epoch are worth: ${settings.table.objectives[0].name} in the table`,
            settings.table.objectives[0].name,
            epochs,
            [{ name: 'trained from scratch', of: inEvent('judged') }],
          )),
      ...epochCurve('Loss by epoch', 'mean loss of the epoch', epochs, [
        { name: 'training', of: inEvent('loss') },
        { name: 'validation', of: inEvent('validationLoss') },
      ]),
      ...epochCurve('Dominant eigenvalue by epoch', 'eigenvalue', epochs, [
        { name: 'eigenvalue', of: inEvent('eigenvalue') },
      ]),
      ...epochCurve('Entropy of the choices by epoch', 'mean entropy in nats', epochs, entropySeries(epochs)),
      ...mixtureSections(space.name, epochs),
      ...candidateSections(roundsOf(choice), space, objectives),
      ...(epochs.length === 0 ? [] : [{ heading: 'Epochs', table: epochTable(run), collapsed: true }]),
      ...changes(epochs)
        .slice(-MOST_PICTURES)
        .flatMap((event) => {
          const svg = drawCells(space.name, event.architecture, weightsOf(event));
          return svg === undefined
            ? []
            : [{ heading: `The cells after epoch ${event.epoch}`, svg, collapsed: true }];
        }),
      { heading: 'Settings', table: settingsTable(settings), collapsed: true },
    ],
  });
}

function factOf(
  measure: Measure,
  name: string,
  event: JournalEvent | undefined,
): (readonly [string, string])[] {
  const value = measureIn(event, measure.name);
  return value === undefined ? [] : [[name, valueText(measure, value)]];
}

/** The entropies that the strategy journals, by the names of the architecture parameters. */
function entropySeries(epochs: readonly JournalEvent[]): EpochValue[] {
  return Object.keys((epochs.at(-1)?.entropy ?? {}) as object).map((name) => ({
    name,
    of: ({ entropy }) => (entropy as Readonly<Record<string, number>> | undefined)?.[name],
  }));
}

/** The epochs after which another architecture would be derived than after the one before. */
function changes(epochs: readonly JournalEvent[]): JournalEvent[] {
  const text = (event: JournalEvent | undefined) => JSON.stringify(event?.architecture);
  return epochs.filter(
    (event, place) => event.architecture !== undefined && text(event) !== text(epochs[place - 1]),
  );
}

function epochTable({ epochs, objectives: [objective], settings: { table } }: SupernetRunState) {
  const changed = new Set(changes(epochs));
  const number = (key: string) => (event: JournalEvent) =>
    typeof event[key] === 'number' ? event[key].toFixed(4) : '';
  const columns: { heading: string; numeric: boolean; of(event: JournalEvent): string }[] = [
    { heading: 'epoch', numeric: true, of: ({ epoch }) => String(epoch) },
    { heading: 'training loss', numeric: true, of: number('loss') },
    { heading: 'validation loss', numeric: true, of: number('validationLoss') },
    {
      heading: `validation ${objective.name}`,
      numeric: true,
      of: (event) => {
        const value = measureIn(event, objective.name);
        return value === undefined ? '' : valueText(objective, value);
      },
    },
    { heading: 'score on one batch', numeric: true, of: number('score') },
    ...(table === undefined
      ? []
      : [
          {
            heading: `${table.objectives[0].name} in the table`,
            numeric: true,
            of: ({ judged }: JournalEvent) =>
              typeof judged === 'number' ? valueText(table.objectives[0], judged) : '',
          },
        ]),
    { heading: 'eigenvalue', numeric: true, of: number('eigenvalue') },
    {
      heading: 'skips',
      numeric: false,
      of: ({ skips }) =>
        Object.entries((skips ?? {}) as Record<string, number>)
          .map(([cell, count]) => `${cell} ${count}`)
          .join(', '),
    },
    {
      heading: 'choices that changed',
      numeric: false,
      of: (event) =>
        Object.entries((event.changed ?? {}) as Record<string, number>)
          .map(([part, count]) => `${part} ${count}`)
          .join(', '),
    },
    { heading: 'cells', numeric: false, of: (event) => (changed.has(event) ? 'changed' : '') },
    { heading: 'warning', numeric: false, of: ({ warning }) => (typeof warning === 'string' ? warning : '') },
  ];
  // A strategy does not say everything of its epochs.
  const shown = columns.filter(({ of }) => epochs.some((event) => of(event) !== ''));
  return {
    columns: shown.map(({ heading, numeric }) => ({ heading, numeric })),
    rows: epochs.map((event) => shown.map(({ of }) => of(event))),
  };
}
