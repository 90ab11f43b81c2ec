import {
  arrowLength,
  type Diagram,
  edgeLabelHeight,
  edgeLabelSize,
  measureNode,
  type PlacedEdge,
  type PlacedNode,
  placeEdge,
  placeNode,
} from './diagram.js';
import type { GraphEdge, NetworkGraph } from './graph.js';
import { skipShades } from './palette.js';
import { roundedPath } from './path.js';
import { textWidth } from './text-width.js';

const gap = 26;
const narrowestBox = 150;
/** The least distance from a box to the nearest lane beside it. */
const narrowestGutter = 28;
const laneSpacing = 12;
const cornerRadius = 10;
/** The distance from the top of a box to its first entry, and from its exit to its bottom. */
const portInset = 14;
const entrySpacing = 7;
/** The distance from the last entry of a box to its exit. */
const exitClearance = 12;

type Side = 'left' | 'right';

/** All edges of one node except the straight one to the next node. They share a lane and branch off from it. */
interface Net {
  readonly source: number;
  readonly targets: readonly number[];
  readonly last: number;
}

interface Lanes {
  readonly sides: readonly Side[];
  /** 0 is the lane next to the boxes. */
  readonly lanes: readonly number[];
  readonly counts: Readonly<Record<Side, number>>;
}

/** Counts the horizontal pieces of `net` that cross the lane of `other` when `other` lies nearer to the boxes. */
function rowsAcross(net: Net, other: Net): number {
  // From top to bottom, the entries of a node come before its exit: row 2 * position, then row 2 * position + 1.
  const rows = [2 * net.source + 1, ...net.targets.map((target) => 2 * target)];
  return rows.filter((row) => row > 2 * other.source + 1 && row < 2 * other.last).length;
}

/** Assigns inner lanes to short nets, and reuses a lane below the end of an earlier net. */
function fillLanes(nets: readonly Net[], sides: readonly Side[]): Lanes {
  const lanes = new Array<number>(nets.length).fill(0);
  const taken: Record<Side, Net[][]> = { left: [], right: [] };
  const shortestFirst = [...nets.keys()].sort((a, b) => {
    const [first, second] = [nets[a]!, nets[b]!];
    return first.last - first.source - (second.last - second.source) || first.source - second.source;
  });
  for (const index of shortestFirst) {
    const net = nets[index]!;
    const side = taken[sides[index]!];
    const free = side.findIndex((lane) =>
      lane.every((other) => other.last <= net.source || net.last <= other.source),
    );
    const lane = free === -1 ? side.length : free;
    side[lane] = [...(side[lane] ?? []), net];
    lanes[index] = lane;
  }
  return { sides, lanes, counts: { left: taken.left.length, right: taken.right.length } };
}

/** Distributes the nets over the two sides by local search, for few crossings and a narrow drawing. */
function assignLanes(nets: readonly Net[]): Lanes {
  const across = nets.map((net) => nets.map((other) => rowsAcross(net, other)));
  const cost = ({ sides, lanes, counts }: Lanes): number => {
    let crossings = 0;
    for (let outer = 0; outer < nets.length; outer++) {
      for (let inner = 0; inner < nets.length; inner++) {
        if (sides[outer] === sides[inner] && lanes[inner]! < lanes[outer]!)
          crossings += across[outer]![inner]!;
      }
    }
    return crossings + 3 * (counts.left + counts.right) + Math.abs(counts.left - counts.right);
  };
  let best = fillLanes(
    nets,
    nets.map((_, index) => (index % 2 === 0 ? 'right' : 'left')),
  );
  for (let improved = true; improved; ) {
    improved = false;
    for (let index = 0; index < nets.length; index++) {
      const sides = best.sides.with(index, best.sides[index] === 'left' ? 'right' : 'left');
      const other = fillLanes(nets, sides);
      if (cost(other) < cost(best)) {
        best = other;
        improved = true;
      }
    }
  }
  return best;
}

/** Picks a shade for every net. Nets into the same node differ where possible, then nets in neighbouring lanes. */
function assignShades(nets: readonly Net[], { sides, lanes }: Lanes): number[] {
  const chosen: number[] = [];
  for (const [index, net] of nets.entries()) {
    const likeness = new Array<number>(skipShades).fill(0);
    for (const [other, shade] of chosen.entries()) {
      const { source, last, targets } = nets[other]!;
      const distance = Math.max(1, Math.abs(lanes[index]! - lanes[other]!));
      const meets = net.source < last && source < net.last;
      const nearness = sides[index] !== sides[other] ? 0.2 : meets ? 1 / distance : 0.3 / distance;
      const shared = net.targets.some((target) => targets.includes(target)) ? 1 : 0;
      likeness[shade]! += nearness + shared;
    }
    chosen.push(likeness.indexOf(Math.min(...likeness)));
  }
  return chosen;
}

/**
 * Places the nodes one below the other. A flow edge to the next node is a straight arrow. Any other edge leaves the
 * lower part of a box's side, runs down a lane beside the boxes and enters the upper part of its target's side. The
 * edges of one node share a lane and branch off from it.
 *
 * dagre is no alternative here: with 15 layers and 30 skip connections it moves layers of the chain up to 700 px
 * sideways to make room for the long edges.
 */
export function layoutColumn(graph: NetworkGraph, order: readonly number[]): Diagram {
  const nodes = order.map((index) => graph.nodes[index]!);
  const positions = new Map(nodes.map((node, position) => [node.id, position]));
  const position = (id: string): number => positions.get(id)!;
  const isStraight = (edge: GraphEdge): boolean =>
    edge.kind === 'flow' && position(edge.to) === position(edge.from) + 1;

  const straight = graph.edges.filter(isStraight);
  const curved = graph.edges.filter((edge) => !isStraight(edge));
  const nets = [...nodes.keys()].flatMap((source): Net[] => {
    const targets = [
      ...new Set(curved.filter((e) => position(e.from) === source).map((e) => position(e.to))),
    ];
    return targets.length === 0 ? [] : [{ source, targets, last: Math.max(...targets) }];
  });
  const assigned = assignLanes(nets);
  const { sides, lanes } = assigned;
  const netShades = assignShades(nets, assigned);
  const netOf = new Map(nets.map((net, index) => [net.source, index]));
  const sideOf = (edge: GraphEdge): Side => sides[netOf.get(position(edge.from))!]!;
  const laneOf = (edge: GraphEdge): number => lanes[netOf.get(position(edge.from))!]!;

  // The edge from the innermost lane enters at the top, so edges into the same box do not cross.
  const entryHeights = new Map<GraphEdge, number>();
  const portsHeights = nodes.map((_, index) => {
    const heights = (['left', 'right'] as const).map((side) => {
      const entering = curved.filter((edge) => position(edge.to) === index && sideOf(edge) === side);
      entering.sort((a, b) => laneOf(a) - laneOf(b));
      let height = portInset;
      for (const [i, edge] of entering.entries()) {
        if (i > 0) height += edge.label === undefined ? entrySpacing : edgeLabelHeight;
        entryHeights.set(edge, height);
      }
      return height + exitClearance + portInset;
    });
    return Math.max(...heights);
  });

  const texts = nodes.map(measureNode);
  const labelWidth = (edge: GraphEdge): number => Math.ceil(textWidth(edge.label ?? '', edgeLabelSize));
  const width = Math.max(
    narrowestBox,
    ...texts.map((text) => text.width),
    ...straight.map((edge) => 2 * (labelWidth(edge) + 12)),
  );
  const gutter = (side: Side): number => {
    const labelled = curved.filter((edge) => edge.label !== undefined && sideOf(edge) === side);
    return Math.max(
      narrowestGutter,
      ...labelled.map((edge) => labelWidth(edge) + arrowLength + cornerRadius + 8),
    );
  };
  const gutters: Record<Side, number> = { left: gutter('left'), right: gutter('right') };

  const placed: PlacedNode[] = [];
  let top = 0;
  for (const [index, node] of nodes.entries()) {
    const height = Math.max(texts[index]!.height, portsHeights[index]!);
    placed.push(placeNode(node, texts[index]!, { x: -width / 2, y: top, width, height }));
    top += height + gap;
  }

  const placeStraight = (edge: GraphEdge): PlacedEdge => {
    const from = placed[position(edge.from)]!.box;
    const tip = { x: 0, y: placed[position(edge.to)]!.box.y };
    const start = { x: 0, y: from.y + from.height };
    const path = roundedPath([start, { x: 0, y: tip.y - arrowLength }], 0);
    const box = {
      x: 8,
      y: start.y + (gap - edgeLabelHeight) / 2,
      width: labelWidth(edge),
      height: edgeLabelHeight,
    };
    return placeEdge(edge, { path, ownPath: path, shade: 0, arrow: { tip, direction: 'down' } }, box);
  };

  const placeCurved = (edge: GraphEdge): PlacedEdge => {
    const from = placed[position(edge.from)]!.box;
    const side = sideOf(edge);
    const outward = side === 'right' ? 1 : -1;
    const wall = (outward * width) / 2;
    const lane = wall + outward * (gutters[side] + laneOf(edge) * laneSpacing);
    const entryOf = (other: GraphEdge): number =>
      placed[position(other.to)]!.box.y + entryHeights.get(other)!;
    const exit = from.y + from.height - portInset;
    const entry = entryOf(edge);
    const turn = { x: lane, y: entry };
    const end = { x: wall + outward * arrowLength, y: entry };
    const path = roundedPath([{ x: wall, y: exit }, { x: lane, y: exit }, turn, end], cornerRadius);
    const branchings = curved
      .filter((other) => other.from === edge.from && other.kind === edge.kind)
      .map((other) => entryOf(other) - cornerRadius)
      .filter((height) => height < entry - cornerRadius);
    const ownPath =
      branchings.length === 0
        ? path
        : roundedPath([{ x: lane, y: Math.max(...branchings) }, turn, end], cornerRadius);
    const shade = netShades[netOf.get(position(edge.from))!]!;
    const arrow = { tip: { x: wall, y: entry }, direction: side === 'right' ? 'left' : 'right' } as const;
    const x = side === 'right' ? wall + arrowLength + 3 : wall - arrowLength - 3 - labelWidth(edge);
    const box = { x, y: entry - edgeLabelHeight + 2, width: labelWidth(edge), height: edgeLabelHeight - 4 };
    return placeEdge(edge, { path, ownPath, shade, arrow }, box);
  };

  return {
    nodes: placed,
    edges: graph.edges.map((edge) => (isStraight(edge) ? placeStraight(edge) : placeCurved(edge))),
  };
}
