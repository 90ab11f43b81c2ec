import { native } from './native.js';
import { Tensor } from './tensor.js';

const handles = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.handle);

/**
 * Differentiates `outputs` and adds to the `grad` of every leaf that requires one.
 *
 * @param gradients of each output, of its shape; may be missing where an output has one element
 * @param createGraph records the differentiation itself, for derivatives of second order
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
 * The gradients of `outputs` (their sum) to each of `inputs`; nothing is added to any `grad`.
 *
 * @returns one tensor for each input, of its shape; `undefined` where `allowUnused` and the outputs do not depend on it
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

/** Records operators again inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return withGrad(true, body);
}

/** The accumulated gradients of leaves, in one call; `undefined` where there is none. */
export function gradientsOf(leaves: readonly Tensor[]): (Tensor | undefined)[] {
  return native
    .gradients(handles(leaves))
    .map((handle) => (handle === null ? undefined : new Tensor(handle)));
}

/** Forgets the accumulated gradients of leaves. */
export function clearGradients(leaves: readonly Tensor[]): void {
  native.setGradients(handles(leaves), null);
}
