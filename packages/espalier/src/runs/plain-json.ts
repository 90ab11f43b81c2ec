import type { Json } from '../json.js';

/**
 * A copy of `value` as it would come back from a file: without undefined properties, and with 0 for -0.
 *
 * `JSON.stringify` would silently turn NaN into null and a typed array into an object. Here they are errors.
 *
 * @throws TypeError for a value that JSON cannot represent, with its path: `epochs.3.loss is NaN, not plain JSON`
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
