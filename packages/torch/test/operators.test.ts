import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Operator } from '../src/dispatcher.js';
import * as torch from '../src/index.js';
import { manualSeed, operatorSchemas, scope, Tensor } from '../src/index.js';
import { expectGradients, weightedSum } from './finite-differences.js';
import { decode, expectTensor, isTensorJson, readFixture, type TensorJson } from './fixtures.js';

interface Case {
  operator: string;
  overload: string;
  /** The generated function or method. */
  name: string;
  arguments: unknown[];
  options?: Record<string, unknown>;
  seed?: number;
  outputs?: TensorJson[];
  /** The value of the first argument after an in-place operator. */
  changes?: TensorJson[];
  /** Indices among all tensors of the arguments, and among the outputs. */
  differentiable?: { inputs: number[]; outputs: number[] };
}

const cases = readFixture<Case[]>('operators.json');

/** `name.overload` of every operator in operators.txt. */
const listed = readFileSync(new URL('../operators.txt', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => (line.split('#')[0] as string).split(' as ')[0]?.split(/\s+/).filter(Boolean) ?? [])
  .flatMap(([name, ...overloads]) =>
    overloads.map((overload) => `${name}.${overload === '-' ? '' : overload}`),
  );

/** Arguments as the functions take them: decoded tensors, and undefined for null. */
function argumentsOf(value: unknown): unknown {
  if (value === null) return undefined;
  if (value === 'inf' || value === '-inf') return Number(value.replace('inf', 'Infinity'));
  if (isTensorJson(value)) return decode(value);
  return Array.isArray(value) ? value.map(argumentsOf) : value;
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

type Callable = (...args: unknown[]) => unknown;

function call({ name, options }: Case, args: readonly unknown[]): Tensor[] {
  const all = options === undefined ? args : [...args, options];
  const [first, ...rest] = all;
  const method = (Tensor.prototype as unknown as Record<string, Callable | undefined>)[name];
  if (method !== undefined) return tensorsIn(method.apply(first, rest));
  return tensorsIn((torch as unknown as Record<string, Callable>)[name]?.(...all));
}

const title = ({ name, overload, arguments: args, options }: Case) => {
  const shown = args.map((value) =>
    JSON.stringify(value, (_, inner) => (isTensorJson(inner) ? `${inner.dtype}[${inner.shape}]` : inner)),
  );
  return `${name}${overload && `.${overload}`}(${[...shown, ...(options ? [JSON.stringify(options)] : [])].join(', ')})`;
};

describe('operators give what PyTorch gives', () => {
  it.each(cases.map((each) => [title(each), each] as const))('%s', (_, each) => {
    scope(() => {
      if (each.seed !== undefined) manualSeed(each.seed);
      const args = argumentsOf(each.arguments) as unknown[];
      const results = call(each, args);
      const [actual, expected] =
        each.changes === undefined
          ? [results, each.outputs as TensorJson[]]
          : [tensorsIn(args[0]), each.changes];
      expect(actual.length).toBe(expected.length);
      for (const [place, json] of expected.entries())
        expectTensor(actual[place] as Tensor, json, each.seed === undefined ? 1e-12 : 0);
    });
  });
});

describe('gradients of operators agree with finite differences', () => {
  const smooth = cases.filter((each) => each.differentiable !== undefined);
  it.each(smooth.map((each) => [title(each), each] as const))('%s', (_, each) => {
    scope(() => {
      const args = argumentsOf(each.arguments) as unknown[];
      const { inputs, outputs } = each.differentiable as NonNullable<Case['differentiable']>;
      const tensors = tensorsIn(args);
      const leaves = inputs.map((place) => tensors[place] as Tensor);
      for (const leaf of leaves) leaf.requiresGrad = true;
      const f = () => {
        const results = call(each, args);
        return weightedSum(outputs.map((place) => results[place] as Tensor));
      };
      expectGradients(f, Object.fromEntries(leaves.map((leaf, place) => [`input${place}`, leaf])));
    });
  });
});

describe('the list of operators', () => {
  it('is covered by cases, overload by overload', () => {
    const covered = new Set(cases.map((each) => `${each.operator}.${each.overload}`));
    expect(
      listed.filter((name) => !covered.has(name) && name !== 'empty.memory_format' && name !== 'empty_like.'),
    ).toEqual([]);
  });

  it('resolves in this libtorch, overload by overload', () => {
    expect(listed.length).toBeGreaterThan(200);
    for (const entry of listed) {
      const [name, overload] = entry.split('.') as [string, string];
      expect(new Operator(`aten::${name}`, overload).id, entry).toBeGreaterThanOrEqual(0);
    }
  });

  it('is part of the schemas that libtorch prints', () => {
    const schemas = operatorSchemas();
    expect(schemas.length).toBeGreaterThan(3000);
    expect(schemas).toContain('aten::relu(Tensor self) -> Tensor');
  });
});
