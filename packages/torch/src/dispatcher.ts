import { native } from './native.js';

/** An operator of libtorch's dispatcher, looked up when it is first called. */
export class Operator {
  #id = -1;

  constructor(
    /** `aten::add` */
    readonly name: string,
    /** `Tensor`, or '' */
    readonly overload: string,
  ) {}

  get id(): number {
    if (this.#id < 0) this.#id = native.findOperator(this.name, this.overload);
    return this.#id;
  }
}

/** Told of every operator that is called: its arguments and results as the dispatcher has them (tensors as handles). */
export type OperatorObserver = (operator: Operator, args: readonly unknown[], result: unknown) => void;

let observer: OperatorObserver | undefined;

/** Runs `body` and tells `watch` of each operator called in it: what profiles and counts of multiply-adds are made of. */
export function observeOperators<T>(watch: OperatorObserver, body: () => T): T {
  const outer = observer;
  observer = watch;
  try {
    return body();
  } finally {
    observer = outer;
  }
}

/** Calls an operator boxed, its arguments in the order of its schema; `undefined` takes the schema's default. */
export function invoke(operator: Operator, ...args: unknown[]): unknown {
  const result = native.call(operator.id, ...args);
  if (observer !== undefined) observer(operator, args, result);
  return result;
}

/** Calls an operator for what it does to its arguments. */
export function invokeInPlace(operator: Operator, ...args: unknown[]): void {
  native.callInPlace(operator.id, ...args);
  if (observer !== undefined) observer(operator, args, undefined);
}

/** The schema of every operator that this libtorch has, as libtorch prints it. */
export function operatorSchemas(): string[] {
  return native.schemas();
}
