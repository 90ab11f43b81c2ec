import { type fused, nn } from '@espalier/torch';

/** How the kernels compute a layer that ends with batch norm, which they leave to whoever reads the values. */
export type KernelForm = (
  | { readonly kind: 'units'; readonly units: readonly fused.ReluConvNorm[] }
  | {
      readonly kind: 'pooling';
      readonly pooling: 'max' | 'avg';
      readonly stride: number;
      readonly norm: nn.BatchNorm2d;
    }
  /** A unit that reads the result of `fused.halves`. */
  | { readonly kind: 'reduction'; readonly unit: () => fused.ReluConvNorm }
  /** Rectified linear units, a convolution that sees neighbouring pixels, and batch norm. */
  | { readonly kind: 'convolution'; readonly convolution: nn.Conv2d; readonly norm: nn.BatchNorm2d }
) & {
  /** Layers for which this is equal can be computed as one on several edges. */
  readonly alike: string;
};

/** A layer that says itself how the kernels compute it. */
export interface HasKernelForm {
  /** Undefined where they do not. It may not change. */
  readonly kernelForm: KernelForm | undefined;
}

const known = new WeakMap<nn.Layer, KernelForm | undefined>();

/** Undefined for a layer that the kernels do not compute. */
export function kernelFormOf(layer: nn.Layer): KernelForm | undefined {
  if (!known.has(layer)) known.set(layer, findForm(layer));
  return known.get(layer);
}

function findForm(layer: nn.Layer): KernelForm | undefined {
  if ('kernelForm' in layer) return (layer as nn.Layer & HasKernelForm).kernelForm;
  if (!isJust(layer, nn.Sequential)) return undefined;
  const units = findUnits(layer.layers);
  return units && unitsForm(units);
}

/** Whether a layer is of a class and computes as that class does, not as a class of the user's that extends it. */
function isJust<L extends nn.Layer>(
  layer: nn.Layer | undefined,
  of: { readonly prototype: L } & (abstract new (...args: never[]) => L),
): layer is L {
  return layer instanceof of && layer.forward === of.prototype.forward;
}

/** Layers as units. Undefined unless all of it is ReLU, convolutions that are separable or pointwise, and batch norm. */
function findUnits(layers: readonly nn.Layer[]): readonly fused.ReluConvNorm[] | undefined {
  const units: fused.ReluConvNorm[] = [];
  for (let place = 0; place < layers.length; ) {
    if (!isJust(layers[place], nn.ReLU)) return undefined;
    const depthwise = layers[place + 1];
    const isSeparable = isJust(depthwise, nn.Conv2d) && isDepthwise(depthwise);
    const [pointwise, norm] = layers.slice(place + (isSeparable ? 2 : 1));
    if (!(isJust(pointwise, nn.Conv2d) && isPointwise(pointwise) && isJust(norm, nn.BatchNorm2d)))
      return undefined;
    units.push({ ...(isSeparable ? { depthwise } : {}), pointwise: pointwise.weight, norm });
    place += isSeparable ? 4 : 3;
  }
  return units.length === 0 ? undefined : units;
}

/** Whether a convolution is depthwise with square filters of a size that the kernels support. */
function isDepthwise({ groups, weight, stride, padding, dilation, bias }: nn.Conv2d): boolean {
  const [filters, inputs, height, width] = weight.shape as [number, number, number, number];
  const isSquare = height === width && [stride, padding, dilation].every(([down, right]) => down === right);
  return (
    groups === filters && inputs === 1 && isSquare && [1, 3, 5, 7].includes(height) && bias === undefined
  );
}

function isPointwise({ groups, weight, stride, padding, bias }: nn.Conv2d): boolean {
  const sizes = [...weight.shape.slice(2), ...stride, groups];
  return sizes.every((size) => size === 1) && padding.every((size) => size === 0) && bias === undefined;
}

/** One unit after the other. */
export function unitsForm(units: readonly fused.ReluConvNorm[]): KernelForm {
  const alike = units.map((unit) => [sizesOf(unit), filtersOf(unit)]).join();
  return { kind: 'units', units, alike };
}

/** 3x3 pooling and batch norm without learned scale and shift. */
export function poolingForm(pooling: 'max' | 'avg', stride: number, norm: nn.BatchNorm2d): KernelForm {
  return { kind: 'pooling', pooling, stride, norm, alike: [pooling, stride, normOf(norm)].join() };
}

/** Two pointwise convolutions with stride 2, on even and on odd pixels, as one unit; `norm` is the unit's. */
export function reductionForm(norm: nn.BatchNorm2d, unit: () => fused.ReluConvNorm): KernelForm {
  return { kind: 'reduction', unit, alike: normOf(norm) };
}

/** Undefined for a convolution in groups or with a bias. */
export function convolutionForm(convolution: nn.Conv2d, norm: nn.BatchNorm2d): KernelForm | undefined {
  const { weight, stride, padding, dilation, groups, bias } = convolution;
  if (groups !== 1 || bias !== undefined) return undefined;
  const alike = [weight.shape, stride, padding, dilation, normOf(norm)].join();
  return { kind: 'convolution', convolution, norm, alike };
}

/** What units must share to be computed in one call: stride, change of size, channels and batch norm. */
export function sizesOf({ depthwise, pointwise, norm }: fused.ReluConvNorm): string {
  const [stride] = depthwise?.stride ?? [0];
  const window = depthwise === undefined ? 0 : (depthwise.weight.shape[2] as number) - 1;
  const growth = depthwise === undefined ? 0 : 2 * depthwise.padding[0] - depthwise.dilation[0] * window;
  return [stride, growth, ...pointwise.shape, normOf(norm)].join();
}

function filtersOf({ depthwise }: fused.ReluConvNorm): string {
  return depthwise === undefined
    ? ''
    : [depthwise.weight.shape, depthwise.padding, depthwise.dilation].join();
}

function normOf({ weight, running_mean, momentum, epsilon }: fused.ReluConvNorm['norm']): string {
  return [weight !== undefined, running_mean !== undefined, momentum, epsilon].join();
}
