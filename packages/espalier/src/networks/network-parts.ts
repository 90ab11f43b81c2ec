import type { nn, Tensor } from '@espalier/torch';
import { activationBytesOf } from './activation-memory.js';
import { multiplyAddsOf } from './multiply-adds.js';
import type { OperatorCall, OperatorTrace } from './operator-trace.js';

/** A child module of a network, usually a cell, with its size and cost for one input. */
export interface NetworkPart {
  /** The name of the child, such as `cells.3`. Empty for the network's own operators and parameters. */
  readonly module: string;
  /** The `kind` of the module, such as `normal`, or else the name of its class. */
  readonly kind: string;
  /** Number of parameters. Shared parameters are counted in the first part that has them. */
  readonly params: number;
  /** Multiply-adds. */
  readonly macs: number;
  /** Activation memory in bytes, as `activationBytes` measures it for the whole network. */
  readonly activationBytes: number;
  /** The shape of the last result, without the batch dimensions. Null if the part was not run. */
  readonly output: readonly number[] | null;
}

/**
 * Splits a network into its parts, in the order of their declaration. The totals over the parts are those of the network.
 *
 * @param batchDimensions number of leading batch dimensions of the results: 1 for images, 2 for texts
 */
export function networkParts(
  network: nn.Module,
  trace: OperatorTrace,
  batchDimensions: number,
): readonly NetworkPart[] {
  const children = [...network.children()];
  const partOf = (name: string) =>
    children.find(([child]) => name === child || name.startsWith(`${child}.`))?.[0] ?? '';
  const counted = new Set<Tensor>();
  const params = new Map<string, number>();
  for (const [name, parameter] of network.namedParameters()) {
    if (counted.has(parameter)) continue;
    counted.add(parameter);
    params.set(partOf(name), (params.get(partOf(name)) ?? 0) + parameter.size);
  }
  const places = new Map<string, number[]>();
  for (const [place, { module }] of trace.calls.entries()) {
    const part = partOf(module);
    places.set(part, [...(places.get(part) ?? []), place]);
  }
  const describe = (module: string, kind: string): NetworkPart => {
    const own = places.get(module) ?? [];
    const last = own.at(-1);
    const sum = (value: (place: number) => number) => own.reduce((total, place) => total + value(place), 0);
    return {
      module,
      kind,
      params: params.get(module) ?? 0,
      macs: sum((place) => multiplyAddsOf(trace.calls[place] as OperatorCall, trace.calls)),
      activationBytes: sum((place) => activationBytesOf(trace, place)),
      output: last === undefined ? null : (trace.calls[last]?.shapes[0] ?? []).slice(batchDimensions),
    };
  };
  const parts = children.map(([name, child]) => describe(name, kindOf(child)));
  return places.has('') || params.has('') ? [...parts, describe('', '')] : parts;
}

function kindOf(module: nn.Module): string {
  const kind: unknown = Reflect.get(module, 'kind');
  return typeof kind === 'string' ? kind : module.constructor.name;
}
