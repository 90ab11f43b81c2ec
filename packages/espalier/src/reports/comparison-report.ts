import { writeReport } from '../drawing/report-html.js';
import type { ReadRun } from '../experiments/found-architecture.js';
import { bestOf } from '../experiments/found-architecture.js';
import type { InputShape } from '../space/space.js';
import { ACCURACY, measuredValue } from '../tasks/measure.js';
import { count, percent } from './figures.js';
import { drawArchitecture, rewardCurve } from './search-report.js';

/** A search under the name that the report gives it. */
export interface NamedRun {
  readonly name: string;
  readonly run: ReadRun;
}

/** The mean accuracy of the children measured; NaN where there are none. */
export function meanAccuracy({ run }: NamedRun): number {
  const { curve } = run.state;
  return curve.reduce((sum, { value }) => sum + value, 0) / curve.length;
}

/** The search with the highest accuracy; the first of them where several have it. */
export function bestSearch(searches: readonly NamedRun[]): NamedRun {
  const accuracy = ({ run }: NamedRun) => run.state.best?.accuracy ?? -1;
  return searches.reduce((best, one) => (accuracy(one) > accuracy(best) ? one : best));
}

/** Searches of classifiers side by side on one page, with the network of the best of them. */
export function reportComparison(
  title: string,
  searches: readonly NamedRun[],
  shape: InputShape,
  facts: readonly (readonly [string, string])[],
): string {
  const winner = bestSearch(searches);
  const { space, architecture } = bestOf(winner.run, winner.run.folder.path);
  return writeReport({
    title,
    facts,
    sections: [
      {
        heading: 'Accuracy by child',
        svg: rewardCurve(
          'Validation accuracy by child',
          ACCURACY,
          searches.map(({ name, run }) => ({ name, state: run.state })),
        ),
      },
      {
        heading: 'Side by side',
        table: {
          columns: [
            { heading: 'search', numeric: false },
            { heading: 'children', numeric: true },
            { heading: 'failed', numeric: true },
            { heading: 'mean accuracy', numeric: true },
            { heading: 'best accuracy', numeric: true },
            { heading: 'parameters of the best', numeric: true },
          ],
          rows: searches.map((one) => {
            const { state } = one.run;
            const outcome = state.best === null ? undefined : state.trials[state.best.trial]?.outcome;
            const measured =
              outcome?.status === 'ok'
                ? [percent(measuredValue(outcome)), count(outcome.params as number)]
                : ['', ''];
            return [
              one.name,
              String(state.done),
              String(state.failed),
              percent(meanAccuracy(one)),
              ...measured,
            ];
          }),
        },
      },
      {
        heading: `The best network, found by ${winner.name}`,
        svg: drawArchitecture(space, architecture, shape, `The best network of ${winner.name}`),
      },
    ],
  });
}
