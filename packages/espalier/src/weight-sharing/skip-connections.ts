/** The names that spaces have for the operation that returns its input. */
const SKIPS: readonly unknown[] = ['skip_connect', 'identity'];

/**
 * How many skip connections a derived architecture has, by the kind of cell: the sign by which the collapse of DARTS is
 * known (Zela et al. 2020; Chen et al. 2019). Undefined for architectures that are not lists of pairs [operation, state].
 */
export function countSkips(architecture: unknown): Readonly<Record<string, number>> | undefined {
  if (typeof architecture !== 'object' || architecture === null) return undefined;
  const counts = Object.entries(architecture).flatMap(([cell, edges]) =>
    Array.isArray(edges) && edges.every(isEdge)
      ? [[cell, edges.filter(([operation]) => SKIPS.includes(operation)).length] as const]
      : [],
  );
  return counts.length === 0 ? undefined : Object.fromEntries(counts);
}

function isEdge(edge: unknown): edge is readonly [string, number] {
  return (
    Array.isArray(edge) && edge.length === 2 && typeof edge[0] === 'string' && typeof edge[1] === 'number'
  );
}
