import { descent, type Path, type Point, type Rect } from './path.js';
import { checkRecurrentTree, type RecurrentTree } from './recurrent-tree.js';
import { symbolWidth } from './symbol.js';
import { textWidth } from './text-width.js';

export const symbolSize = 15;
export const stepTextSize = 12.5;

const boxHeight = 26;
const symbolHeight = 30;
const arrowLength = 7;
/** The gap between stacked boxes, and between a box and a symbol beside it. */
const link = 20;
const levelGap = 44;
const slotGap = 10;
const portSpread = 11;

/** The kind of value or step that a box stands for. */
export type TreeBoxKind = 'input' | 'combination' | 'activation' | 'output';

export interface TreeBox {
  readonly kind: TreeBoxKind;
  /** A symbol for inputs and outputs, a word for combinations and activations. */
  readonly label: string;
  readonly rect: Rect;
}

/** `path` ends at the base of the arrow head; the head extends to `tip`. */
export interface TreeArrow {
  readonly path: Path;
  readonly tip: Point;
}

/** Boxes and arrows in px, from (0, 0) to (`width`, `height`), with the root at the top. */
export interface RecurrentTreeLayout {
  readonly width: number;
  readonly height: number;
  /** The boxes of each node, from the bottom up: combination and activation, then those of the injection. */
  readonly nodes: readonly { readonly boxes: readonly TreeBox[] }[];
  /** The boxes of inputs and outputs. */
  readonly symbols: readonly TreeBox[];
  readonly arrows: readonly TreeArrow[];
}

/** How far a subtree extends to the left and right of its middle. */
interface Reach {
  readonly left: number;
  readonly right: number;
}

/**
 * Places the leaves side by side, each above its own copy of the inputs. Every inner node is centred above its two
 * children, on a higher level. An injected value stands to the right of its node, a tapped one to the left. An arrow
 * rises in its own column and bends only between two levels, so no arrow crosses a box or another arrow.
 * @throws Error if the tree is invalid (see `checkRecurrentTree`)
 */
export function layoutRecurrentTree(tree: RecurrentTree): RecurrentTreeLayout {
  checkRecurrentTree(tree);
  const { nodes, inputs, output, injected, tapped } = tree;
  const widthOf = (label: string): number => Math.ceil(textWidth(label, stepTextSize)) + 18;
  const symbolWidthOf = (symbol: string): number =>
    Math.max(34, Math.ceil(symbolWidth(symbol, symbolSize)) + 18);
  const steps = nodes.map(({ combination, activation }, index) => [
    combination,
    activation,
    ...(index === injected.at ? [injected.combination, injected.activation] : []),
  ]);
  // All boxes of the tree have the same width, so that columns are easy to read.
  const boxWidth = Math.max(...steps.flat().map(widthOf));
  const [leftInput, rightInput] = inputs.map(symbolWidthOf) as [number, number];
  const inputGap = 12;

  // Horizontal: the extent of each subtree, and the shift of each node from the middle of its parent.
  const reaches: Reach[] = [];
  const shifts = nodes.map(() => 0);
  for (const [index, { reads }] of nodes.entries()) {
    const own = {
      left: boxWidth / 2 + (index === tapped.at ? link + symbolWidthOf(tapped.symbol) : 0),
      right: boxWidth / 2 + (index === injected.at ? link + symbolWidthOf(injected.symbol) : 0),
    };
    if (reads === undefined) {
      const half = inputGap / 2;
      reaches.push({
        left: Math.max(own.left, half + leftInput) + slotGap,
        right: Math.max(own.right, half + rightInput) + slotGap,
      });
      continue;
    }
    const [first, second] = reads;
    const [one, other] = [reaches[first]!, reaches[second]!];
    const apart = (one.right + other.left) / 2;
    shifts[first] = -apart;
    shifts[second] = apart;
    reaches.push({
      left: Math.max(own.left + slotGap, apart + one.left),
      right: Math.max(own.right + slotGap, apart + other.right),
    });
  }
  const middles = nodes.map(() => 0);
  const root = nodes.length - 1;
  middles[root] = reaches[root]!.left - slotGap;
  for (let index = root; index >= 0; index--)
    for (const read of nodes[index]!.reads ?? []) middles[read] = middles[index]! + shifts[read]!;

  // Vertical: levels from the leaves up, with y growing upwards.
  const levels: number[] = [];
  for (const { reads } of nodes)
    levels.push(reads === undefined ? 0 : 1 + Math.max(levels[reads[0]]!, levels[reads[1]]!));
  const stackHeight = (index: number): number => steps[index]!.length * (boxHeight + link) - link;
  const bottoms: number[] = [];
  const tops: number[] = [];
  let next = symbolHeight + levelGap;
  for (let level = 0; level <= levels[root]!; level++) {
    const here = [...nodes.keys()].filter((index) => levels[index] === level);
    bottoms.push(next);
    tops.push(next + Math.max(...here.map(stackHeight)));
    next = tops[level]! + levelGap;
  }
  const outputBottom = tops[levels[root]!]! + link;
  const height = outputBottom + symbolHeight;

  // Page coordinates, with y growing downwards.
  const place = (x: number, y: number): Point => ({ x, y: height - y });
  const boxAt = (middle: number, bottom: number, width: number, boxHeight: number): Rect => {
    const { x, y } = place(middle - width / 2, bottom + boxHeight);
    return { x, y, width, height: boxHeight };
  };
  const stepBottom = (index: number, step: number): number =>
    bottoms[levels[index]!]! + step * (boxHeight + link);
  const symbols: TreeBox[] = [];
  const arrows: TreeArrow[] = [];
  const addSymbol = (kind: 'input' | 'output', label: string, middle: number, bottom: number): void => {
    symbols.push({ kind, label, rect: boxAt(middle, bottom, symbolWidthOf(label), symbolHeight) });
  };
  /** Adds an arrow that rises in the column `x` up to `bend`, and from there curves to the tip. */
  const addRise = (x: number, from: number, bend: number, tip: Point): void => {
    const start = place(x, from);
    const base = { x: tip.x, y: tip.y + arrowLength };
    const corner = place(x, bend);
    const segments = [descent(corner, base)];
    arrows.push({
      path: { start, segments: bend === from ? segments : [{ kind: 'line', to: corner }, ...segments] },
      tip,
    });
  };
  const addAcross = (from: Point, tip: Point): void => {
    const base = { x: tip.x - Math.sign(tip.x - from.x) * arrowLength, y: tip.y };
    arrows.push({ path: { start: from, segments: [{ kind: 'line', to: base }] }, tip });
  };

  for (const [index, { reads }] of nodes.entries()) {
    const x = middles[index]!;
    const bottom = bottoms[levels[index]!]!;
    const ports = [place(x - portSpread, bottom), place(x + portSpread, bottom)] as const;
    if (reads === undefined) {
      for (const [side, label] of inputs.entries()) {
        const width = side === 0 ? -leftInput : rightInput;
        const middle = x + (width + Math.sign(width) * inputGap) / 2;
        addSymbol('input', label, middle, 0);
        addRise(middle, symbolHeight, symbolHeight, ports[side]!);
      }
    } else {
      for (const [side, read] of reads.entries()) {
        const from = stepBottom(read, steps[read]!.length - 1) + boxHeight;
        addRise(middles[read]!, from, tops[levels[index]! - 1]!, ports[side]!);
      }
    }
    for (let step = 0; step + 1 < steps[index]!.length; step++) {
      const from = stepBottom(index, step) + boxHeight;
      addRise(x, from, from, place(x, stepBottom(index, step + 1)));
    }
  }
  const rootTop = stepBottom(root, steps[root]!.length - 1) + boxHeight;
  addSymbol('output', output, middles[root]!, outputBottom);
  addRise(middles[root]!, rootTop, rootTop, place(middles[root]!, outputBottom));

  /** Adds a symbol to the right (1) or left (-1) of a box, and returns the endpoints of the arrow between them. */
  const addBeside = (kind: 'input' | 'output', symbol: string, at: number, step: number, side: 1 | -1) => {
    const y = stepBottom(at, step) + boxHeight / 2;
    const edge = middles[at]! + (side * boxWidth) / 2;
    const far = edge + side * link;
    addSymbol(kind, symbol, far + (side * symbolWidthOf(symbol)) / 2, y - symbolHeight / 2);
    return { atBox: place(edge, y), atSymbol: place(far, y) };
  };
  const injection = addBeside('input', injected.symbol, injected.at, 2, 1);
  addAcross(injection.atSymbol, injection.atBox);
  const tap = addBeside('output', tapped.symbol, tapped.at, 0, -1);
  addAcross(tap.atBox, tap.atSymbol);

  return {
    width: middles[root]! + reaches[root]!.right - slotGap,
    height,
    nodes: steps.map((labels, index) => ({
      boxes: labels.map((label, step) => ({
        kind: step % 2 === 0 ? 'combination' : 'activation',
        label,
        rect: boxAt(middles[index]!, stepBottom(index, step), boxWidth, boxHeight),
      })),
    })),
    symbols,
    arrows,
  };
}
