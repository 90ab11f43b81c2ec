/** Which process this is of several that read the same batches together, each a part of every one. */
export interface Share {
  /** From 0. */
  readonly rank: number;
  readonly of: number;
}

/** The part of `count` inputs in order that falls to a process: from the first number to before the second. */
export function partOf(count: number, share: Share | undefined): readonly [from: number, to: number] {
  if (share === undefined) return [0, count];
  const { rank, of } = share;
  return [Math.floor((count * rank) / of), Math.floor((count * (rank + 1)) / of)];
}

/** The places, in the order of a pass, of the inputs that fall to a process, and how many of each batch. */
export function placesOf(
  total: number,
  size: number,
  share: Share | undefined,
): { readonly places: Int32Array; readonly sizes: readonly number[] } {
  const places: number[] = [];
  const sizes: number[] = [];
  for (let start = 0; start < total; start += size) {
    const [from, to] = partOf(Math.min(size, total - start), share);
    for (let place = start + from; place < start + to; place++) places.push(place);
    sizes.push(to - from);
  }
  return { places: Int32Array.from(places), sizes };
}
