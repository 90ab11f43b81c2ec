import { drawHistogram } from '../drawing/histogram-svg.js';
import type { Report } from '../drawing/report-html.js';
import { drawScatter } from '../drawing/scatter-svg.js';
import { bestValue, type Objectives } from '../measures/measure.js';
import type { Space } from '../space/space.js';
import type { Round } from '../weight-sharing/round-event.js';
import { choicesOf, choicesText } from './choices.js';
import { count, valueText } from './figures.js';
import { measureOf, wordsOf } from './measure-words.js';

/** The candidates that a choice has scored with the shared weights, and those of them that it measured on all data. */
export function candidateSections(
  rounds: readonly Round[],
  space: Space,
  objectives: Objectives,
): Report['sections'] {
  if (rounds.length === 0) return [];
  const [objective] = objectives;
  const scores = rounds.flatMap((round) => round.scores.filter((score) => score !== null));
  const dropped = rounds.reduce((sum, round) => sum + round.scores.length, 0) - scores.length;
  const finalists = rounds.flatMap(({ round, finalists }) =>
    finalists.map((one) => ({ ...one, round, value: one.measures?.[objective.name] })),
  );
  const best = bestValue(
    objective,
    finalists.flatMap(({ value }) => value ?? []),
  );
  const chosen = finalists.findIndex(({ value }) => value !== undefined && value === best);
  const chosenScore = finalists[chosen]?.score;
  const names = [...new Set(finalists.flatMap(({ measures }) => Object.keys(measures ?? {})))];
  const points = finalists.flatMap(({ round, score, value }, index) =>
    value === undefined
      ? []
      : [
          {
            x: score,
            y: value,
            name:
              `${index === chosen ? 'chosen: ' : ''}round ${round}: ${valueText(objective, score)} on a part, ` +
              `${valueText(objective, value)} on all`,
            group: 'finalist',
            ...(index === chosen ? { emphasised: true } : {}),
          },
        ],
  );
  const text = (value: number) => ({ text: valueText(objective, value), sort: value });
  const scoreAxis = `${objective.name} on a part of the validation data`;
  return [
    {
      heading: 'Scores of the candidates',
      text:
        `${count(scores.length + dropped)} architectures were drawn in ${rounds.length} ${rounds.length === 1 ? 'round' : 'rounds'} ` +
        `and scored with the shared weights on a part of the validation data` +
        `${dropped === 0 ? '' : `; ${count(dropped)} gave numbers that are not finite`}.`,
      svg: drawHistogram({
        title: 'Scores of the candidates',
        valueAxis: scoreAxis,
        countAxis: 'candidates',
        values: scores,
        ...(chosenScore === undefined
          ? {}
          : {
              mark: {
                value: chosenScore,
                text: `the one that was chosen: ${valueText(objective, chosenScore)}`,
              },
            }),
      }),
    },
    ...(points.length < 2
      ? []
      : [
          {
            heading: 'Finalists: score and measure',
            text: 'The best of each round were measured on all validation data. The chosen one is ringed.',
            svg: drawScatter({
              title: 'Finalists: score and measure',
              xAxis: scoreAxis,
              yAxis: `${objective.name} on all of it`,
              points,
              groups: [{ name: 'finalist', colour: 'series-1' }],
            }),
          },
        ]),
    {
      heading: 'Finalists',
      table: {
        columns: [
          { heading: 'round', numeric: true },
          { heading: `${objective.name} on a part`, numeric: true },
          ...names.map((name) => ({ heading: `${wordsOf(name)} on all`, numeric: true })),
          { heading: 'choices', numeric: false, long: true },
        ],
        rows: finalists.map(({ round, score, measures, architecture }) => [
          String(round),
          text(score),
          ...names.map((name) => {
            const value = measures?.[name];
            return value === undefined
              ? 'not finite'
              : { text: valueText(measureOf(objectives, name), value), sort: value };
          }),
          choicesText(choicesOf(space, space.encode(space.validate(architecture)))),
        ]),
        sortable: true,
        ...(chosen < 0 ? {} : { emphasised: chosen }),
      },
      collapsed: true,
    },
  ];
}
