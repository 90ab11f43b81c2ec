import { native } from './native.js';
import { Tensor } from './tensor.js';

/** Tensors, alone or in arrays and plain objects: what a scope can hand out. */
function* tensorsIn(value: unknown): Generator<Tensor> {
  if (value instanceof Tensor) yield value;
  else if (Array.isArray(value)) for (const item of value) yield* tensorsIn(item);
  else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) yield* tensorsIn(item);
}

/**
 * Runs `body` and frees every tensor made in it, except those it returns (alone, or in arrays and plain objects),
 * which belong to the scope around it, and those taken out with `keep()`. Scopes nest. When `body` throws, all are freed.
 *
 * @throws TypeError when `body` is asynchronous: its tensors would be freed before it is done
 */
export function scope<T>(body: () => T): T {
  native.enterScope();
  let result: T;
  try {
    result = body();
  } catch (error) {
    native.leaveScope([]);
    throw error;
  }
  if (result instanceof Promise) {
    native.leaveScope([]);
    throw new TypeError(
      'the body of a scope must not be asynchronous: its tensors are freed when it returns',
    );
  }
  native.leaveScope([...tensorsIn(result)].map((tensor) => tensor.handle));
  return result;
}
