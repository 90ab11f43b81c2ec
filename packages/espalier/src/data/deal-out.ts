/**
 * Orders images so that each class is spread evenly from the first to the last. The first N images then have the classes in
 * proportion. The images of a class keep their order.
 *
 * @param labels [count], the class of each image
 * @returns [count], the indices of the images in the new order
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
