/** The numbers of channels around and inside a cell, and its reductions. */
export interface CellPlan {
  /** Channels of the two inputs: the outputs of the last cell but one and of the last cell (initially of the stem). */
  readonly beforeLast: number;
  readonly last: number;
  /** Channels of each node. */
  readonly own: number;
  /** Whether the cell halves height and width. */
  readonly reduces: boolean;
  /** Whether the last cell did, so that `beforeLast` is twice as high and wide as `last`. */
  readonly lastReduced: boolean;
}

/**
 * Plans the cells of a network. The cells at one third and two thirds of the depth are reductions, which double the
 * channels (section 3.1.1). `width` is the number of nodes that each kind of cell concatenates.
 */
export function planCells(
  layers: number,
  channels: number,
  stem: { readonly channels: number; readonly reduced: boolean },
  width: { readonly normal: number; readonly reduce: number },
): CellPlan[] {
  let [beforeLast, last, own, lastReduced] = [stem.channels, stem.channels, channels, stem.reduced];
  return Array.from({ length: layers }, (_, index) => {
    const reduces = index === Math.floor(layers / 3) || index === secondReduction(layers);
    if (reduces) own *= 2;
    const plan = { beforeLast, last, own, reduces, lastReduced };
    beforeLast = last;
    last = own * (reduces ? width.reduce : width.normal);
    lastReduced = reduces;
    return plan;
  });
}

/** The index of the second reduction cell. The auxiliary head reads its output. */
export function secondReduction(layers: number): number {
  return Math.floor((2 * layers) / 3);
}
