const KEY = /^(normal|reduce)\/(op|input)_(\d{1,3})_(\d{1,3})$/;

/** The number of nodes of DARTS in NNI, whose cells concatenate all nodes. Its other spaces differ in that. */
const DARTS_NODES = 4;

/** A pair of cells in the form of DARTS, and the sizes of the network where they are among the choices. */
interface NniCells {
  readonly cells: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, number>>;
}

/**
 * What NNI exports of a DARTS space (`nni.nas.hub.pytorch.DARTS`): a choice for each key,
 * `{ "normal/op_2_0": "sep_conv_3x3", "normal/input_2_0": [0], ..., "width": 36, "depth": 20 }`. Node 2 is the first one.
 *
 * @returns undefined for anything else; without the concatenation where NNI's spaces do not agree in it
 */
export function readNniCells(content: Readonly<Record<string, unknown>>): NniCells | undefined {
  const cells: Record<'normal' | 'reduce', unknown[][][]> = { normal: [], reduce: [] };
  const rest: Record<string, unknown> = {};
  let isNni = false;
  for (const [key, value] of Object.entries(content)) {
    const [, kind, what, node, edge] = KEY.exec(key) ?? [];
    if (kind === undefined) {
      rest[key] = value;
      continue;
    }
    isNni = true;
    const edges = at(cells[kind as keyof typeof cells], Number(node) - 2, () => []);
    const pair = at(edges, Number(edge), () => [undefined, undefined]);
    pair[what === 'op' ? 0 : 1] = Array.isArray(value) && value.length === 1 ? value[0] : value;
  }
  if (!isNni) return undefined;
  const { width, depth, ...others } = rest;
  const isDarts = [cells.normal, cells.reduce].every(({ length }) => length === DARTS_NODES);
  const all = Array.from({ length: DARTS_NODES }, (_, node) => node + 2);
  return {
    cells: {
      ...others,
      // A place that no key names is a hole; it is refused as an edge.
      normal: Array.from(cells.normal, (edges) => Array.from(edges ?? [])),
      reduce: Array.from(cells.reduce, (edges) => Array.from(edges ?? [])),
      ...(isDarts ? { normal_concat: all, reduce_concat: all } : {}),
    },
    options: {
      ...(typeof width === 'number' ? { channels: width } : {}),
      ...(typeof depth === 'number' ? { layers: depth } : {}),
    },
  };
}

/** The item at a place of a list, which is made where there is none. */
function at<Item>(list: Item[], place: number, make: () => Item): Item {
  const item = list[place] ?? make();
  list[place] = item;
  return item;
}
