import { drawBands } from '../drawing/band-chart-svg.js';
import { heatMapPanel } from '../drawing/heat-map-svg.js';
import { drawPanels } from '../drawing/panel.js';
import { writeReport } from '../drawing/report-html.js';
import type { Svg } from '../drawing/svg.js';
import { measureIn } from '../experiments/run-result.js';
import type { SupernetRunState } from '../experiments/supernet-run.js';
import type { Measure } from '../measures/measure.js';
import { DARTS_OPERATIONS } from '../networks/darts/genotype.js';
import { NASBENCH201_OPERATIONS } from '../networks/nasbench201-cell.js';
import { DARTS_ACTIVATIONS } from '../networks/recurrent/darts-genotype.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { drawCells } from './draw-architecture.js';
import { valueText } from './figures.js';

/** The page of a search with shared weights, and the picture of what it has found. */
export interface SupernetReport {
  readonly html: string;
  readonly cells?: Svg;
}

/** The most pictures of cells on the way; of more changes the last ones. */
const MOST_PICTURES = 12;

/** What a search with shared weights has come to so far: cells, weights, curves, the cells on the way. */
export function reportSupernet(run: SupernetRunState): SupernetReport {
  const { settings, space, objectives, epochs, end } = run;
  const [objective] = objectives;
  const architecture = end?.architecture ?? epochs.at(-1)?.architecture;
  const cells = architecture === undefined ? undefined : drawCells(space.name, architecture);
  const last = epochs.at(-1);
  const weights = last === undefined ? undefined : drawWeights(space.name, last);
  const html = writeReport({
    title: `Search: ${settings.strategy} on ${space.name}, ${settings.task.data.split(':')[0]}`,
    facts: [
      ['epochs', `${epochs.length} of ${settings.strategyOptions.epochs}`],
      ...(last === undefined ? [] : [['training loss', (last.loss as number).toFixed(4)] as const]),
      ...factOf(objective, `validation ${objective.name} of the supernet`, last),
      ...factOf(
        objective,
        `validation ${objective.name} of the architecture found, with the shared weights`,
        end,
      ),
    ],
    sections: [
      ...(cells === undefined ? [] : [{ heading: 'What was found', svg: cells }]),
      ...(weights === undefined
        ? []
        : [
            {
              heading: 'Weights of the operations after the last epoch',
              text: 'The softmax of the architecture parameters: an edge a row. Framed: what is derived from them.',
              svg: weights,
            },
          ]),
      ...(epochs.length === 0
        ? []
        : [
            { heading: 'Loss by epoch', svg: drawLosses(epochs) },
            { heading: 'Epochs', table: epochTable(run) },
          ]),
      ...changes(epochs)
        .slice(-MOST_PICTURES)
        .flatMap((event) => {
          const svg = drawCells(space.name, event.architecture);
          return svg === undefined
            ? []
            : [{ heading: `The cells after epoch ${event.epoch}`, svg, collapsed: true }];
        }),
    ],
  });
  return { html, ...(cells === undefined ? {} : { cells }) };
}

function factOf(
  measure: Measure,
  name: string,
  event: JournalEvent | undefined,
): (readonly [string, string])[] {
  const value = measureIn(event, measure.name);
  return value === undefined ? [] : [[name, valueText(measure, value)]];
}

function drawLosses(epochs: readonly JournalEvent[]): Svg {
  const series = (name: string, key: string) => ({
    name,
    steps: epochs.flatMap((event) => {
      const value = event[key];
      return typeof value === 'number'
        ? [{ x: event.epoch as number, low: value, middle: value, high: value }]
        : [];
    }),
  });
  return drawBands({
    title: 'Loss by epoch',
    xAxis: 'epoch',
    yAxis: 'loss',
    line: 'mean loss of the epoch',
    series: [series('training', 'loss'), series('validation', 'validationLoss')],
  });
}

/** The operations of the mixtures of a space, in the order of the architecture parameters. */
const operations: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['darts-cnn', DARTS_OPERATIONS],
  ['darts-rnn', ['none', ...DARTS_ACTIVATIONS]],
  ['nasbench201', NASBENCH201_OPERATIONS],
]);

/** How many states the first node of a cell can read, by space; each later node reads one more. */
const firstInputs: ReadonlyMap<string, number> = new Map([
  ['darts-cnn', 2],
  ['darts-rnn', 1],
  ['nasbench201', 1],
]);

/** An edge by the states that it joins; inputs come before the nodes. */
function edgeNames(count: number, inputs: number): string[] {
  const names: string[] = [];
  for (let node = inputs; names.length < count; node++)
    for (let state = 0; state < node && names.length < count; state++) names.push(`${state} to ${node}`);
  return names;
}

function drawWeights(spaceName: string, { weights, architecture }: JournalEvent): Svg | undefined {
  const columns = operations.get(spaceName);
  const inputs = firstInputs.get(spaceName);
  if (columns === undefined || inputs === undefined || typeof weights !== 'object' || weights === null)
    return undefined;
  const panels = Object.entries(weights as unknown as Record<string, number[][]>).map(([cell, shares]) =>
    heatMapPanel({
      title: cell,
      rows: edgeNames(shares.length, inputs),
      columns,
      shares,
      marked: derivedCells((architecture as Record<string, unknown> | undefined)?.[cell], columns, inputs),
    }),
  );
  return drawPanels('Weights of the operations', panels);
}

/** Where the edges of a genotype's cell stand among the architecture parameters. */
function derivedCells(
  edges: unknown,
  columns: readonly string[],
  inputs: number,
): (readonly [number, number])[] {
  if (!Array.isArray(edges)) return [];
  // Two edges a node where a cell has two inputs, one where it has one.
  return (edges as [string, number][]).map(([operation, state], place) => {
    const node = Math.floor(place / inputs);
    const first = (node * (node - 1)) / 2 + node * inputs;
    return [first + state, columns.indexOf(operation)];
  });
}

/** The epochs after which another architecture would be derived than after the one before. */
function changes(epochs: readonly JournalEvent[]): JournalEvent[] {
  const text = (event: JournalEvent | undefined) => JSON.stringify(event?.architecture);
  return epochs.filter(
    (event, place) => event.architecture !== undefined && text(event) !== text(epochs[place - 1]),
  );
}

function epochTable({ epochs, objectives: [objective] }: SupernetRunState) {
  const changed = new Set(changes(epochs));
  const number = (key: string) => (event: JournalEvent) =>
    typeof event[key] === 'number' ? event[key].toFixed(4) : '';
  const columns: { heading: string; numeric: boolean; of(event: JournalEvent): string }[] = [
    { heading: 'epoch', numeric: true, of: ({ epoch }) => String(epoch) },
    { heading: 'training loss', numeric: true, of: number('loss') },
    { heading: 'validation loss', numeric: true, of: number('validationLoss') },
    {
      heading: `its ${objective.name}`,
      numeric: true,
      of: (event) => {
        const value = measureIn(event, objective.name);
        return value === undefined ? '' : valueText(objective, value);
      },
    },
    { heading: 'eigenvalue', numeric: true, of: number('eigenvalue') },
    {
      heading: 'skips',
      numeric: false,
      of: ({ skips }) =>
        Object.entries((skips ?? {}) as Record<string, number>)
          .map(([cell, count]) => `${cell} ${count}`)
          .join(', '),
    },
    { heading: 'cells', numeric: false, of: (event) => (changed.has(event) ? 'others' : '') },
    { heading: 'warning', numeric: false, of: ({ warning }) => (typeof warning === 'string' ? warning : '') },
  ];
  // A strategy does not say everything of its epochs.
  const shown = columns.filter(({ of }) => epochs.some((event) => of(event) !== ''));
  return {
    columns: shown.map(({ heading, numeric }) => ({ heading, numeric })),
    rows: epochs.map((event) => shown.map(({ of }) => of(event))),
  };
}
