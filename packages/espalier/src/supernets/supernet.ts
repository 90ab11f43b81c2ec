import type { Tensor } from '@espalier/torch';
import type { Network } from '../networks/network.js';

/**
 * A network that holds the weights of all architectures of a space. The architecture parameters are not among its
 * `parameters()`: they are learned from other data, by an optimiser of their own.
 */
export interface Supernet extends Network {
  /** By the cell that they are of: [edges, operations] each. */
  architectureParameters(): Readonly<Record<string, Tensor>>;
}
