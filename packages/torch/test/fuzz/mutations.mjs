// One random mistake in the arguments of a valid case.
import { integer, oneOf } from './draws.mjs';
import { isDescription } from './tensors.mjs';

const numbers = [0, -1, 1.5, 2 ** 31, 2 ** 53, Number.NaN, 1, 2, 3];

/** Mistakes in a tensor by name. */
const mistakes = {
  size(g, { shape }) {
    if (shape.length === 0) return { shape: [2] };
    const dimension = integer(g, 0, shape.length - 1);
    const size = oneOf(
      g,
      0,
      1,
      shape[dimension] + 1,
      Math.max(0, shape[dimension] - 1),
      2 * shape[dimension],
    );
    return { shape: shape.with(dimension, size) };
  },
  'one dimension less': (_, { shape }) => ({ shape: shape.slice(1) }),
  'one dimension more': (g, { shape }) => ({ shape: [oneOf(g, 1, 2), ...shape] }),
  dtype: (g) => ({ dtype: oneOf(g, 'float32', 'float64', 'int64', 'float16', 'bool'), learned: false }),
  device: () => ({ device: 'meta', learned: false }),
};

/** Mistakes only in a tensor that is written to. */
const writtenMistakes = {
  ...mistakes,
  expanded: () => ({ layout: 'expanded' }),
  negated: () => ({ layout: 'negated' }),
};

/**
 * @param {unknown} args the arguments of a case
 * @returns the arguments with the mistake, and its description
 */
export function withMistake(g, args) {
  const copy = structuredClone(args);
  const places = [...placesIn(copy)];
  if (places.length === 0) return { args };
  const { parent, key, path } = places[integer(g, 0, places.length - 1)];
  const value = parent[key];
  if (isDescription(value)) {
    const known = value.written ? writtenMistakes : mistakes;
    const name = oneOf(g, ...Object.keys(known));
    parent[key] = { ...value, ...known[name](g, value) };
    return { args: copy, mistake: `${path}: ${name}` };
  }
  if (Array.isArray(value)) {
    const change = oneOf(g, 'one item less', 'one item twice', 'empty');
    if (change === 'one item less') value.pop();
    else if (change === 'empty') value.length = 0;
    else if (value.length > 0) value.push(structuredClone(value[0]));
    return { args: copy, mistake: `${path}: ${change}` };
  }
  parent[key] = typeof value === 'boolean' ? !value : oneOf(g, ...numbers);
  return { args: copy, mistake: `${path}: ${parent[key]}` };
}

function* placesIn(parent, path = '') {
  for (const [key, value] of Object.entries(parent)) {
    const inner = path === '' ? key : `${path}.${key}`;
    if (
      typeof value === 'number' ||
      typeof value === 'boolean' ||
      isDescription(value) ||
      Array.isArray(value)
    )
      yield { parent, key, path: inner };
    if (value !== null && typeof value === 'object' && !isDescription(value)) yield* placesIn(value, inner);
  }
}
