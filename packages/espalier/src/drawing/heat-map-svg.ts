import { paint } from './palette.js';
import type { Panel } from './panel.js';
import { escapeMarkup, px } from './svg.js';
import { symbolMarkup, symbolWidth } from './symbol.js';
import { textWidth } from './text-width.js';

export interface HeatMap {
  readonly title: string;
  /** Row names, from top to bottom; symbols are set as in `symbolMarkup`. */
  readonly rows: readonly string[];
  /** Column names, from left to right. */
  readonly columns: readonly string[];
  /** One list of shares in [0, 1] per row. Larger shares are darker. */
  readonly shares: readonly (readonly number[])[];
  /** Highlighted cells, by row and column. */
  readonly marked: readonly (readonly [row: number, column: number])[];
}

/** The opacity of the smallest share. */
const PALEST = 0.06;
const cell = { width: 38, height: 22 };
const size = 12;
/** The slope of the column names in degrees, upwards to the right. */
const angle = 40;

/**
 * Draws a table of shares as colours. The scale runs from the smallest share to the largest; a line below states both.
 *
 * @throws Error if a share is outside [0, 1], or if the shares do not match the rows and columns
 */
export function heatMapPanel({ title, rows, columns, shares, marked }: HeatMap): Panel {
  if (shares.length !== rows.length || shares.some((row) => row.length !== columns.length))
    throw new Error(
      `heat map "${title}": the shares do not have the ${rows.length} rows and ${columns.length} columns that are named`,
    );
  const odd = shares.flat().find((share) => !(share >= 0 && share <= 1));
  if (odd !== undefined)
    throw new Error(`heat map "${title}": a share is ${odd}, but shares must be between 0 and 1`);
  const [least, most] = [Math.min(1, ...shares.flat()), Math.max(0, ...shares.flat())];
  const scale = `from ${(100 * least).toFixed(2)}% (pale) to ${(100 * most).toFixed(2)}% (strong)`;
  const left = Math.ceil(Math.max(0, ...rows.map((name) => symbolWidth(name, size)))) + 8;
  const longest = Math.max(0, ...columns.map((name) => textWidth(name, size)));
  const radians = (angle * Math.PI) / 180;
  const top = Math.ceil(longest * Math.sin(radians)) + 14;
  // The last column name extends beyond the right end of the table.
  const right = Math.ceil(longest * Math.cos(radians));
  const bottom = top + rows.length * cell.height;
  const isMarked = new Set(marked.map(([row, column]) => `${row} ${column}`));
  const content = [
    ...columns.map(
      (name, column) =>
        `<text transform="translate(${px(left + (column + 0.5) * cell.width)} ${px(top - 6)}) rotate(-${angle})" font-size="${size}" ${paint({ fill: 'muted' })}>${escapeMarkup(name)}</text>`,
    ),
    ...rows.map(
      (name, row) =>
        `<text x="${px(left - 8)}" y="${px(top + (row + 0.5) * cell.height + 4)}" font-size="${size}" text-anchor="end" ${paint({ fill: 'ink' })}>${symbolMarkup(name, size)}</text>`,
    ),
    ...shares.flatMap((ofRow, row) =>
      ofRow.map((share, column) => {
        const x = px(left + column * cell.width);
        const y = px(top + row * cell.height);
        const opacity = most > least ? PALEST + ((1 - PALEST) * (share - least)) / (most - least) : 1;
        return (
          `<rect x="${x}" y="${y}" width="${cell.width - 2}" height="${cell.height - 2}" rx="2" fill-opacity="${px(opacity)}" ${paint({ fill: 'series-1' })} data-share="${share}">` +
          `<title>${escapeMarkup(`${rows[row]}, ${columns[column]}: ${(100 * share).toFixed(1)}%`)}</title></rect>`
        );
      }),
    ),
    ...shares.flatMap((ofRow, row) =>
      ofRow.flatMap((_, column) =>
        isMarked.has(`${row} ${column}`)
          ? [
              `<rect x="${px(left + column * cell.width)}" y="${px(top + row * cell.height)}" width="${cell.width - 2}" height="${cell.height - 2}" rx="2" stroke-width="2" ${paint({ stroke: 'skip-1' })} data-marked="true"/>`,
            ]
          : [],
      ),
    ),
    `<text x="${px(left)}" y="${px(bottom + 14)}" font-size="${size}" ${paint({ fill: 'muted' })}>${escapeMarkup(scale)}</text>`,
  ];
  return {
    width: left + Math.max(columns.length * cell.width + right, Math.ceil(textWidth(scale, size))),
    height: bottom + 20,
    stands: 'bottom',
    caption: title,
    description: `Shares of ${columns.join(', ')} for ${rows.join(', ')}; ${scale}.`,
    content,
  };
}
