import { native } from './native.js';

/** An operator of libtorch's dispatcher, looked up at its first call. */
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

/** Called after every operator, with arguments and results as the dispatcher has them: tensors are handles. */
export type OperatorObserver = (operator: Operator, args: readonly unknown[], result: unknown) => void;

let observer: OperatorObserver | undefined;

/** Runs `body` and calls `watch` after each of its operators, for profiles and for counts of multiply-adds. */
export function observeOperators<T>(watch: OperatorObserver, body: () => T): T {
  const outer = observer;
  observer = watch;
  try {
    return body();
  } finally {
    observer = outer;
  }
}

/** Calls an operator. Its arguments are in the order of its schema, and `undefined` stands for the schema's default. */
export function invoke(operator: Operator, ...args: unknown[]): unknown {
  const result = native.call(operator.id, ...args);
  if (observer !== undefined) observer(operator, args, result);
  return result;
}

/** Calls an operator that changes its arguments, and ignores its results. */
export function invokeInPlace(operator: Operator, ...args: unknown[]): void {
  native.callInPlace(operator.id, ...args);
  if (observer !== undefined) observer(operator, args, undefined);
}

/** The schemas of all operators of this libtorch, as it prints them. */
export function operatorSchemas(): string[] {
  return native.schemas();
}
