import type { Tensor } from '@espalier/torch';

/** Tensors with a prefix before their names, so that several states fit into one file. */
export function* prefixed(prefix: string, tensors: ReadonlyMap<string, Tensor>): Generator<[string, Tensor]> {
  for (const [name, tensor] of tensors) yield [prefix + name, tensor];
}

/** Those whose names have the prefix, without it. */
export function withPrefix(prefix: string, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );
}
