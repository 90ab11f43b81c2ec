import { confusionPanel } from '../drawing/confusion-svg.js';
import { drawPanels } from '../drawing/panel.js';
import type { Report } from '../drawing/report-html.js';
import { type ConfusionCounts, confusionMatrix } from '../measures/confusion.js';
import { count, percent } from './figures.js';

/** More classes than these have a table only: no number would be legible in the picture. */
const MOST_DRAWN = 20;

/**
 * Which classes are taken for which: a picture, and a table of the classes.
 *
 * @param names of the classes, as far as they are known
 * @param part the data that was judged: `test`
 * @param unions the intersection over union of each class, where the inputs are pixels
 */
export function confusionSections(
  counts: ConfusionCounts,
  names: readonly string[],
  part: string,
  unions?: readonly (number | null)[],
): Report['sections'] {
  const matrix = confusionMatrix(counts, names.length);
  const nameOf = (index: number) => names[index] ?? `class ${index}`;
  const heading = `Confusion matrix on the ${part} data`;
  const classes = matrix.map((_, index) => nameOf(index));
  const all = matrix.flat().reduce((sum, one) => sum + one, 0);
  const right = matrix.reduce((sum, row, index) => sum + row[index]!, 0);
  const inputs = unions === undefined ? 'inputs' : 'pixels';
  const picture =
    matrix.length > MOST_DRAWN
      ? []
      : [
          {
            heading,
            text:
              `A row for each true class; the numbers are ${unions === undefined ? 'inputs' : 'percent of its pixels'}, and a colour is ` +
              'the stronger the larger the share of its row.',
            svg: drawPanels(heading, [
              confusionPanel({
                title: `${count(right)} of ${count(all)} right`,
                classes,
                counts: unions === undefined ? matrix : matrix.map(inPercent),
                rowAxis: 'true class',
                columnAxis: 'predicted class',
              }),
            ]),
          },
        ];
  return [
    ...picture,
    {
      heading: `Classes on the ${part} data`,
      table: {
        columns: [
          { heading: 'class', numeric: false },
          { heading: inputs, numeric: true, first: 'descending' },
          ...(unions === undefined ? [] : [{ heading: 'intersection over union', numeric: true }]),
          { heading: 'recognised (recall)', numeric: true },
          { heading: 'right where predicted (precision)', numeric: true },
          { heading: 'most often taken for', numeric: false },
        ],
        rows: matrix.map((row, actual) => {
          const all = row.reduce((sum, one) => sum + one, 0);
          const predicted = matrix.reduce((sum, other) => sum + other[actual]!, 0);
          const own = row[actual]!;
          const wrong = row.map((one, index) => (index === actual ? 0 : one));
          const most = Math.max(...wrong);
          const share = (of: number) => (of === 0 ? '' : { text: percent(own / of), sort: own / of });
          return [
            nameOf(actual),
            { text: count(all), sort: all },
            ...(unions === undefined ? [] : [unionCell(unions[actual])]),
            share(all),
            share(predicted),
            most > 0 ? `${nameOf(wrong.indexOf(most))} (${count(most)})` : '',
          ];
        }),
        sortable: true,
      },
      collapsed: matrix.length > MOST_DRAWN,
    },
  ];
}

/** A row of counts as whole percent of their sum. */
function inPercent(row: readonly number[]): number[] {
  const sum = row.reduce((total, one) => total + one, 0);
  return row.map((one) => (sum === 0 ? 0 : Math.round((100 * one) / sum)));
}

function unionCell(value: number | null | undefined): string | { text: string; sort: number } {
  return value === null || value === undefined ? '' : { text: percent(value), sort: value };
}
