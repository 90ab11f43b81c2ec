import type { Dtype, TypedArray } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { TracedTensor } from '../networks/operator-trace.js';
import { CallArguments } from './call-arguments.js';
import { type BatchedCall, type BatchedTrace, bareName, checkTarget, type Shape } from './exported-trace.js';
import { indent, Names, number } from './python-code.js';
import { keyOf, type Segment } from './pytorch-modules.js';
import { type PythonTensor, pytorchOperators } from './pytorch-operators.js';

/** Of the program itself: no variable and no class is called so. */
export const RESERVED = ['F', 'Network', 'Path', 'json', 'load', 'nn', 'read_safetensors', 'self', 'torch'];

/** The surroundings of a method: the module that it belongs to. */
export interface MethodScope {
  /** A tensor of the module's or of its children, as an expression; undefined for all others. */
  own(tensor: TracedTensor): string | undefined;
  /** Keeps a number of the program with the module. @returns the expression that reads it */
  constant(code: string): string;
  /** A child, and its method, as an expression. */
  callee(segment: Segment): string;
}

/**
 * The method that makes the calls of a segment.
 *
 * @param inputs what it is given, under the names that it would like
 * @returns its parameters and its body: what stands behind `def name`
 */
export function writeMethod(
  segment: Segment,
  trace: BatchedTrace,
  scope: MethodScope,
  inputs: readonly (readonly [name: string, tensor: TracedTensor])[],
): string {
  const names = new Names(RESERVED);
  const variables = new Map<string, string>();
  const parameters = inputs.map(([wanted, tensor]) => {
    const given = names.give(wanted);
    variables.set(keyOf(tensor), given);
    return given;
  });
  const written = (tensor: TracedTensor): PythonTensor => ({
    code: expression(tensor),
    shape: shapeIn(trace, tensor),
  });
  const expression = (tensor: TracedTensor): string =>
    tensor.from === 'constant'
      ? scope.constant(constantCode(tensor))
      : (scope.own(tensor) ?? (variables.get(keyOf(tensor)) as string));

  /** What each step makes of what. */
  const statements = segment.steps.map((step) => {
    if (typeof step === 'number') {
      const batched = trace.calls[step] as BatchedCall;
      const operator = bareName(batched.call.operator);
      const code = operatorCode(batched, written);
      const results = [...batched.shapes.keys()].map(
        (result): TracedTensor => ({ from: 'call', call: step, result }),
      );
      return {
        code,
        targets: assign(results, operator),
        isList: results.length === 1 && LISTS.has(operator),
      };
    }
    const code = `${scope.callee(step)}(${step.inputs.map(expression).join(', ')})`;
    const relative =
      segment.node.path === '' ? step.node.path : step.node.path.slice(segment.node.path.length + 1);
    return { code, targets: assign(step.outputs, relative.replaceAll('.', '_')), isList: false };
  });
  function assign(results: readonly TracedTensor[], wanted: string): string[] {
    return results.map((tensor) => {
      const given = names.give(wanted);
      variables.set(keyOf(tensor), given);
      return given;
    });
  }

  const returned = segment.outputs.map(expression).join(', ');
  const last = statements.at(-1);
  const isLast =
    last !== undefined && !last.isList && last.targets.length > 0 && last.targets.join(', ') === returned;
  const body = (isLast ? statements.slice(0, -1) : statements).map(({ code, targets, isList }) => {
    if (targets.length === 0) return code;
    return `${isList ? `[${targets}]` : targets.join(', ')} = ${code}`;
  });
  if (isLast) body.push(`return ${last.code}`);
  else if (returned !== '') body.push(`return ${returned}`);
  return `(${['self', ...parameters].join(', ')}):\n    ${indent(body.join('\n'), 4)}`;
}

/** Operators that return a list, of one tensor too. */
const LISTS: ReadonlySet<string> = new Set(['chunk', 'split', 'split_with_sizes', 'unbind']);

function operatorCode(batched: BatchedCall, written: (tensor: TracedTensor) => PythonTensor): string {
  const name = batched.call.operator.replace('aten::', '');
  const row = pytorchOperators.get(name);
  if (row === undefined)
    throw new InputError(
      `${batched.where}: no such operator here; allowed: ${[...pytorchOperators.keys()].sort().join(', ')}`,
    );
  checkTarget(batched);
  const call = new CallArguments(batched, 'PyTorch', written);
  const code = row(call, name);
  call.finish();
  return code;
}

export function shapeIn(trace: BatchedTrace, tensor: TracedTensor): Shape {
  switch (tensor.from) {
    case 'input':
      return trace.inputs.get(tensor.name)?.shape as Shape;
    case 'call':
      return trace.calls[tensor.call]?.shapes[tensor.result] as Shape;
    case 'state':
    case 'constant':
      return tensor.shape;
  }
}

function constantCode({
  dtype,
  values,
  shape,
}: {
  readonly dtype: Dtype;
  readonly values: TypedArray;
  readonly shape: readonly number[];
}): string {
  if (dtype === 'float16' || dtype === 'bfloat16')
    throw new InputError(
      `export to PyTorch: a constant is ${dtype}; allowed: float32, float64 and whole numbers`,
    );
  const list = Array.from(values as Iterable<number | bigint>, (value) =>
    typeof value === 'bigint' ? String(value) : number(value),
  );
  const flat = `torch.tensor([${list.join(', ')}], dtype=torch.${dtype})`;
  return shape.length === 1 ? flat : `${flat}.reshape(${shape.length === 0 ? '()' : shape.join(', ')})`;
}
