import { clearGradients, gradientsOf, noGrad } from '../autograd.js';
import { scope } from '../scope.js';
import { fromTypedArray, type Tensor } from '../tensor.js';

/** The parameters that have a gradient in this step, as parallel lists. */
export interface Moved {
  /** Their indices among all parameters of the optimiser. */
  readonly indices: readonly number[];
  readonly parameters: readonly Tensor[];
  readonly gradients: readonly Tensor[];
}

/**
 * An update rule. A step leaves parameters without a gradient, and the optimiser's memory of them, as they are. It works
 * on lists of tensors (`_foreach`), so it makes only a few calls for any number of parameters.
 */
export abstract class Optimizer {
  readonly #parameters: Tensor[] = [];
  /** How many steps each parameter has made. */
  protected readonly steps: number[] = [];
  readonly #memory = new Map<string, Tensor>();

  constructor(
    parameters: readonly Tensor[],
    /** The learning rate of the next step; schedules set it. */
    public learningRate: number,
  ) {
    if (parameters.length === 0) throw new RangeError('an optimiser needs at least one parameter');
    this.add(parameters);
  }

  get parameters(): readonly Tensor[] {
    return this.#parameters;
  }

  /** Adds parameters that a model gained later. They start with no steps and no memory. */
  add(parameters: readonly Tensor[]): void {
    this.#parameters.push(...parameters);
    this.steps.push(...parameters.map(() => 0));
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    scope(() =>
      noGrad(() => {
        const all = gradientsOf(this.parameters);
        const indices = [...all.keys()].filter((index) => all[index] !== undefined);
        if (indices.length === 0) return;
        for (const index of indices) this.steps[index]!++;
        this.update({
          indices,
          parameters: indices.map((index) => this.parameters[index] as Tensor),
          gradients: indices.map((index) => all[index] as Tensor),
        });
      }),
    );
  }

  protected abstract update(moved: Moved): void;

  /** The names of what the rule remembers for each parameter. */
  protected abstract readonly remembers: readonly string[];

  /** The memory of a name for each parameter. @param initial what it holds at first */
  protected remembered(name: string, { indices, parameters }: Moved, initial = 0): Tensor[] {
    return indices.map((index, place) => {
      const key = `${name}.${index}`;
      let tensor = this.#memory.get(key);
      if (tensor === undefined) {
        tensor = (parameters[place] as Tensor).zerosLike().fill_(initial).keep();
        this.#memory.set(key, tensor);
      }
      return tensor;
    });
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    clearGradients(this.parameters);
  }

  /** A copy of everything the rule remembers, enough to resume training exactly where it stopped. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [name, tensor] of this.#memory) state.set(name, tensor.clone());
    state.set('steps', fromTypedArray(BigInt64Array.from(this.steps, BigInt), [this.steps.length]));
    return state;
  }

  /**
   * Restores a state.
   *
   * @throws Error naming every tensor that the rule does not remember or that has another shape than its parameter, and
   *   for a state of another number of parameters. In that case nothing changes.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const steps = state.get('steps')?.toNumbers();
    if (steps?.length !== this.steps.length)
      throw new Error(
        `the state is of ${steps?.length ?? 0} parameters, the optimiser has ${this.steps.length}`,
      );
    const problems: string[] = [];
    const entries: [key: string, value: Tensor, parameter: Tensor][] = [];
    for (const [key, value] of state) {
      if (key === 'steps') continue;
      const [, name = '', index] = /^(\w+)\.(\d+)$/.exec(key) ?? [];
      const parameter = this.parameters[Number(index)];
      if (parameter === undefined || !this.remembers.includes(name))
        problems.push(`${key} is nothing that ${this.constructor.name} remembers`);
      else if (value.shape.join() !== parameter.shape.join())
        problems.push(`${key} has shape [${value.shape}], its parameter [${parameter.shape}]`);
      else entries.push([key, value, parameter]);
    }
    if (problems.length > 0) throw new Error(`the state does not fit the optimiser: ${problems.join('; ')}`);
    this.free();
    this.steps.splice(0, steps.length, ...steps);
    // `_foreach` is fast where the memory is laid out like its parameter; tensors from a file are row-major.
    noGrad(() => {
      for (const [key, value, parameter] of entries)
        this.#memory.set(key, parameter.zerosLike().copy_(value).keep());
    });
  }

  /** Frees the memory of the rule, not the parameters. */
  free(): void {
    for (const tensor of this.#memory.values()) tensor.free();
    this.#memory.clear();
  }
}
