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

/**
 * Draws panels side by side, each above its caption, as one self-contained SVG element. Several panels are lettered
 * (a), (b), and so on. The output is deterministic: equal input gives identical bytes.
 */
export function drawPanels(title: string, panels: readonly Panel[]): Svg {
  const tallest = Math.max(0, ...panels.map(({ height }) => height));
  const content: string[] = [];
  let left = margin;
  for (const [index, panel] of panels.entries()) {
    const letter = panels.length > 1 ? `(${String.fromCharCode(0x61 + index)}) ` : '';
    const caption = letter + panel.caption;
    const width = Math.max(panel.width, Math.ceil(textWidth(caption, captionSize)));
    const x = left + (width - panel.width) / 2;
    const y = margin + (tallest - panel.height) / (panel.stands === 'bottom' ? 1 : 2);
    content.push(
      `<g data-panel="${escapeMarkup(panel.caption)}" transform="translate(${px(x)} ${px(y)})">`,
      ...panel.content,
      '</g>',
      `<text x="${px(left + width / 2)}" y="${px(y + panel.height + 30)}" font-size="${captionSize}" text-anchor="middle" ${paint({ fill: 'ink' })}>${escapeMarkup(caption)}</text>`,
    );
    left += width + gap;
  }
  const width = left - gap + margin;
  const height = tallest + captionHeight + 1.5 * margin;
  const description = panels.map(({ caption, description }) => `${caption}: ${description}`).join(' ');
  return svgElement({ x: 0, y: 0, width, height, title, description }, [
    `<rect width="${px(width)}" height="${px(height)}" ${paint({ fill: 'paper' })}/>`,
    ...content,
  ]);
}
