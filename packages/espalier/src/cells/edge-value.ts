import { fused, type Tensor } from '@espalier/torch';
import { dropPathMask } from './drop-path.js';

/** What an edge gives: a tensor, or values whose batch norm is left to the node that reads them. */
export type EdgeValue = fused.MixtureTerm;

/** The contribution of an edge to a node. With drop path, `mask` holds the factor of each image, [N, 1, 1, 1]. */
export interface Path {
  readonly value: EdgeValue;
  readonly mask?: Tensor;
}

/** A path that is dropped with the given probability (less than 1). */
export function pathOf(value: EdgeValue, dropProbability: number): Path {
  return dropProbability === 0 ? { value } : { value, mask: dropPathMask(valuesOf(value), dropProbability) };
}

/** What a path adds to its node, as a tensor. */
export function tensorOf({ value, mask }: Path): Tensor {
  const whole = value instanceof fused.Normalised ? value.toTensor() : value;
  return mask === undefined ? whole : whole.mul(mask);
}

/** The values of an edge, before a batch norm that is left to the node. */
export function valuesOf(value: EdgeValue): Tensor {
  return value instanceof fused.Normalised ? value.values : value;
}
