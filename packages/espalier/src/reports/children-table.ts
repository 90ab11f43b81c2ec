import type { ReportCell, ReportTable } from '../drawing/report-html.js';
import { drawSparkline } from '../drawing/sparkline-svg.js';
import { spaceOfTrial } from '../experiments/found-architecture.js';
import type { RunState } from '../runs/run-state.js';
import type { Space } from '../space/space.js';
import { type Choice, choicesOf, choicesText, valuesText, withoutCommonKey } from './choices.js';
import { valueText } from './figures.js';
import { measureOf, wordsOf } from './measure-words.js';
import { rungGroups } from './rung-colours.js';
import type { TrainedChild } from './trained-children.js';

/** More choices than these stand in one column. */
const MOST_CHOICE_COLUMNS = 7;

interface ChildColumn {
  readonly heading: string;
  readonly numeric: boolean;
  readonly first?: 'descending';
  readonly long?: true;
  of(child: TrainedChild, index: number): ReportCell;
}

/** The children of a search, a row each: measures, learning curve, and choices with their values. */
export function childrenTable(state: RunState, space: Space, children: readonly TrainedChild[]): ReportTable {
  const columns = [
    { heading: 'child', numeric: true, of: ({ number }: TrainedChild) => String(number) },
    ...rungColumn(children),
    ...measureColumns(state, children),
    ...curveColumn(state, children),
    ...choiceColumns(
      withoutCommonKey(children.map(({ trial }) => choicesOf(spaceOfTrial(space, trial), trial.answers))),
    ),
    ...failureColumn(children),
  ];
  const best = state.best === null ? undefined : state.childOf(state.best.trial) + 1;
  const emphasised = children.findIndex(({ number }) => number === best);
  return {
    columns: columns.map(({ of: _, ...column }) => column),
    rows: children.map((child, index) => columns.map(({ of }) => of(child, index))),
    sortable: true,
    ...(emphasised < 0 ? {} : { emphasised }),
  };
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

/** A column for each choice where they are few; a choice that an architecture does not have is empty. */
function choiceColumns(choices: readonly (readonly Choice[])[]): ChildColumn[] {
  const names = [...new Set(choices.flatMap((own) => own.map(({ name }) => name)))];
  if (names.length > MOST_CHOICE_COLUMNS)
    return [
      { heading: 'choices', numeric: false, long: true, of: (_, index) => choicesText(choices[index] ?? []) },
    ];
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
