import { writeReport } from '../drawing/report-html.js';
import type { ReadRun } from '../experiments/found-architecture.js';
import { goodness } from '../measures/measure.js';
import { capitalised, count, valueText } from './figures.js';
import { drawBest, rewardCurve } from './search-report.js';
import { settingTexts, sharedSettingsTable } from './settings-table.js';
import { topCurve } from './top-curve.js';

/** A search under the name that the report gives it. */
export interface NamedRun {
  readonly name: string;
  readonly run: ReadRun;
}

/** The mean value of the children that were measured; NaN where there are none. */
export function meanValue({ run }: NamedRun): number {
  const { curve } = run.state;
  return curve.reduce((sum, { value }) => sum + value, 0) / curve.length;
}

/** The search with the best value; the first of them where several have it. */
export function bestSearch(searches: readonly NamedRun[]): NamedRun {
  const good = ({ run: { state } }: NamedRun) =>
    state.best === null ? Number.NEGATIVE_INFINITY : goodness(state.objective, state.best.value);
  return searches.reduce((best, one) => (good(one) > good(best) ? one : best));
}

/** Searches with the same objectives side by side on one page, with the network of the best of them. */
export async function reportComparison(
  title: string,
  searches: readonly NamedRun[],
  facts: readonly (readonly [string, string])[],
): Promise<string> {
  const winner = bestSearch(searches);
  const { objective } = winner.run.state;
  const tops = topCurve(
    objective,
    searches.map(({ name, run }) => ({ name, state: run.state })),
  );
  const picture = await drawBest(winner.run, `The best network of ${winner.name}`);
  return writeReport({
    title,
    facts,
    sections: [
      {
        heading: `${capitalised(objective.name)} by child`,
        svg: rewardCurve(
          `Validation ${objective.name} by child`,
          objective,
          searches.map(({ name, run }) => ({ name, state: run.state })),
        ),
      },
      ...(tops === undefined ? [] : [{ heading: 'The best so far by children', svg: tops }]),
      {
        heading: 'Side by side',
        table: {
          columns: [
            { heading: 'search', numeric: false },
            { heading: 'children', numeric: true },
            { heading: 'failed', numeric: true },
            { heading: `mean ${objective.name}`, numeric: true },
            { heading: `best ${objective.name}`, numeric: true },
            { heading: 'parameters of the best', numeric: true },
          ],
          rows: searches.map((one) => {
            const { state } = one.run;
            const outcome = state.best === null ? undefined : state.trials[state.best.trial]?.outcome;
            const measured =
              outcome?.status === 'ok'
                ? [
                    valueText(objective, outcome.measures[objective.name] as number),
                    count(outcome.measures.params ?? 0),
                  ]
                : ['', ''];
            return [
              one.name,
              String(state.done),
              String(state.failed),
              valueText(objective, meanValue(one)),
              ...measured,
            ];
          }),
        },
      },
      ...(picture === undefined
        ? []
        : [{ heading: `The best network, found by ${winner.name}`, svg: picture }]),
      {
        heading: 'Settings',
        table: sharedSettingsTable(
          searches.map(({ name, run }) => ({ name, settings: settingTexts(run.settings) })),
        ),
        collapsed: true,
      },
    ],
  });
}
