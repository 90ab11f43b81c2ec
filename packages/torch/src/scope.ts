import { native } from './native.js';
import { Tensor } from './tensor.js';

/** Tensors, alone or in arrays, maps, sets and plain objects: what a scope can hand out. */
function* tensorsIn(value: unknown): Generator<Tensor> {
  if (value instanceof Tensor) yield value;
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) yield* tensorsIn(item);
  else if (value instanceof Map) for (const item of value.values()) yield* tensorsIn(item);
  else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) yield* tensorsIn(item);
}

/**
 * Runs `body` and frees every tensor made in it, except those it returns (alone, or in arrays, maps, sets and
 * plain objects), which belong to the scope around it, and those taken out with `keep()`. Scopes nest. When `body` throws, all are freed.
 *
 * @throws TypeError when `body` is asynchronous: its tensors would be freed before it is done
 */
export function scope<T>(body: () => T): T {
  native.enterScope();
  let kept: number[] = [];
  try {
    const result = body();
    if (result instanceof Promise) {
      // What goes on in it fails on the freed tensors; the error below is the one to see.
      result.catch(() => {});
      throw new TypeError(
        'the body of a scope must not be asynchronous: its tensors are freed when it returns',
      );
    }
    kept = Array.from(tensorsIn(result), (tensor) => tensor.handle);
    return result;
  } finally {
    native.leaveScope(kept);
  }
}
