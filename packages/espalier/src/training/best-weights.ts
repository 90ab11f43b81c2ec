import { type nn, noGrad, type optim, scope, type Tensor } from '@espalier/torch';
import { prefixed, withPrefix } from './named-tensors.js';

/** A network and its optimiser as they were after the epoch with the best validation measure so far. */
export class BestWeights {
  readonly #network: nn.Module;
  readonly #optimizer: optim.Optimizer;
  #tensors = new Map<string, Tensor>();
  #value: number | undefined;

  constructor(network: nn.Module, optimizer: optim.Optimizer) {
    this.#network = network;
    this.#optimizer = optimizer;
  }

  /** The validation measure that they were kept for; undefined while none are. */
  get value(): number | undefined {
    return this.#value;
  }

  /** Keeps a copy of what the network and the optimiser hold now. */
  keep(value: number): void {
    this.#take(
      new Map([
        ...prefixed('network.', this.#network.stateDict()),
        ...prefixed('optimizer.', this.#optimizer.stateDict()),
      ]),
      value,
    );
  }

  /** Puts the kept weights back into the network. */
  restoreNetwork(): void {
    this.#network.loadStateDict(withPrefix('network.', this.#tensors));
  }

  /** Puts back the weights and the state of the optimiser, to train on from there. */
  restore(): void {
    this.restoreNetwork();
    this.#optimizer.loadStateDict(withPrefix('optimizer.', this.#tensors));
  }

  stateDict(): ReadonlyMap<string, Tensor> {
    return this.#tensors;
  }

  loadStateDict(state: ReadonlyMap<string, Tensor>, value: number): void {
    this.#take(state, value);
  }

  free(): void {
    for (const tensor of this.#tensors.values()) tensor.free();
    this.#tensors = new Map();
    this.#value = undefined;
  }

  #take(tensors: ReadonlyMap<string, Tensor>, value: number): void {
    const copies = scope(() =>
      noGrad(() => [...tensors].map(([name, tensor]) => [name, tensor.detach().clone().keep()] as const)),
    );
    this.free();
    this.#tensors = new Map(copies);
    this.#value = value;
  }
}
