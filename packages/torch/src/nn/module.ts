import { noGrad } from '../autograd.js';
import { invokeInPlace, Operator } from '../dispatcher.js';
import type { Dtype, MemoryFormat } from '../dtype.js';
import { scope } from '../scope.js';
import { Tensor } from '../tensor.js';

/** How many tensors a message names. */
const MOST_NAMED = 20;

const setData = new Operator('aten::set_data', '');

/** A tensor that a module learns. It lives until the module is freed, whatever scope it was made in. */
export class Parameter extends Tensor {
  constructor(value: Tensor) {
    super(value.keep().handle);
    this.requiresGrad = true;
  }
}

/** A tensor that belongs to a module's state and is not learned: running statistics. */
export class Buffer extends Tensor {
  constructor(value: Tensor) {
    super(value.keep().handle);
  }
}

/**
 * A part of a network. Its parameters, buffers and children are its own properties (a child may stand in an array
 * property too), found by looking; their names, joined by dots, are PyTorch's: `features.0.conv.weight`.
 */
export abstract class Module {
  /** Whether dropout drops and batch norm uses the batch's statistics; set by `train` and `eval`. */
  training = true;

  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.children()) child.train(mode);
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  *children(): Generator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
      else if (Array.isArray(value))
        for (const [index, item] of value.entries())
          if (item instanceof Module) yield [`${name}.${index}`, item];
    }
  }

  *#named<T extends Tensor>(kind: new (value: Tensor) => T, prefix: string): Generator<[string, T]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof kind) yield [prefix + name, value];
    for (const [name, child] of this.children()) yield* child.#named(kind, `${prefix}${name}.`);
  }

  namedParameters(): Generator<[string, Parameter]> {
    return this.#named(Parameter, '');
  }

  namedBuffers(): Generator<[string, Buffer]> {
    return this.#named(Buffer, '');
  }

  /** The learned tensors, each once, in the order of their declaration. */
  parameters(): Parameter[] {
    return [...new Set([...this.namedParameters()].map(([, parameter]) => parameter))];
  }

  /** How many values are learned. */
  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /** Parameters and buffers under their names: the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map<string, Tensor>([...this.namedParameters(), ...this.namedBuffers()]);
  }

  /**
   * Copies values into the parameters and buffers of the same names.
   *
   * @throws Error naming the tensors that are missing, superfluous, of another shape or element type, and those that
   *   differ although they are one tensor in the network; nothing is changed then
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const own = this.stateDict();
    const problems: string[] = [];
    const firstNames = new Map<Tensor, string>();
    for (const [name, target] of own) {
      const source = state.get(name);
      const first = firstNames.get(target);
      if (source === undefined) problems.push(`${name} is missing`);
      else if (source.shape.join() !== target.shape.join())
        problems.push(`${name} has shape [${source.shape}], the network needs [${target.shape}]`);
      else if (source.dtype !== target.dtype)
        problems.push(`${name} has element type ${source.dtype}, the network needs ${target.dtype}`);
      else if (first === undefined) firstNames.set(target, name);
      else if (!areEqual(state.get(first) as Tensor, source))
        problems.push(`${name} and ${first} are one tensor in the network, but differ`);
    }
    for (const name of state.keys()) if (!own.has(name)) problems.push(`${name} is not part of the network`);
    if (problems.length > 0) {
      const rest = problems.length - MOST_NAMED;
      throw new Error(
        `the state does not fit the network: ${problems.slice(0, MOST_NAMED).join('; ')}` +
          (rest > 0 ? `; and ${rest} more` : ''),
      );
    }
    noGrad(() => {
      for (const [name, target] of own) target.copy_(state.get(name) as Tensor);
    });
  }

  /**
   * Moves the state, and the gradients, in place: to a device, to another floating type, to channels_last (tensors of
   * four dimensions). Integer buffers keep their type.
   */
  to(target: { dtype?: Dtype; device?: string; memoryFormat?: MemoryFormat }): this {
    scope(() =>
      noGrad(() => {
        for (const tensor of this.stateDict().values()) {
          const { dtype, memoryFormat, ...rest } = target;
          const floating = tensor.dtype.includes('float');
          const own = {
            ...rest,
            ...(dtype !== undefined && floating ? { dtype } : {}),
            ...(memoryFormat !== undefined && tensor.shape.length === 4 ? { memoryFormat } : {}),
          };
          const gradient = tensor.grad?.to(own);
          invokeInPlace(setData, tensor.handle, tensor.to(own).handle);
          tensor.grad = gradient;
        }
      }),
    );
    return this;
  }

  /** Frees the parameters and buffers; the module cannot be used afterwards. */
  free(): void {
    for (const tensor of new Set(this.stateDict().values())) tensor.free();
  }
}

/** A module from one tensor to one tensor: what `Sequential` chains. */
export abstract class Layer extends Module {
  abstract forward(input: Tensor): Tensor;
}

function areEqual(a: Tensor, b: Tensor): boolean {
  return a.handle === b.handle || scope(() => a.eq(b).all().item() === 1);
}
