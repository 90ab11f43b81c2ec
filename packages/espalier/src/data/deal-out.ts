/**
 * An order of images in which those of every class are spread evenly from the first to the last, so that the first N
 * have the classes in proportion; those of a class keep their order.
 *
 * @param labels [count], the class of each
 * @returns [count], their indices in that order
 */
export function dealOut(labels: Int32Array): Int32Array {
  const sizes = new Map<number, number>();
  const ranks = labels.map((label) => {
    const rank = sizes.get(label) ?? 0;
    sizes.set(label, rank + 1);
    return rank;
  });
  const depths = Float64Array.from(labels, (label, i) => (ranks[i]! + 0.5) / sizes.get(label)!);
  return Int32Array.from(labels.keys()).sort((a, b) => depths[a]! - depths[b]! || labels[a]! - labels[b]!);
}
