import fc from 'fast-check';
import type { GraphEdge, GraphNode, NetworkGraph, NodeKind } from '../../src/drawing/graph.js';

const kinds: readonly NodeKind[] = ['input', 'convolution', 'pool', 'linear', 'operation', 'merge', 'output'];

export const anyText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '3 × 5 conv, 36 filters',
    '<b>&amp;"\'</b>',
    ']]>',
    '\u0000\u0007',
    '\uD800',
    '畳み込み層',
    '👩‍🔬',
    '__proto__',
  ),
);

/** Up to 14 nodes, and up to `maxEdges` edges from lower to higher ids. */
function graphOf(edgeKinds: readonly GraphEdge['kind'][], maxEdges: number): fc.Arbitrary<NetworkGraph> {
  const node = fc.record({
    label: anyText,
    details: fc.array(anyText, { maxLength: 3 }),
    kind: fc.constantFrom(...kinds),
  });
  const edge = fc.record({
    from: fc.nat({ max: 12 }),
    step: fc.integer({ min: 1, max: 13 }),
    kind: fc.constantFrom(...edgeKinds),
    label: fc.option(fc.constantFrom('identity', 'sep_conv_3x3'), { nil: undefined, freq: 2 }),
  });
  const parts = fc.record({
    title: anyText,
    nodes: fc.array(node, { maxLength: 14 }),
    edges: fc.uniqueArray(edge, {
      maxLength: maxEdges,
      selector: ({ from, step, kind }) => `${from} ${step} ${kind}`,
      size: 'max',
    }),
    reversed: fc.boolean(),
  });
  return parts.map(({ title, nodes, edges, reversed }) => {
    const listed = nodes.map((each, id): GraphNode => ({ id: String(id), ...each }));
    return {
      title,
      nodes: reversed ? listed.reverse() : listed,
      edges: edges
        .filter(({ from, step }) => from + step < nodes.length)
        .map(({ from, step, kind, label }): GraphEdge => {
          const ends = { from: String(from), to: String(from + step), kind };
          return label === undefined ? ends : { ...ends, label };
        }),
    };
  });
}

/** Graphs with skip connections, which are drawn as a column. */
export const columnGraphs = graphOf(['flow', 'skip'], 60).filter((graph) =>
  graph.edges.some((edge) => edge.kind === 'skip'),
);

/** Graphs without skip connections. Most of them branch and are drawn in layers. */
export const flowGraphs = graphOf(['flow'], 30);
