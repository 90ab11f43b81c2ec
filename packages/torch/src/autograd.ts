import { native } from './native.js';
import { Tensor } from './tensor.js';

const handles = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.handle);

/**
 * Differentiates the sum of `outputs` and adds the result to the `grad` of every leaf that requires a gradient.
 *
 * @param options gradients: the gradient with respect to each output, in its shape; optional where outputs have one
 *   element. retainGraph: whether the graph can be differentiated again. createGraph: whether to record the
 *   differentiation itself, for derivatives of second order.
 */
export function backward(
  outputs: Tensor | readonly Tensor[],
  options: { gradients?: readonly Tensor[]; retainGraph?: boolean; createGraph?: boolean } = {},
): void {
  const { gradients, createGraph = false, retainGraph = createGraph } = options;
  native.backward(
    outputs instanceof Tensor ? [outputs.handle] : handles(outputs),
    gradients === undefined ? null : handles(gradients),
    retainGraph,
    createGraph,
  );
}

/**
 * The gradients of the sum of `outputs` with respect to each of `inputs`. It leaves every `grad` as it is.
 *
 * @param options like those of `backward`. allowUnused: whether the outputs may be independent of an input
 * @returns one tensor for each input, in its shape; with `allowUnused`, `undefined` for an input without influence
 * @throws Error for an input without influence, unless `allowUnused` is set
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: { gradients?: readonly Tensor[]; retainGraph?: boolean; createGraph?: boolean; allowUnused: true },
): (Tensor | undefined)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: {
    gradients?: readonly Tensor[];
    retainGraph?: boolean;
    createGraph?: boolean;
    allowUnused?: false;
  },
): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: {
    gradients?: readonly Tensor[];
    retainGraph?: boolean;
    createGraph?: boolean;
    allowUnused?: boolean;
  } = {},
): (Tensor | undefined)[] {
  const { gradients, createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  return native
    .grad(
      outputs instanceof Tensor ? [outputs.handle] : handles(outputs),
      handles(inputs),
      gradients === undefined ? null : handles(gradients),
      retainGraph,
      createGraph,
      allowUnused,
    )
    .map((handle) => (handle === null ? undefined : new Tensor(handle)));
}

function withGrad<T>(enabled: boolean, body: () => T): T {
  const before = native.setGradEnabled(enabled);
  try {
    return body();
  } finally {
    native.setGradEnabled(before);
  }
}

/** Runs `body` without recording operators for differentiation. */
export function noGrad<T>(body: () => T): T {
  return withGrad(false, body);
}

/** Runs `body` with recording switched on again, inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return withGrad(true, body);
}

/** Whether operators are recorded for differentiation at present. */
export function recordsOperators(): boolean {
  const enabled = native.setGradEnabled(true);
  native.setGradEnabled(enabled);
  return enabled;
}

/** The accumulated gradient of each leaf, or `undefined`; one call for all of them. */
export function gradientsOf(leaves: readonly Tensor[]): (Tensor | undefined)[] {
  return native
    .gradients(handles(leaves))
    .map((handle) => (handle === null ? undefined : new Tensor(handle)));
}

/** Clears the accumulated gradients of leaves. */
export function clearGradients(leaves: readonly Tensor[]): void {
  native.setGradients(handles(leaves), null);
}
