import { paint } from './palette.js';
import type { Panel } from './panel.js';
import { escapeMarkup, px } from './svg.js';
import { textWidth, wrapText } from './text-width.js';

export interface ConfusionPicture {
  readonly title: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** How many inputs of each class (row) were taken for each class (column). */
  readonly counts: readonly (readonly number[])[];
  readonly rowAxis: string;
  readonly columnAxis: string;
}

const size = 12;
const height = 26;
const widestName = 170;
/** The slope of the column names in degrees, upwards to the right. */
const angle = 40;
/** From this share of a row on, the number in a cell has the colour of the paper. */
const DARK = 0.55;

/**
 * Draws a confusion matrix: a row for each class, darker where more of its inputs are, with the numbers.
 *
 * @throws Error if the counts are not a square of the classes
 */
export function confusionPanel({ title, classes, counts, rowAxis, columnAxis }: ConfusionPicture): Panel {
  const { length } = classes;
  if (counts.length !== length || counts.some((row) => row.length !== length))
    throw new Error(`confusion matrix "${title}": the counts are not ${length} by ${length}`);
  const names = classes.map((name) => {
    const [start = '', ...rest] = wrapText(name, widestName, size);
    return rest.length > 0 ? `${start}…` : start;
  });
  const widths = names.map((name) => Math.ceil(textWidth(name, size)));
  const digits = Math.max(1, ...counts.flat().map((count) => String(count).length));
  const width = Math.max(30, Math.ceil(textWidth('0'.repeat(digits), size)) + 12);
  const radians = (angle * Math.PI) / 180;
  const longest = Math.max(0, ...widths);
  const left = 22 + longest + 8;
  const top = 20 + Math.ceil(longest * Math.sin(radians)) + 14;
  const cells = counts.flatMap((row, actual) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => {
      const share = total === 0 ? 0 : count / total;
      const x = left + predicted * width;
      const y = top + actual * height;
      const colour = share >= DARK ? 'paper' : count === 0 ? 'muted' : 'ink';
      return (
        `<g data-actual="${actual}" data-predicted="${predicted}"><title>${escapeMarkup(`${classes[actual]} taken for ${classes[predicted]}: ${count} of ${total}`)}</title>` +
        `<rect x="${px(x)}" y="${px(y)}" width="${px(width - 2)}" height="${height - 2}" rx="2" fill-opacity="${px(0.04 + 0.96 * share)}" ${paint({ fill: actual === predicted ? 'series-1' : 'series-2' })}/>` +
        `<text x="${px(x + width / 2 - 1)}" y="${px(y + height / 2 + 3)}" font-size="${size}" text-anchor="middle" ${paint({ fill: colour })}>${count}</text></g>`
      );
    });
  });
  const right = Math.ceil((widths.at(-1) ?? 0) * Math.cos(radians));
  const middle = top + (length * height) / 2;
  return {
    width: left + length * width + right,
    height: top + length * height,
    stands: 'bottom',
    caption: title,
    description: counts
      .map((row, actual) => {
        const total = row.reduce((sum, count) => sum + count, 0);
        return `${classes[actual]}: ${row[actual]} of ${total} right.`;
      })
      .join(' '),
    content: [
      `<text x="${px(left)}" y="${size}" font-size="${size}" ${paint({ fill: 'muted' })}>${escapeMarkup(columnAxis)}</text>`,
      `<g transform="translate(${size} ${px(middle)}) rotate(-90)"><text font-size="${size}" text-anchor="middle" ${paint({ fill: 'muted' })}>${escapeMarkup(rowAxis)}</text></g>`,
      ...names.map(
        (name, column) =>
          `<text transform="translate(${px(left + (column + 0.5) * width)} ${px(top - 6)}) rotate(-${angle})" font-size="${size}" ${paint({ fill: 'ink' })}>${escapeMarkup(name)}</text>`,
      ),
      ...names.map(
        (name, row) =>
          `<text x="${px(left - 8)}" y="${px(top + (row + 0.5) * height + 3)}" font-size="${size}" text-anchor="end" ${paint({ fill: 'ink' })}>${escapeMarkup(name)}</text>`,
      ),
      ...cells,
    ],
  };
}
