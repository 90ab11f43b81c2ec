/** What a cell is given and makes, in channels. */
export interface CellPlan {
  /** Of the output of the cell before the one before, and of the cell before (the stems, at the start). */
  readonly beforeLast: number;
  readonly last: number;
  /** Of each node. */
  readonly own: number;
  /** Whether the cell halves height and width. */
  readonly reduces: boolean;
  /** Whether the cell before did, so that its input is twice as high and wide as its output. */
  readonly lastReduced: boolean;
}

/**
 * The cells of a network: those at a third and two thirds of the depth reduce, and double the channels (section
 * 3.1.1). `width` is how many nodes each kind of cell concatenates.
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

/** The place of the second reducing cell, whose output the auxiliary head reads. */
export function secondReduction(layers: number): number {
  return Math.floor((2 * layers) / 3);
}
