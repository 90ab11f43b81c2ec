import { native } from './native.js';
import { scope } from './scope.js';
import { forgetSegments, recordedSegments, type Segment } from './segments.js';
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
  const segments = segmentsFor('backward', createGraph);
  native.backward(
    outputs instanceof Tensor ? [outputs.handle] : handles(outputs),
    gradients === undefined ? null : handles(gradients),
    // The graph between two segments is run through once for each of them.
    retainGraph || segments.length > 0,
    createGraph,
  );
  runAgain(
    segments,
    retainGraph,
    (leaves) => {
      const found = gradientsOf(leaves);
      clearGradients(leaves);
      return found;
    },
    (made, read, slopes) => {
      native.backward(handles(made), handles(slopes), false, false);
      return gradientsOf(read);
    },
    (read, slopes) => native.backward(handles(read), handles(slopes), true, false),
  );
}

/** The segments that a graph may go through. @throws Error for derivatives of second order where there are any */
function segmentsFor(name: string, createGraph: boolean): readonly Segment[] {
  const segments = recordedSegments();
  if (createGraph && segments.length > 0)
    throw new Error(
      `${name}: what runs in recomputed() has derivatives of first order only; createGraph is not allowed`,
    );
  return segments;
}

/**
 * Differentiates segments, the last first.
 *
 * @param gradientsOfOutputs what has come to the outputs of a segment so far; undefined where nothing depends on them
 * @param differentiate the gradients with respect to what a segment read, from those of what it made
 * @param passOn takes these gradients into the graph around the segment
 */
function runAgain(
  segments: readonly Segment[],
  retainGraph: boolean,
  gradientsOfOutputs: (outputs: readonly Tensor[]) => readonly (Tensor | undefined)[],
  differentiate: (
    made: readonly Tensor[],
    read: readonly Tensor[],
    slopes: readonly Tensor[],
  ) => readonly (Tensor | undefined)[],
  passOn: (read: readonly Tensor[], slopes: readonly Tensor[], before: readonly Segment[]) => void,
): void {
  const done = new Set<Segment>();
  for (const [place, segment] of [...segments.entries()].reverse()) {
    scope(() => {
      const ofOutputs = gradientsOfOutputs(segment.outputs);
      if (ofOutputs.every((gradient) => gradient === undefined)) return;
      done.add(segment);
      const { inputs, outputs } = segment.again();
      const reached = outputs.flatMap((made, output) => {
        const slope = ofOutputs[output];
        return slope !== undefined && made.requiresGrad ? [{ made, slope }] : [];
      });
      if (reached.length === 0) return;
      const ofInputs = differentiate(
        reached.map(({ made }) => made),
        inputs,
        reached.map(({ slope }) => slope),
      );
      const influential = segment.inputs.flatMap((read, input) => {
        const slope = ofInputs[input];
        return slope === undefined ? [] : [{ read, slope }];
      });
      if (influential.length > 0)
        passOn(
          influential.map(({ read }) => read),
          influential.map(({ slope }) => slope),
          segments.slice(0, place),
        );
    });
  }
  if (!retainGraph && done.size > 0) forgetSegments(done);
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
  const segments = segmentsFor('grad', createGraph);
  if (segments.length > 0)
    return gradThrough(segments, outputs, inputs, { gradients, retainGraph, allowUnused });
  return nativeGrad(outputs, inputs, { gradients, retainGraph, createGraph, allowUnused });
}

interface GradOptions {
  readonly gradients?: readonly Tensor[] | undefined;
  readonly retainGraph: boolean;
  readonly createGraph?: boolean;
  readonly allowUnused: boolean;
}

function nativeGrad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  { gradients, retainGraph, createGraph = false, allowUnused }: GradOptions,
): (Tensor | undefined)[] {
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

/** `grad` of a graph that may go through segments. */
function gradThrough(
  segments: readonly Segment[],
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  { gradients, retainGraph, allowUnused }: GradOptions,
): (Tensor | undefined)[] {
  const sums = new Map<Tensor, Tensor>();
  const add = (leaves: readonly Tensor[], found: readonly (Tensor | undefined)[]) => {
    for (const [place, leaf] of leaves.entries()) {
      const [more, sum] = [found[place], sums.get(leaf)];
      if (more === undefined) continue;
      // A sum outlives the scope of a segment.
      sums.set(leaf, (sum === undefined ? more : noGrad(() => sum.add(more))).keep());
      sum?.free();
    }
  };
  const unused = { retainGraph: true, allowUnused: true };
  const asked = [...new Set(inputs)];
  const within = (some: readonly Segment[]) => [...asked, ...some.flatMap((segment) => segment.outputs)];
  try {
    return scope(() => {
      add(within(segments), nativeGrad(outputs, within(segments), { ...unused, gradients }));
      runAgain(
        segments,
        retainGraph,
        (leaves) => leaves.map((leaf) => sums.get(leaf)),
        (made, read, slopes) => {
          const found = nativeGrad(made, [...read, ...asked], { ...unused, gradients: slopes });
          add(asked, found.slice(read.length));
          return found.slice(0, read.length);
        },
        (read, slopes, before) =>
          add(within(before), nativeGrad(read, within(before), { ...unused, gradients: slopes })),
      );
      const missing = inputs.findIndex((input) => !sums.has(input));
      if (missing >= 0 && !allowUnused)
        throw new Error(`grad: the outputs do not depend on input ${missing}; allowUnused accepts that`);
      return inputs.map((input) => sums.get(input)?.detach());
    });
  } finally {
    for (const sum of sums.values()) sum.free();
  }
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
