import type { Json } from '../json.js';

/**
 * A copy of `value` as it would come back from a file: properties that are undefined are left out, -0 is 0.
 *
 * `JSON.stringify` would turn NaN into null and a typed array into an object without a word; here they are errors.
 *
 * @throws TypeError that names the place of what JSON cannot hold, such as `epochs.3.loss is NaN`
 */
export function plainJson(value: unknown, path = 'the value'): Json {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      break;
    case 'object': {
      if (value === null) return null;
      const at = (key: string | number) => (path === 'the value' ? `${key}` : `${path}.${key}`);
      if (Array.isArray(value)) return value.map((item, i) => plainJson(item, at(i)));
      const prototype = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) {
        return Object.fromEntries(
          Object.entries(value)
            .filter(([, item]) => item !== undefined)
            .map(([key, item]) => [key, plainJson(item, at(key))]),
        );
      }
      throw new TypeError(`${path} is a ${prototype.constructor?.name ?? 'object'}, not plain JSON`);
    }
  }
  throw new TypeError(
    `${path} is ${typeof value === 'number' ? value : `a ${typeof value}`}, not plain JSON`,
  );
}
