import { cat, conv2d, fused, type nn, type Tensor } from '@espalier/torch';
import { type EdgeValue, tensorOf } from './edge-value.js';
import { type KernelForm, kernelFormOf } from './kernel-form.js';
import { runChains } from './run-chains.js';

/** One operation on several edges, with one layer per edge. */
type OnEdges = readonly nn.Layer[];

/** The forms of an operation's layers, all alike. */
type Forms = readonly KernelForm[];

type FormOf<Kind extends KernelForm['kind']> = Extract<KernelForm, { readonly kind: Kind }>;

/**
 * Runs several operations that read the same state, each on several edges, with the kernels. These compute all separable
 * convolutions in one call, and all pooling operations with batch norm in another.
 *
 * @returns of each operation [N, edges x channels, H', W'], or [N, channels, H', W'] if all its edges give the same
 */
export function runTogether(all: readonly OnEdges[], state: Tensor): EdgeValue[] {
  const forms = all.map(formsOf);
  const values: EdgeValue[] = [];
  const chained = ofKind(forms, 'units');
  const convolved = runChains(
    chained.map(({ forms }) => forms.map(({ units }) => units)),
    state,
  );
  for (const [index, { place }] of chained.entries()) values[place] = convolved[index] as EdgeValue;
  for (const pools of poolsOfOneCall(ofKind(forms, 'pooling'))) {
    const pooled = fused.poolNorms(state, pools.map(poolOf));
    for (const [index, { place }] of pools.entries()) values[place] = pooled[index] as EdgeValue;
  }
  for (const [place, operations] of all.entries())
    values[place] ??= runConvolution(forms[place], state) ?? runEach(operations, state);
  return values;
}

/** One layer with the kernels; undefined where they do not compute it. */
export function runByKernels(layer: nn.Layer, input: Tensor): Tensor | undefined {
  if (kernelFormOf(layer) === undefined || !fused.servesLayer(layer, input)) return undefined;
  return tensorOf({ value: runTogether([[layer]], input)[0] as EdgeValue });
}

function formsOf(operations: OnEdges): Forms | undefined {
  const forms: KernelForm[] = [];
  for (const operation of operations) {
    const form = kernelFormOf(operation);
    if (
      form === undefined ||
      form.kind !== (forms[0] ?? form).kind ||
      form.alike !== (forms[0] ?? form).alike
    )
      return undefined;
    forms.push(form);
  }
  return forms;
}

interface Placed<Kind extends KernelForm['kind']> {
  readonly place: number;
  readonly forms: readonly FormOf<Kind>[];
}

function ofKind<Kind extends KernelForm['kind']>(
  all: readonly (Forms | undefined)[],
  kind: Kind,
): Placed<Kind>[] {
  return all.flatMap((forms, place) =>
    forms?.[0]?.kind === kind ? [{ place, forms: forms as readonly FormOf<Kind>[] }] : [],
  );
}

/** A call pools with one stride and one kind of batch norm. */
function poolsOfOneCall(pools: readonly Placed<'pooling'>[]): Iterable<Placed<'pooling'>[]> {
  const calls = new Map<string, Placed<'pooling'>[]>();
  for (const pool of pools) {
    const { stride, norm } = pool.forms[0] as FormOf<'pooling'>;
    const key = [stride, norm.momentum, norm.epsilon, norm.running_mean !== undefined].join();
    calls.set(key, [...(calls.get(key) ?? []), pool]);
  }
  return calls.values();
}

function poolOf({ forms }: Placed<'pooling'>): fused.PoolNorm {
  const { pooling, stride } = forms[0] as FormOf<'pooling'>;
  return { kind: pooling, stride, norms: forms.map(({ norm }) => norm) };
}

/** One convolution on several edges, whose work does not depend on that of other operations. */
function runConvolution(forms: Forms | undefined, state: Tensor): fused.Normalised | undefined {
  switch (forms?.[0]?.kind) {
    case 'reduction':
      return fused.reluConvNorm(
        fused.halves(state),
        (forms as readonly FormOf<'reduction'>[]).map(({ unit }) => unit()),
      );
    case 'convolution': {
      const edges = forms as readonly FormOf<'convolution'>[];
      return fused.normalise(
        convolve(
          state,
          edges.map(({ convolution }) => convolution),
        ),
        edges.map(({ norm }) => norm),
      );
    }
    default:
      return undefined;
  }
}

/** The rectified state under the filters of all edges, in one call that reads it once. */
function convolve(state: Tensor, convolutions: readonly nn.Conv2d[]): Tensor {
  const filters = convolutions.map(({ weight }) => weight as Tensor);
  const first = convolutions[0] as nn.Conv2d;
  if (fused.isConv3x3(first)) return fused.conv3x3(state, filters, { rectifies: true });
  const all = filters.length === 1 ? (filters[0] as Tensor) : cat(filters);
  return conv2d(state.relu(), all, undefined, first.stride, first.padding, first.dilation);
}

/** One operation on several edges by its layers: [N, edges x C, H', W'], or [N, C, H', W'] if all give the same. */
function runEach(operations: OnEdges, state: Tensor): Tensor {
  const [first] = operations as readonly [nn.Layer];
  // An operation without parameters or buffers gives the same result on all edges.
  if (operations.length === 1 || first.stateDict().size === 0) return first.forward(state);
  return cat(
    operations.map((operation) => operation.forward(state)),
    1,
  );
}
