import { InputError } from '../input-error.js';
import type { OperatorCall, TracedTensor } from '../networks/operator-trace.js';
import type { OnnxModel, Shape } from './onnx-model.js';

/** A tensor in the model that is written: the value's name there and its shape. */
export interface ExportedTensor {
  readonly name: string;
  readonly shape: Shape;
}

const isTensor = (argument: unknown): argument is TracedTensor =>
  typeof argument === 'object' && argument !== null && 'from' in argument;

/**
 * A call on its way to a model. Arguments are read by their places in the operator's schema, and an argument that was
 * given and not read is an error: nothing that a network asks for is left out unseen.
 */
export class ExportedCall {
  readonly #unread: Set<number>;

  constructor(
    readonly model: OnnxModel,
    private readonly call: OperatorCall,
    /** Of all its results. */
    readonly shapes: readonly Shape[],
    /** The places whose arguments are others for another number of images. */
    private readonly batchDependent: ReadonlySet<number>,
    /** Where the call stands, for messages. */
    private readonly where: string,
    private readonly exported: (tensor: TracedTensor) => ExportedTensor,
  ) {
    this.#unread = new Set(
      [...call.args.keys()].filter((place) => call.args[place] !== undefined && call.args[place] !== null),
    );
  }

  /** The shape of its only or first result. */
  get shape(): Shape {
    return this.shapes[0] as Shape;
  }

  /** The error of a call that cannot be written. */
  error(reason: string): InputError {
    return new InputError(`${this.where}: ${reason}`);
  }

  #read(place: number): unknown {
    this.#unread.delete(place);
    if (this.batchDependent.has(place))
      throw this.error(
        `its argument ${place} depends on the number of images; an ONNX file takes any number of them`,
      );
    return this.call.args[place] ?? undefined;
  }

  /** Arguments without meaning for the result, or told by its shape. */
  ignore(...places: readonly number[]): void {
    for (const place of places) this.#unread.delete(place);
  }

  isGiven(place: number): boolean {
    return (this.call.args[place] ?? undefined) !== undefined;
  }

  optionalTensor(place: number): ExportedTensor | undefined {
    const argument = this.#read(place);
    if (argument === undefined || isTensor(argument)) return argument && this.exported(argument);
    throw this.error(`its argument ${place} is no tensor`);
  }

  tensor(place: number): ExportedTensor {
    const found = this.optionalTensor(place);
    if (found === undefined) throw this.error(`its argument ${place} is missing`);
    return found;
  }

  tensors(place: number): readonly ExportedTensor[] {
    return (this.#read(place) as readonly TracedTensor[]).map(this.exported);
  }

  /** A tensor, or a number in its place. */
  operand(place: number): ExportedTensor {
    const argument = this.#read(place);
    return isTensor(argument) ? this.exported(argument) : this.number(Number(argument));
  }

  /** A number as a tensor without dimensions. */
  number(value: number): ExportedTensor {
    return { name: this.model.constant(Float32Array.of(value), []), shape: [] };
  }

  /** An argument that is a number, a flag or a text. */
  setting<T extends number | boolean | string>(place: number, missing: T): T {
    return (this.#read(place) ?? missing) as T;
  }

  /** A list of integers; one number stands for a list of it, as libtorch takes it. */
  integers(place: number, missing: readonly number[]): readonly number[] {
    const given = this.#read(place) ?? missing;
    const list = Array.isArray(given) ? (given as readonly number[]) : [given as number];
    if (list.length === 0) return missing;
    return list.length === 1 ? missing.map(() => list[0] as number) : list;
  }

  /** A list of numbers. */
  list(place: number): readonly number[] | undefined {
    return this.#read(place) as readonly number[] | undefined;
  }

  /** A list of dimensions of a tensor, counted from the first; all of them where it is not given. */
  dimensions(place: number, rank: number): readonly number[] {
    const given = this.#read(place) ?? [];
    const list = Array.isArray(given) ? (given as readonly number[]) : [given as number];
    const all = list.length === 0 ? Array.from({ length: rank }, (_, dimension) => dimension) : list;
    return all.map((dimension) => (dimension < 0 ? dimension + rank : dimension));
  }

  /** One dimension of a tensor, counted from the first. */
  dimension(place: number, missing: number, rank: number): number {
    const dimension = this.setting(place, missing);
    return dimension < 0 ? dimension + rank : dimension;
  }

  /** The sizes of a shape from a dimension on. @throws InputError where one of them grows with the images */
  fixed(shape: Shape, from = 0): readonly number[] {
    return shape.slice(from).map((size, index) => {
      if (size !== null) return size;
      throw this.error(`dimension ${from + index} of its shape depends on the number of images`);
    });
  }

  /** To be called when the call is written. @throws InputError where an argument was not read */
  finish(): void {
    for (const place of this.#unread)
      throw this.error(
        `its argument ${place} (${JSON.stringify(this.call.args[place])}) has no equivalent in ONNX here; leave it out`,
      );
  }
}
