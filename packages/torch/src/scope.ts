import { native } from './native.js';
import { enterScope, leaveScope } from './segments.js';
import { Tensor } from './tensor.js';

/** The tensors that a scope returns, alone or in arrays, maps, sets and plain objects. */
function* tensorsIn(value: unknown): Generator<Tensor> {
  if (value instanceof Tensor) yield value;
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) yield* tensorsIn(item);
  else if (value instanceof Map) for (const item of value.values()) yield* tensorsIn(item);
  else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) yield* tensorsIn(item);
}

/**
 * Runs `body`, then frees the tensors that were made in it. Those that it returns (alone, or in arrays, maps, sets and plain
 * objects) pass to the scope around it; `keep()` takes a tensor out of all scopes. Scopes nest. If `body` throws, all are freed.
 *
 * @throws TypeError when `body` is asynchronous: its tensors would be freed before it is done
 */
export function scope<T>(body: () => T): T {
  native.enterScope();
  enterScope();
  let kept: number[] = [];
  try {
    const result = body();
    if (result instanceof Promise) {
      // The promise will fail on freed tensors; the error below is the one to report.
      result.catch(() => {});
      throw new TypeError(
        'the body of a scope must not be asynchronous: its tensors are freed when it returns',
      );
    }
    kept = Array.from(tensorsIn(result), (tensor) => tensor.handle);
    return result;
  } finally {
    native.leaveScope(kept);
    leaveScope();
  }
}
