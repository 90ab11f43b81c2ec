import { label, margin, pictureWidth, textSize } from './chart-text.js';
import { legendRows } from './legend-rows.js';
import { type Paint, paint } from './palette.js';
import { px } from './svg.js';
import { textWidth, wrapText } from './text-width.js';

const legendHeight = 20;
const signWidth = 24;
const signGap = 6;

type SignKind = 'search' | 'dot' | 'line' | 'average' | 'best' | 'failed' | 'band' | 'frontier';

export interface LegendEntry {
  readonly sign: SignKind;
  readonly colour: Paint;
  readonly text: string;
  readonly dashes?: string;
}

// With round caps, a line through a single trial shows as a dot.
export const averageStroke = 'stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"';
export const bestStroke = 'stroke-width="2.25" stroke-linejoin="round" stroke-linecap="round"';

/** The line through the results that no other one beats. */
export const frontierStroke = 'stroke-width="1.5" stroke-dasharray="4 3" stroke-linejoin="round"';

/** The fill of the band between the best and the worst seed. */
export const bandFill = 'fill-opacity="0.16"';

/** Path data of a cross of two strokes, centred on a point. */
export function cross(x: number, y: number): string {
  return `M${px(x - 3)} ${px(y - 3)}l6 6m0 -6l-6 6`;
}

function writeSign({ sign, colour, dashes }: LegendEntry, x: number, y: number): string {
  const right = px(x + signWidth);
  switch (sign) {
    case 'search':
      return `<path d="M${px(x)} ${px(y)}H${right}" stroke-width="4"${dashes ?? ''} ${paint({ stroke: colour })}/>`;
    case 'dot':
      return `<path d="M${px(x + signWidth / 2)} ${px(y)}h0" stroke-width="7" stroke-linecap="round" opacity="0.75" ${paint({ stroke: colour })}/>`;
    case 'average':
      return `<path d="M${px(x)} ${px(y)}H${right}" ${averageStroke} ${paint({ stroke: colour })}/>`;
    case 'line':
      return `<path d="M${px(x)} ${px(y)}H${right}" ${bestStroke} ${paint({ stroke: colour })}/>`;
    case 'frontier':
      return `<path d="M${px(x)} ${px(y + 4)}h12v-8H${right}" ${frontierStroke} ${paint({ stroke: colour })}/>`;
    case 'best':
      return `<path d="M${px(x)} ${px(y + 4)}h12v-8H${right}" ${bestStroke} ${paint({ stroke: colour })}/>`;
    case 'band':
      return `<rect x="${px(x)}" y="${px(y - 5)}" width="${signWidth}" height="10" ${bandFill} ${paint({ fill: colour })}/>`;
    case 'failed':
      return `<path d="${cross(x + signWidth / 2, y)}" stroke-width="1.5" ${paint({ stroke: colour })}/>`;
  }
}

/** Draws a legend whose upper edge is at `top`, and returns its height. */
export function writeLegend(
  groups: readonly (readonly LegendEntry[])[],
  top: number,
): { drawn: string[]; height: number } {
  const drawn: string[] = [];
  const width = pictureWidth - 2 * margin;
  let rows = 0;
  for (const group of groups) {
    const texts = group.map(({ text }) => {
      const [start = '', ...rest] = wrapText(text, width - signWidth - signGap - textSize, textSize);
      return rest.length > 0 ? `${start}…` : start;
    });
    const slots = legendRows(
      texts.map((text) => signWidth + signGap + Math.ceil(textWidth(text, textSize))),
      width,
    );
    for (const [index, entry] of group.entries()) {
      const x = margin + slots[index]!.offset;
      const y = top + (rows + slots[index]!.row) * legendHeight + legendHeight / 2;
      drawn.push(writeSign(entry, x, y), label(texts[index]!, x + signWidth + signGap, y + 4, 'start'));
    }
    rows += 1 + (slots.at(-1)?.row ?? -1);
  }
  return { drawn, height: rows * legendHeight };
}
