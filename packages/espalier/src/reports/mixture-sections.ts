import { heatMapPanel } from '../drawing/heat-map-svg.js';
import { drawLines } from '../drawing/line-chart-svg.js';
import { drawPanels } from '../drawing/panel.js';
import type { Report } from '../drawing/report-html.js';
import { drawSmallMultiples } from '../drawing/small-multiples-svg.js';
import type { JournalEvent } from '../runs/journal-event.js';
import type { Weights } from './draw-architecture.js';
import { type Mixture, mixtureOf } from './mixtures.js';

type Section = Report['sections'][number];

/** The weights of the mixtures of one name over the epochs. */
interface MixtureCourse {
  readonly name: string;
  /** As the last epoch has it. */
  readonly mixture: Mixture;
  /** Epoch, then place by option. */
  readonly course: readonly { readonly epoch: number; readonly shares: readonly (readonly number[])[] }[];
}

/** What the architecture parameters weigh after an epoch; empty where the strategy has none. */
export const weightsOf = ({ weights }: JournalEvent): Weights =>
  typeof weights === 'object' && weights !== null ? (weights as unknown as Weights) : {};

/** Of the mixtures that the last epoch tells, and whose space is known. */
function coursesOf(spaceName: string, epochs: readonly JournalEvent[]): MixtureCourse[] {
  const last = epochs.at(-1);
  if (last === undefined) return [];
  return Object.entries(weightsOf(last)).flatMap(([name, shares]) => {
    const mixture = mixtureOf(spaceName, name, shares.length, last.architecture);
    if (mixture === undefined || shares.some((row) => row.length !== mixture.options.length)) return [];
    const course = epochs.flatMap((event) => {
      const own = weightsOf(event)[name];
      return own === undefined ? [] : [{ epoch: event.epoch as number, shares: own }];
    });
    return [{ name, mixture, course }];
  });
}

/** What the architecture parameters say after the last epoch, and how they came there. */
export function mixtureSections(spaceName: string, epochs: readonly JournalEvent[]): Section[] {
  const courses = coursesOf(spaceName, epochs);
  if (courses.length === 0) return [];
  return [
    {
      heading: 'Weights of the operations after the last epoch',
      text: 'The softmax of the architecture parameters: a choice a row, with the names of the picture. Framed: what is derived from them.',
      svg: drawPanels(
        'Weights of the operations',
        courses.map(({ name, mixture: { places, options, kept }, course }) =>
          heatMapPanel({
            title: name,
            rows: places,
            columns: options,
            shares: course.at(-1)!.shares,
            marked: kept,
          }),
        ),
        'beside',
      ),
    },
    ...courses.flatMap((one) => (one.course.length < 2 ? [] : [meanSection(one), eachSection(one)])),
  ];
}

/** Shows at a glance what gains: skip connections, for example, when a search collapses. */
function meanSection({ name, mixture: { options }, course }: MixtureCourse): Section {
  const heading = `Weights by epoch, the mean of ${name}`;
  return {
    heading,
    svg: drawLines({
      title: heading,
      xAxis: 'epoch',
      yAxis: 'mean softmax of alpha',
      series: options.map((option, column) => ({
        name: option,
        points: course.map(({ epoch, shares }) => ({
          x: epoch,
          y: shares.reduce((sum, row) => sum + row[column]!, 0) / shares.length,
        })),
      })),
    }),
  };
}

function eachSection({ name, mixture: { places, options, kept }, course }: MixtureCourse): Section {
  const heading = `Weights by epoch, each choice of ${name}`;
  const keptAt = new Map(kept);
  return {
    heading,
    text: 'Bold: what is derived after the last epoch.',
    svg: drawSmallMultiples({
      title: heading,
      xAxis: 'epoch',
      yAxis: 'softmax of alpha',
      lines: options,
      charts: places.map((place, row) => {
        const option = keptAt.get(row);
        return {
          name: place,
          values: options.map((_, column) => course.map(({ shares }) => shares[row]![column]!)),
          ...(option === undefined ? {} : { emphasised: option }),
        };
      }),
      x: course.map(({ epoch }) => epoch),
    }),
    collapsed: true,
  };
}
