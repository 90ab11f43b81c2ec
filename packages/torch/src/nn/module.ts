import { noGrad } from '../autograd.js';
import { invokeInPlace, Operator } from '../dispatcher.js';
import type { Dtype, MemoryFormat } from '../dtype.js';
import { scope } from '../scope.js';
import { Tensor } from '../tensor.js';

/** An error message names at most this many tensors. */
const MOST_NAMED = 20;

const setData = new Operator('aten::set_data', '');

/** A tensor that a module learns. It outlives the scope that it is made in; `free()` of the module frees it. */
export class Parameter extends Tensor {
  constructor(value: Tensor) {
    super(value.keep().handle);
    this.requiresGrad = true;
  }
}

/** A tensor of a module's state that is not learned, such as running statistics. It lives as long as a parameter. */
export class Buffer extends Tensor {
  constructor(value: Tensor) {
    super(value.keep().handle);
  }
}

/** Is called with each module as it is made. */
let madeModule: ((module: Module) => void) | undefined;

/** Runs `body` and calls `watch` with each module that it makes, from within the module's constructor. */
export function observeModules<T>(watch: (module: Module) => void, body: () => T): T {
  const outer = madeModule;
  madeModule = watch;
  try {
    return body();
  } finally {
    madeModule = outer;
  }
}

/**
 * A part of a network. A module finds its parameters, buffers and child modules among its own properties; an array
 * property may hold children too. Property names joined by dots make PyTorch's names: `features.0.conv.weight`.
 */
export abstract class Module {
  /** Whether dropout drops values and batch norm normalises by the batch; `train` and `eval` set it. */
  training = true;

  constructor() {
    madeModule?.(this);
  }

  /** Sets this module and all below it to training. */
  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.children()) child.train(mode);
    return this;
  }

  /** Sets this module and all below it to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** The modules directly below this one, with their names. */
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

  /** The parameters of this module and of all below it, with their names. */
  namedParameters(): Generator<[string, Parameter]> {
    return this.#named(Parameter, '');
  }

  /** The buffers of this module and of all below it, with their names. */
  namedBuffers(): Generator<[string, Buffer]> {
    return this.#named(Buffer, '');
  }

  /** The parameters in the order of their declaration; a shared parameter appears once. */
  parameters(): Parameter[] {
    return [...new Set([...this.namedParameters()].map(([, parameter]) => parameter))];
  }

  /** The number of learned values. */
  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /** Parameters and buffers by name: the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map<string, Tensor>([...this.namedParameters(), ...this.namedBuffers()]);
  }

  /**
   * Copies a state into the parameters and buffers, by name.
   *
   * @throws Error naming the tensors that are missing or unknown, have another shape or element type, or differ although
   *   the network has one tensor under both names. In that case nothing changes.
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
   * Moves the state and the gradients in place: to a device, to another floating type, or to a memory format, which
   * applies to tensors of four dimensions. Integer buffers keep their type.
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

  /** Frees the parameters and buffers. The module is unusable afterwards. */
  free(): void {
    for (const tensor of new Set(this.stateDict().values())) tensor.free();
  }
}

/** A module that maps one tensor to one tensor, so that `Sequential` can chain it. */
export abstract class Layer extends Module {
  abstract forward(input: Tensor): Tensor;
}

function areEqual(a: Tensor, b: Tensor): boolean {
  return a.handle === b.handle || scope(() => a.eq(b).all().item() === 1);
}
