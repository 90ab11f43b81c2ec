import { clearGradients, gradientsOf, noGrad } from '../autograd.js';
import { scope } from '../scope.js';
import { fromTypedArray, type Tensor } from '../tensor.js';

/** The parameters that have a gradient in this step, as parallel lists. */
export interface Moved {
  /** Places among all the optimiser's parameters. */
  readonly indices: readonly number[];
  readonly parameters: readonly Tensor[];
  readonly gradients: readonly Tensor[];
}

/**
 * A rule that moves parameters along their gradients. Parameters without a gradient stay as they are, and so does
 * what is remembered of them. The work is done on lists of tensors (`_foreach`): a few calls a step, however many
 * parameters there are.
 */
export abstract class Optimizer {
  readonly #parameters: Tensor[] = [];
  /** How many steps each parameter has made. */
  protected readonly steps: number[] = [];
  readonly #memory = new Map<string, Tensor>();

  constructor(
    parameters: readonly Tensor[],
    /** The learning rate of the next step: what schedules set. */
    public learningRate: number,
  ) {
    if (parameters.length === 0) throw new RangeError('an optimiser needs at least one parameter');
    this.add(parameters);
  }

  get parameters(): readonly Tensor[] {
    return this.#parameters;
  }

  /** Takes in parameters that a model got later; they have made no step yet. */
  add(parameters: readonly Tensor[]): void {
    this.#parameters.push(...parameters);
    this.steps.push(...parameters.map(() => 0));
  }

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

  /** The names under which something is remembered of each parameter. */
  protected abstract readonly remembers: readonly string[];

  /** What is remembered of each parameter under a name; zeros the first time. */
  protected remembered(name: string, { indices, parameters }: Moved): Tensor[] {
    return indices.map((index, place) => {
      const key = `${name}.${index}`;
      let tensor = this.#memory.get(key);
      if (tensor === undefined) {
        tensor = (parameters[place] as Tensor).zerosLike().keep();
        this.#memory.set(key, tensor);
      }
      return tensor;
    });
  }

  zeroGrad(): void {
    clearGradients(this.parameters);
  }

  /** All that the rule remembers, as copies: enough to go on exactly where it stopped. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [name, tensor] of this.#memory) state.set(name, tensor.clone());
    state.set('steps', fromTypedArray(BigInt64Array.from(this.steps, BigInt), [this.steps.length]));
    return state;
  }

  /**
   * Copies a state in.
   *
   * @throws Error naming every tensor that another rule remembers, or that is of another shape than its parameter;
   * nothing is changed then
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
    // Memory lies as its parameter does (a file's is row-major): `_foreach` is fast where it does.
    noGrad(() => {
      for (const [key, value, parameter] of entries)
        this.#memory.set(key, parameter.zerosLike().copy_(value).keep());
    });
  }

  /** Frees what is remembered (not the parameters). */
  free(): void {
    for (const tensor of this.#memory.values()) tensor.free();
    this.#memory.clear();
  }
}
