import { tableRoom } from '../drawing/page-width.js';
import { columnWidth, type ReportCell, type ReportColumn, type ReportTable } from '../drawing/report-html.js';
import { drawSparkline } from '../drawing/sparkline-svg.js';
import { spaceOfTrial } from '../experiments/found-architecture.js';
import type { RunState } from '../runs/run-state.js';
import type { Space } from '../space/space.js';
import { type Choice, choicesOf, choicesText, valuesText, withoutCommonKey } from './choices.js';
import { valueText } from './figures.js';
import { measureOf, wordsOf } from './measure-words.js';
import { rungGroups } from './rung-colours.js';
import type { TrainedChild } from './trained-children.js';

/** Measures that have a column of their own however little room there is, counted from the deciding one. */
const OWN_COLUMNS = 3;

interface ChildColumn extends ReportColumn {
  of(child: TrainedChild, index: number): ReportCell;
}

/** The children of a search, a row each: measures, learning curve, and choices with their values. */
export function childrenTable(state: RunState, space: Space, children: readonly TrainedChild[]): ReportTable {
  const choices = withoutCommonKey(
    children.map(({ trial }) => choicesOf(spaceOfTrial(space, trial), trial.answers)),
  );
  const child = { heading: 'child', numeric: true, of: ({ number }: TrainedChild) => String(number) };
  const measures = measureColumns(state, children);
  const around = (own: readonly ChildColumn[], chosen: readonly ChildColumn[]): readonly ChildColumn[] => [
    child,
    ...rungColumn(children),
    ...own,
    ...curveColumn(state, children),
    ...chosen,
    ...failureColumn(children),
  ];
  const columns = firstThatFits(children, [
    () => around(measures, choiceColumns(choices)),
    () => around(measures, [allChoices(choices)]),
    () => around(withOthers(measures), [allChoices(choices)]),
  ]);
  const best = state.best === null ? undefined : state.childOf(state.best.trial) + 1;
  const emphasised = children.findIndex(({ number }) => number === best);
  return {
    columns: columns.map(({ of: _, ...column }) => column),
    rows: children.map((child, index) => columns.map(({ of }) => of(child, index))),
    sortable: true,
    ...(emphasised < 0 ? {} : { emphasised }),
  };
}

/** The first columns that a page has room for, or else the last ones. */
function firstThatFits(
  children: readonly TrainedChild[],
  ways: readonly (() => readonly ChildColumn[])[],
): readonly ChildColumn[] {
  let columns: readonly ChildColumn[] = [];
  for (const way of ways) {
    columns = way();
    const width = columns.reduce((sum, column) => sum + columnWidth(column, children.map(column.of)), 0);
    if (width <= tableRoom) break;
  }
  return columns;
}

/** The first measures, and the others as one text. */
function withOthers(measures: readonly ChildColumn[]): ChildColumn[] {
  const [own, others] = [measures.slice(0, OWN_COLUMNS), measures.slice(OWN_COLUMNS)];
  if (others.length === 0) return own;
  const textOf = (cell: ReportCell) => (typeof cell === 'string' ? cell : cell.text);
  return [
    ...own,
    {
      heading: 'other measures',
      numeric: false,
      long: true,
      of: (child, index) =>
        others
          .map(({ heading, of }) => [heading, textOf(of(child, index))])
          .filter(([, value]) => value !== '')
          .map((pair) => pair.join(' '))
          .join('; '),
    },
  ];
}

function rungColumn(children: readonly TrainedChild[]): ChildColumn[] {
  if (children.every(({ trial }) => trial.epochs === undefined)) return [];
  return [
    { heading: 'epochs', numeric: true, first: 'descending', of: ({ trial }) => String(trial.epochs ?? '') },
  ];
}

function measureColumns({ objective, objectives }: RunState, children: readonly TrainedChild[]) {
  const others = new Set(children.flatMap(({ measures = {} }) => Object.keys(measures)));
  others.delete(objective.name);
  return [objective.name, ...others].map((name): ChildColumn => {
    const measure = measureOf(objectives, name);
    const isHigherBetter = typeof measure !== 'string' && measure.better === 'higher';
    return {
      heading: wordsOf(name),
      numeric: true,
      ...(isHigherBetter ? { first: 'descending' } : {}),
      of: ({ measures }) => {
        const value = measures?.[name];
        if (value !== undefined) return { text: valueText(measure, value), sort: value };
        return measures === undefined && name === objective.name ? 'failed' : '';
      },
    };
  });
}

/** All with the same scales. None where the estimator tells no epochs, or one only. */
function curveColumn(state: RunState, children: readonly TrainedChild[]): ChildColumn[] {
  const points = children.flatMap(({ curve }) => curve);
  if (children.every(({ curve }) => curve.length < 2)) return [];
  const range = (values: readonly number[]): [number, number] =>
    values.reduce<[number, number]>(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
  const x = range(points.map(({ epoch }) => epoch));
  const y = range(points.map(({ value }) => value));
  const groups = rungGroups(state);
  const place = ({ epoch, value }: TrainedChild['curve'][number]) => ({ x: epoch, y: value });
  return [
    {
      heading: `${state.objective.name} by epoch`,
      numeric: false,
      of: ({ number, curve, rungs }) => {
        const last = curve.at(-1);
        if (last === undefined) return '';
        const svg = drawSparkline({
          description:
            `child ${number}: ${valueText(state.objective, curve[0]!.value)} after epoch ${curve[0]!.epoch}, ` +
            `${valueText(state.objective, last.value)} after epoch ${last.epoch}`,
          points: curve.map(place),
          marks: curve.flatMap((point) => {
            const group = rungs.includes(point.epoch) ? groups.get(point.epoch) : undefined;
            return group === undefined ? [] : [{ at: place(point), colour: group.colour }];
          }),
          x,
          y,
        });
        return { text: '', sort: last.value, svg };
      },
    },
  ];
}

/** All choices of a child as one text. */
const allChoices = (choices: readonly (readonly Choice[])[]): ChildColumn => ({
  heading: 'choices',
  numeric: false,
  long: true,
  of: (_, index) => choicesText(choices[index] ?? []),
});

/** A column for each choice; a choice that an architecture does not have is empty. */
function choiceColumns(choices: readonly (readonly Choice[])[]): ChildColumn[] {
  const names = [...new Set(choices.flatMap((own) => own.map(({ name }) => name)))];
  return names.map((name) => {
    const chosen = choices.map((own) => own.find((choice) => choice.name === name));
    const isOne = chosen.every((choice) => choice === undefined || choice.values.length === 1);
    return {
      heading: name,
      numeric: isOne && chosen.every((choice) => typeof (choice?.values[0] ?? 0) === 'number'),
      ...(isOne ? {} : { long: true }),
      of: (_, index) => {
        const choice = chosen[index];
        return choice === undefined ? '' : valuesText(choice);
      },
    };
  });
}

function failureColumn(children: readonly TrainedChild[]): ChildColumn[] {
  const reasonOf = ({ trial: { outcome } }: TrainedChild) =>
    outcome?.status === 'failed' ? outcome.reason : '';
  if (children.every((child) => reasonOf(child) === '')) return [];
  return [{ heading: 'failed because', numeric: false, long: true, of: reasonOf }];
}
