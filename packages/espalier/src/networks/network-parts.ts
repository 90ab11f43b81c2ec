import type { nn, Tensor } from '@espalier/torch';
import { activationBytesOf } from './activation-memory.js';
import { multiplyAddsOf } from './multiply-adds.js';
import type { OperatorCall, OperatorTrace } from './operator-trace.js';

/** A child of a network, a cell mostly, and what it takes for one input. */
export interface NetworkPart {
  /** `cells.3`; '' is what the network does and holds itself, outside of its children. */
  readonly module: string;
  /** `normal`, where the module has a `kind`; the name of its class otherwise. */
  readonly kind: string;
  /** Parameters that several parts share are those of the first. */
  readonly params: number;
  /** Multiply-adds. */
  readonly macs: number;
  /** As `activationBytes` of the whole network. */
  readonly activationBytes: number;
  /** The shape of its last result, without the dimensions of the batch; null where it was not run. */
  readonly output: readonly number[] | null;
}

/**
 * A network part by part, in the order of their declaration; the sums over the parts are the network's.
 *
 * @param batchDimensions how many dimensions of its results are the batch's: 1 of images, 2 of texts
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
