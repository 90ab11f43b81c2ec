import type { Json } from '../json.js';

/**
 * How many choices of an architecture differ from another one, by its keys: layers of a path, operations and inputs of a cell.
 *
 * @param before of the same space
 */
export function changedChoices(before: Json, now: Json): Record<string, number> {
  const parts = now as Readonly<Record<string, Json>>;
  const earlier = before as Readonly<Record<string, Json>>;
  return Object.fromEntries(
    Object.entries(parts).map(([key, part]) => {
      const [choices, others] = [leaves(part), leaves(earlier[key] as Json)];
      return [key, choices.filter((choice, place) => choice !== others[place]).length];
    }),
  );
}

function leaves(value: Json): readonly Json[] {
  if (Array.isArray(value)) return value.flatMap(leaves);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value];
}
