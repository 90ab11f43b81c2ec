import { fused, type Tensor } from '@espalier/torch';
import { sizesOf } from './kernel-form.js';

type Units = readonly fused.ReluConvNorm[];

/** One operation on several edges, as a sequence of kernel units for each edge. All edges have the same number of units. */
type Chain = readonly Units[];

/** Runs several operations on the same input. Units at the same position of their chains share one call if sizes match. */
export function runChains(chains: readonly Chain[], input: Tensor): fused.Normalised[] {
  const values: fused.Normalised[] = [];
  const lengths = chains.map(([units]) => (units as Units).length);
  for (let place = 0; place < Math.max(0, ...lengths); place++) {
    const groups = new Map<string, { readonly chain: number; readonly units: Units }[]>();
    for (const [chain, edges] of chains.entries()) {
      if (place >= (lengths[chain] as number)) continue;
      const units = edges.map((each) => each[place] as fused.ReluConvNorm);
      const sizes = sizesOf(units[0] as fused.ReluConvNorm);
      groups.set(sizes, [...(groups.get(sizes) ?? []), { chain, units }]);
    }
    for (const group of groups.values()) {
      const read = place === 0 ? [input] : group.map(({ chain }) => values[chain] as fused.Normalised);
      const made = fused.reluConvNorms(
        read,
        group.map(({ units }) => units),
      );
      for (const [index, { chain }] of group.entries()) values[chain] = made[index] as fused.Normalised;
    }
  }
  return values;
}
