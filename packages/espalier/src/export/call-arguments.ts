import { InputError } from '../input-error.js';
import type { TracedTensor } from '../networks/operator-trace.js';
import type { BatchedCall, Shape, SizedLike } from './exported-trace.js';

/** A tensor in the other format. */
export interface WrittenTensor {
  readonly shape: Shape;
}

const isTensor = (argument: unknown): argument is TracedTensor =>
  typeof argument === 'object' && argument !== null && 'from' in argument;

/**
 * The arguments of a call that is written in another format. They are read by their places in the operator's schema, and
 * an argument that was given and not read is an error: nothing that a network asks for is left out unseen.
 */
export class CallArguments<T extends WrittenTensor> {
  readonly #unread: Set<number>;

  constructor(
    private readonly batched: BatchedCall,
    /** The name of the other format, for messages. */
    private readonly format: string,
    private readonly written: (tensor: TracedTensor) => T,
  ) {
    this.#unread = new Set([...batched.call.args.keys()].filter((place) => this.isGiven(place)));
  }

  /** Of all its results. */
  get shapes(): readonly Shape[] {
    return this.batched.shapes;
  }

  /** The shape of its only or first result. */
  get shape(): Shape {
    return this.shapes[0] as Shape;
  }

  /** See `BatchedCall.sizedLike`. */
  get sizedLike(): SizedLike<T> | undefined {
    const { sizedLike } = this.batched;
    return sizedLike && { ...sizedLike, tensor: this.written(sizedLike.tensor) };
  }

  /** The error of a call that cannot be written. */
  error(reason: string): InputError {
    return new InputError(`${this.batched.where}: ${reason}`);
  }

  #read(place: number): unknown {
    this.#unread.delete(place);
    if (this.dependsOnBatch(place))
      throw this.error(
        `its argument ${place} depends on ${this.batched.free}; what is exported to ${this.format} takes any`,
      );
    return this.batched.call.args[place] ?? undefined;
  }

  /** Arguments without meaning for the result, or told by its shape. */
  ignore(...places: readonly number[]): void {
    for (const place of places) this.#unread.delete(place);
  }

  isGiven(place: number): boolean {
    return (this.batched.call.args[place] ?? undefined) !== undefined;
  }

  /** Where the tensor of a place comes from; undefined where there is none. */
  source(place: number): TracedTensor['from'] | undefined {
    const argument = this.batched.call.args[place];
    return isTensor(argument) ? argument.from : undefined;
  }

  /** Whether the argument of a place is another for another batch. */
  dependsOnBatch(place: number): boolean {
    return this.batched.batchDependent.has(place);
  }

  /** The places up to the last argument that was given. */
  get places(): number {
    return this.batched.call.args.findLastIndex((_, place) => this.isGiven(place)) + 1;
  }

  /** An argument as it was given, whatever it is; its tensors written. */
  argument(place: number): unknown {
    const written = (argument: unknown): unknown =>
      Array.isArray(argument)
        ? argument.map(written)
        : isTensor(argument)
          ? this.written(argument)
          : argument;
    return written(this.#read(place));
  }

  optionalTensor(place: number): T | undefined {
    const argument = this.#read(place);
    if (argument === undefined || isTensor(argument)) return argument && this.written(argument);
    throw this.error(`its argument ${place} is no tensor`);
  }

  tensor(place: number): T {
    const found = this.optionalTensor(place);
    if (found === undefined) throw this.error(`its argument ${place} is missing`);
    return found;
  }

  tensors(place: number): readonly T[] {
    return (this.#read(place) as readonly TracedTensor[]).map(this.written);
  }

  /** An argument that is a number, a flag or a text. */
  setting<S extends number | boolean | string>(place: number, missing: S): S {
    return (this.#read(place) ?? missing) as S;
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

  /** The sizes of a shape from a dimension on. @throws InputError where one of them grows with the batch */
  fixed(shape: Shape, from = 0): readonly number[] {
    return shape.slice(from).map((size, index) => {
      if (size !== null) return size;
      throw this.error(`dimension ${from + index} of its shape depends on ${this.batched.free}`);
    });
  }

  /**
   * The shape of the result for an operator that takes one size that it finds by itself, as -1.
   *
   * @throws InputError where more than one grows with the batch
   */
  shapeWithOneFree(): readonly number[] {
    if (this.shape.filter((size) => size === null).length > 1)
      throw this.error(`two dimensions of its result depend on ${this.batched.free}; allowed: one`);
    return this.shape.map((size) => size ?? -1);
  }

  /** To be called when the call is written. @throws InputError where an argument was not read */
  finish(): void {
    for (const place of this.#unread)
      throw this.error(
        `its argument ${place} (${JSON.stringify(this.batched.call.args[place])}) has no equivalent in ${this.format} here; leave it out`,
      );
  }
}
