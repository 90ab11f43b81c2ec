import { label, textSize } from './chart-text.js';
import { pictureRoom } from './page-width.js';
import { paint } from './palette.js';
import { escapeMarkup, px, type Svg, svgElement } from './svg.js';

/** Pictures below one another, each under its name. */
export interface PictureRows {
  readonly title: string;
  readonly rows: readonly {
    readonly name: string;
    /** A PNG file. */
    readonly png: Uint8Array;
    /** In pixels. */
    readonly width: number;
    readonly height: number;
  }[];
}

const margin = 20;
const gap = 18;
const nameHeight = 24;

/** Draws pictures of pixels, at most as wide as a page has room for. They are inside the SVG, which fetches nothing. */
export function drawPictureRows({ title, rows }: PictureRows): Svg {
  const content: string[] = [];
  let top = margin;
  let widest = 0;
  for (const { name, png, width, height } of rows) {
    const scale = Math.min(1, (pictureRoom - 2 * margin) / width);
    content.push(
      label(name, margin, top + textSize, 'start'),
      `<image x="${px(margin)}" y="${px(top + nameHeight)}" width="${px(width * scale)}" height="${px(height * scale)}" href="data:image/png;base64,${Buffer.from(png).toString('base64')}"><title>${escapeMarkup(name)}</title></image>`,
    );
    top += nameHeight + height * scale + gap;
    widest = Math.max(widest, width * scale);
  }
  const width = widest + 2 * margin;
  const height = top + margin - gap;
  return svgElement(
    { x: 0, y: 0, width, height, title, description: rows.map(({ name }) => name).join(', ') },
    [`<rect width="${px(width)}" height="${px(height)}" ${paint({ fill: 'paper' })}/>`, ...content],
  );
}
