import { pictureRoom } from './page-width.js';
import { paint } from './palette.js';
import { escapeMarkup, px, type Svg, svgElement } from './svg.js';
import { textWidth } from './text-width.js';

/** A part of a figure: a drawing from (0, 0) to (`width`, `height`), and the caption below it. */
export interface Panel {
  readonly width: number;
  readonly height: number;
  /** Vertical alignment beside a taller panel. */
  readonly stands: 'bottom' | 'middle';
  readonly caption: string;
  /** Text alternative for readers who cannot see the picture. */
  readonly description: string;
  readonly content: readonly string[];
}

const margin = 20;
const gap = 56;
const captionSize = 14;
const captionHeight = 40;
const rowGap = 24;

/** Whether panels stand side by side, in rows that a page can show unscaled, or one below the other. */
export type Arrangement = 'beside' | 'below';

interface Row {
  readonly panels: { readonly panel: Panel; readonly caption: string; readonly width: number }[];
  width: number;
}

/** Panels in rows from left to right, lettered where there are several. */
function rowsOf(panels: readonly Panel[], arrangement: Arrangement): Row[] {
  const rows: Row[] = [];
  for (const [index, panel] of panels.entries()) {
    const letter = panels.length > 1 ? `(${String.fromCharCode(0x61 + index)}) ` : '';
    const caption = letter + panel.caption;
    const width = Math.max(panel.width, Math.ceil(textWidth(caption, captionSize)));
    const last = rows.at(-1);
    if (
      last !== undefined &&
      arrangement === 'beside' &&
      last.width + gap + width <= pictureRoom - 2 * margin
    ) {
      last.panels.push({ panel, caption, width });
      last.width += gap + width;
    } else rows.push({ panels: [{ panel, caption, width }], width });
  }
  return rows;
}

/**
 * Draws panels, each above its caption, as one self-contained SVG element. Several panels are lettered (a), (b), and so
 * on. The output is deterministic: equal input gives identical bytes.
 */
export function drawPanels(title: string, panels: readonly Panel[], arrangement: Arrangement = 'below'): Svg {
  const rows = rowsOf(panels, arrangement);
  const inner = Math.max(0, ...rows.map(({ width }) => width));
  const content: string[] = [];
  let top = margin;
  for (const row of rows) {
    const tallest = Math.max(0, ...row.panels.map(({ panel }) => panel.height));
    let left = margin + (inner - row.width) / 2;
    for (const { panel, caption, width } of row.panels) {
      const x = left + (width - panel.width) / 2;
      const y = top + (tallest - panel.height) / (panel.stands === 'bottom' ? 1 : 2);
      content.push(
        `<g data-panel="${escapeMarkup(panel.caption)}" transform="translate(${px(x)} ${px(y)})">`,
        ...panel.content,
        '</g>',
        `<text x="${px(left + width / 2)}" y="${px(y + panel.height + 30)}" font-size="${captionSize}" text-anchor="middle" ${paint({ fill: 'ink' })}>${escapeMarkup(caption)}</text>`,
      );
      left += width + gap;
    }
    top += tallest + captionHeight + rowGap;
  }
  const width = inner + 2 * margin;
  const height = (rows.length === 0 ? margin + captionHeight : top - rowGap) + margin / 2;
  const description = panels.map(({ caption, description }) => `${caption}: ${description}`).join(' ');
  return svgElement({ x: 0, y: 0, width, height, title, description }, [
    `<rect width="${px(width)}" height="${px(height)}" ${paint({ fill: 'paper' })}/>`,
    ...content,
  ]);
}
