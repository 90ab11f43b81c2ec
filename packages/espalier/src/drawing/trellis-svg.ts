import { paint } from './palette.js';
import type { Panel } from './panel.js';
import type { Point } from './path.js';
import { arrowHeadData, pathData } from './path-data.js';
import { escapeMarkup, px } from './svg.js';
import { textWidth } from './text-width.js';

/** A grid of layers and resolutions. From layer to layer, a path moves up or down by at most one row. */
export interface Trellis {
  readonly title: string;
  /** The stride of each row relative to the image, from the top. */
  readonly strides: readonly number[];
  /** The row of each layer. */
  readonly path: readonly number[];
  /** Labels of the box before the first layer, in the first row, and of the boxes after the last layer, in every row. */
  readonly before: string;
  readonly after: string;
  /**
   * What a search weighs: for each layer, the weights of the moves from each row of the layer before it (from the box, from
   * the first row) to the row above, the same, and the row below. An arrow is as wide as its weight; a move of weight 0
   * is not drawn.
   */
  readonly weights?: readonly (readonly (readonly number[])[])[];
}

const columnWidth = 56;
const rowHeight = 74;
const radius = 11;
const arrowLength = 7;
const headerHeight = 46;
const textSize = 13;
const boxHeight = 26;
/** Width of the arrow of a move with weight 1, and the least width of any arrow. */
const widest = 7;
const narrowest = 0.4;

const rowLabels = 'stride';
const columnLabels = 'layer';

function writeText(text: string, { x, y }: Point, anchor: 'start' | 'middle', isMuted = false): string {
  return `<text x="${px(x)}" y="${px(y + textSize * 0.35)}" font-size="${textSize}" text-anchor="${anchor}" ${paint({ fill: isMuted ? 'muted' : 'ink' })}>${escapeMarkup(text)}</text>`;
}

/**
 * Draws a path through a trellis, as a panel for `drawPanels`. All reachable layers and the arrows between them are
 * grey; the path is drawn over them. With weights the arrows are as wide as these.
 * @throws Error if there is no layer, or if the path leaves the rows or moves by more than one row
 */
export function trellisPanel(trellis: Trellis): Panel {
  const { title, strides, path, before, after, weights } = trellis;
  if (path.length === 0) throw new Error(`${title}: the path has no layers`);
  for (const [layer, row] of path.entries()) {
    const last = path[layer - 1] ?? 0;
    if (!(Number.isInteger(row) && row >= 0 && row < strides.length && Math.abs(row - last) <= 1))
      throw new Error(
        `${title}: layer ${layer + 1} is in row ${row}; allowed: rows 0 to ${strides.length - 1}, at most one from row ${last}`,
      );
  }
  const boxOf = (text: string): number => Math.ceil(textWidth(text, textSize)) + 20;
  const beforeLeft = Math.ceil(textWidth(rowLabels, textSize)) + 18;
  const firstColumn = beforeLeft + boxOf(before) + 34 + radius;
  const center = (layer: number, row: number): Point => ({
    x: firstColumn + layer * columnWidth,
    y: headerHeight + row * rowHeight,
  });
  const afterLeft = center(path.length - 1, 0).x + radius + 34;
  const width = afterLeft + boxOf(after);
  const height = center(0, strides.length - 1).y + boxHeight / 2;
  /** Of the move into a row of a layer; 1 where nothing is weighed. */
  const weightOf = (layer: number, from: number, to: number): number =>
    weights === undefined ? 1 : (weights[layer]?.[from]?.[to - from + 1] ?? 0);
  /** A path moves down by at most one row per layer, and never with weight 0. */
  const isReachable = (layer: number, row: number): boolean =>
    row >= 0 &&
    row < strides.length &&
    row <= layer + 1 &&
    (weights === undefined || [row - 1, row, row + 1].some((from) => weightOf(layer, from, row) > 0));
  const layers = [...path.keys()];
  const rows = [...strides.keys()];

  const arrow = (
    from: Point,
    to: Point,
    fromEdge: number,
    toEdge: number,
    isOnPath: boolean,
    share?: number,
  ): string => {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const along = (distance: number): Point => ({
      x: from.x + ((to.x - from.x) * distance) / length,
      y: from.y + ((to.y - from.y) * distance) / length,
    });
    const tip = along(length - toEdge);
    const base = along(length - toEdge - arrowLength);
    const line = pathData({ start: along(fromEdge), segments: [{ kind: 'line', to: base }] });
    const [colour, usual, head] = isOnPath ? (['series-1', 3, 4.5] as const) : (['axis', 1, 2.8] as const);
    const width = share === undefined ? usual : Math.max(narrowest, widest * share);
    return [
      `<g data-arrow="${isOnPath ? 'path' : 'other'}">`,
      `<path d="${line}" stroke-width="${px(width)}" ${paint({ stroke: colour })}/>`,
      `<path d="${arrowHeadData(base, tip, Math.max(head, width / 2 + 1.5))}" ${paint({ fill: colour })}/>`,
      '</g>',
    ].join('');
  };
  const box = (text: string, left: number, row: number, isOnPath: boolean): string => {
    const { y } = center(0, row);
    const colours = isOnPath
      ? paint({ fill: 'convolution', stroke: 'convolution-line' })
      : paint({ fill: 'paper', stroke: 'axis' });
    return [
      `<rect x="${px(left)}" y="${px(y - boxHeight / 2)}" width="${px(boxOf(text))}" height="${boxHeight}" rx="5" stroke-width="1.25" ${colours}/>`,
      writeText(text, { x: left + boxOf(text) / 2, y }, 'middle', !isOnPath),
    ].join('');
  };

  const arrows: { readonly isOnPath: boolean; readonly drawn: string }[] = [];
  const add = (
    from: Point,
    to: Point,
    fromEdge: number,
    toEdge: number,
    isOnPath: boolean,
    share?: number,
  ): void => {
    arrows.push({ isOnPath, drawn: arrow(from, to, fromEdge, toEdge, isOnPath, share) });
  };
  const shareOf = (layer: number, from: number, to: number) =>
    weights === undefined ? undefined : weightOf(layer, from, to);
  for (const layer of layers) {
    for (const row of rows.filter((row) => isReachable(layer, row))) {
      const here = center(layer, row);
      const isHere = path[layer] === row;
      if (layer === 0) {
        // The arrows leave the box at the middle of its side.
        add(
          { x: beforeLeft + boxOf(before), y: center(0, 0).y },
          here,
          0,
          radius,
          isHere,
          shareOf(0, 0, row),
        );
      }
      if (layer + 1 === path.length) {
        add(here, { x: afterLeft, y: here.y }, radius, 0, isHere);
        continue;
      }
      for (const next of [row - 1, row, row + 1]) {
        if (isReachable(layer + 1, next) && weightOf(layer + 1, row, next) > 0)
          add(
            here,
            center(layer + 1, next),
            radius,
            radius,
            isHere && path[layer + 1] === next,
            shareOf(layer + 1, row, next),
          );
      }
    }
  }
  const circles = layers.flatMap((layer) =>
    rows
      .filter((row) => isReachable(layer, row))
      .map((row) => {
        const { x, y } = center(layer, row);
        const isOnPath = path[layer] === row;
        const colours = isOnPath
          ? paint({ fill: 'series-1', stroke: 'series-1' })
          : paint({ fill: 'output', stroke: 'axis' });
        return `<circle data-layer="${layer + 1}" data-stride="${strides[row]}" data-on="${isOnPath ? 'path' : 'other'}" cx="${px(x)}" cy="${px(y)}" r="${radius}" stroke-width="1.25" ${colours}/>`;
      }),
  );
  const headerY = 8;
  const ends = path.at(-1)!;
  return {
    width,
    height,
    stands: 'middle',
    caption: title,
    description: `${path.length} layers at the strides ${path.map((row) => strides[row]).join(', ')}.`,
    content: [
      writeText(rowLabels, { x: 0, y: headerY }, 'start', true),
      writeText(
        columnLabels,
        { x: firstColumn - radius - 20 - textWidth(columnLabels, textSize), y: headerY },
        'start',
        true,
      ),
      ...layers.map((layer) =>
        writeText(String(layer + 1), { x: center(layer, 0).x, y: headerY }, 'middle', true),
      ),
      ...rows.map((row) => writeText(String(strides[row]), { x: 0, y: center(0, row).y }, 'start')),
      ...arrows.filter(({ isOnPath }) => !isOnPath).map(({ drawn }) => drawn),
      ...arrows.filter(({ isOnPath }) => isOnPath).map(({ drawn }) => drawn),
      ...circles,
      box(before, beforeLeft, 0, true),
      ...rows
        .filter((row) => isReachable(path.length - 1, row))
        .map((row) => box(after, afterLeft, row, row === ends)),
    ],
  };
}
