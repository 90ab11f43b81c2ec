import {
  cat,
  fused,
  grad,
  manualSeed,
  nn,
  noGrad,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { CellGraph } from '../../src/cells/cell-graph.js';
import { dropPath } from '../../src/cells/drop-path.js';
import { MixedOperation } from '../../src/cells/mixed-operation.js';
import { PoolNorm } from '../../src/cells/pool-norm.js';
import { type CellEdge, runCell } from '../../src/cells/run-cell.js';
import {
  type AroundMixtures,
  type MixedEdge,
  runMixedCell,
  runMixedCells,
} from '../../src/cells/run-mixed-cell.js';
import { operation as deepLabOperation, OPERATIONS } from '../../src/networks/auto-deeplab/operations.js';
import { CELL_OPERATIONS, DARTS_OPERATIONS } from '../../src/networks/darts/genotype.js';
import { makeOperation } from '../../src/networks/darts/operations.js';
import { makeNasBench201Operation } from '../../src/networks/nasbench201.js';
import { NASBENCH201_OPERATIONS } from '../../src/networks/nasbench201-cell.js';
import { FactorizedReduction, RectifiedReduction } from '../../src/networks/nasnet/factorized-reduction.js';
import { buildOperation, nasnetOperations } from '../../src/networks/nasnet/operations.js';
import { Random } from '../../src/random/random.js';
import { PartialChannels } from '../../src/supernets/partial-channels.js';

setThreads(1);

const CHANNELS = 4;
const SIZE = 6;

/** As a user may write it: the kernels recognise the first, and not the others. */
const own: Record<string, () => nn.Layer> = {
  separable: () =>
    new nn.Sequential(
      new nn.ReLU(),
      new nn.Conv2d(CHANNELS, CHANNELS, 5, { padding: 2, groups: CHANNELS, bias: false }),
      new nn.Conv2d(CHANNELS, CHANNELS, 1, { bias: false }),
      new nn.BatchNorm2d(CHANNELS, { epsilon: 1e-3, momentum: 0.3 }),
    ),
  gated: () =>
    new (class extends nn.Sequential {
      override forward(input: Tensor): Tensor {
        return super.forward(input).sigmoid();
      }
    })(new nn.ReLU(), new nn.Conv2d(CHANNELS, CHANNELS, 1, { bias: false }), new nn.BatchNorm2d(CHANNELS)),
  withBias: () =>
    new nn.Sequential(new nn.ReLU(), new nn.Conv2d(CHANNELS, CHANNELS, 1), new nn.BatchNorm2d(CHANNELS)),
};

/** All operations of a space on edges of stride 1. */
const spaces: Record<string, readonly (() => nn.Layer)[]> = {
  'darts-cnn': CELL_OPERATIONS.map((name) => () => makeOperation(name, CHANNELS, 1, true)),
  'the supernet of darts-cnn': [
    ...DARTS_OPERATIONS.map((name) => () => makeOperation(name, CHANNELS, 1, false)),
    ...(['max', 'avg'] as const).map(
      (kind) => () => new PoolNorm(kind, 1, new nn.BatchNorm2d(CHANNELS, { affine: false })),
    ),
  ],
  nasbench201: NASBENCH201_OPERATIONS.map((name) => () => makeNasBench201Operation(name, CHANNELS, true)),
  'the supernet of nasbench201': NASBENCH201_OPERATIONS.map(
    (name) => () => makeNasBench201Operation(name, CHANNELS, false),
  ),
  nasnet: nasnetOperations.map((name) => () => buildOperation(name, CHANNELS, CHANNELS, 1, {})),
  'auto-deeplab': OPERATIONS.map((name) => () => deepLabOperation(name, CHANNELS, 1)),
  'own spaces': Object.values(own),
};

/** All operations of a space that halve a state. */
const reducing: Record<string, readonly (() => nn.Layer)[]> = {
  'darts-cnn': CELL_OPERATIONS.map((name) => () => makeOperation(name, CHANNELS, 2, true)),
  nasnet: [
    ...nasnetOperations.map((name) => () => buildOperation(name, CHANNELS, CHANNELS, 2, {})),
    () => new RectifiedReduction(new FactorizedReduction(CHANNELS, CHANNELS, {})),
  ],
  'auto-deeplab': OPERATIONS.map((name) => () => deepLabOperation(name, CHANNELS, 2)),
};

/** Cells, between them with all given operations, whose nodes read any earlier states. */
function cellsWith(make: readonly (() => nn.Layer)[], onInputs = make): CellGraph<CellEdge>[] {
  const random = Random.of(5, 'cells');
  const edge = (from: number, operation: nn.Layer): CellEdge => ({
    from,
    operation,
    neverDropped: operation instanceof nn.Identity,
  });
  /** Every input is read by all operations, so that all run together; then a few blocks read what there is. */
  const all = (inputs: number) =>
    new CellGraph<CellEdge>(inputs, [
      ...onInputs.map((one, index) => ({
        edges: [edge(index % inputs, one()), edge((index + 1) % inputs, one())],
      })),
      ...Array.from({ length: 4 }, (_, block) => {
        // Only nodes: inputs have another size where operations halve them.
        const read = () => inputs + random.below(onInputs.length + block);
        return {
          edges: [0, 1, 2].map(() => edge(read(), (make[random.below(make.length)] as () => nn.Layer)())),
        };
      }),
      {
        combine: 'concat' as const,
        edges: [
          edge(inputs, (make[0] as () => nn.Layer)()),
          edge(inputs + 1, (make.at(-1) as () => nn.Layer)()),
        ],
      },
    ]);
  return [all(1), all(2)];
}

/** The formula of the papers, node by node. */
function byFormula(graph: CellGraph<CellEdge>, inputs: readonly Tensor[], dropProbability: number): Tensor[] {
  const states = [...inputs];
  for (const { edges, combine } of graph.nodes) {
    const values = edges.map(({ from, operation, neverDropped }) => {
      const value = operation.forward(states[from]!);
      return operation.training && !neverDropped && dropProbability > 0
        ? dropPath(value, dropProbability)
        : value;
    });
    states.push(combine === 'concat' ? cat(values, 1) : values.reduce((sum, value) => sum.add(value)));
  }
  return states;
}

interface Computed {
  readonly states: number[][];
  readonly gradients: number[][];
  readonly statistics: number[][];
}

/** Layers of a cell, their statistics as they were at first, and what is computed of them. */
class Bench {
  readonly #layers: nn.Sequential;
  readonly #start: ReadonlyMap<string, Tensor>;

  constructor(
    layers: Iterable<nn.Layer>,
    private readonly learned: readonly Tensor[],
    training: boolean,
  ) {
    this.#layers = new nn.Sequential(...layers);
    this.#layers.to({ dtype: 'float64', memoryFormat: 'channels_last' });
    noGrad(() => {
      for (const [name, value] of this.#layers.namedBuffers())
        if (name.endsWith('running_var')) value.uniform_(0.5, 2);
        else if (name.endsWith('running_mean')) value.normal_(0, 0.3);
      for (const parameter of this.#layers.parameters())
        parameter.add_(randn(parameter.shape, { dtype: 'float64' }).mul(0.1));
    });
    this.#layers.train(training);
    this.#start = new Map([...this.#layers.namedBuffers()].map(([name, value]) => [name, value.clone()]));
  }

  compute(run: () => readonly Tensor[]): Computed {
    manualSeed(12);
    noGrad(() => {
      for (const [name, value] of this.#layers.namedBuffers()) value.copy_(this.#start.get(name) as Tensor);
    });
    const states = run();
    const loss = states.map((state) => state.pow(2).mean()).reduce((sum, term) => sum.add(term));
    const gradients = grad(loss, [...this.learned, ...this.#layers.parameters()], { allowUnused: true });
    return {
      states: states.map((state) => state.toNumbers()),
      gradients: gradients.map((gradient) => gradient?.toNumbers() ?? []),
      statistics: [...this.#layers.namedBuffers()].map(([, value]) => value.toNumbers()),
    };
  }

  free(): void {
    this.#layers.free();
  }
}

function expectClose(found: Computed, wanted: Computed): void {
  for (const key of ['states', 'gradients', 'statistics'] as const)
    for (const [place, values] of wanted[key].entries()) {
      const others = found[key][place] as number[];
      // A parameter behind a product with zero has zeros for a gradient, or none.
      const size = Math.max(1, ...values.map(Math.abs));
      const pairs = Math.max(values.length, others.length);
      const worst = Math.max(
        0,
        ...Array.from({ length: pairs }, (_, i) => Math.abs((others[i] ?? 0) - (values[i] ?? 0))),
      );
      expect(worst / size, `${key} ${place}`).toBeLessThan(1e-9);
    }
}

const image = (images: number, size = SIZE) => {
  const made = randn([images, CHANNELS, size, size], { dtype: 'float64' }).to({
    memoryFormat: 'channels_last',
  });
  made.requiresGrad = true;
  return made;
};

const cases = [
  ...Object.entries(spaces).map(([space, make]) => [space, () => cellsWith(make)] as const),
  ...Object.entries(reducing).map(
    ([space, make]) => [`${space}, in a reduction`, () => cellsWith(spaces[space]!, make)] as const,
  ),
];

describe.each(cases)('a cell with all operations of %s', (_, make) => {
  it.each([
    ['in training', true, 3, 0],
    ['in training with drop path', true, 3, 0.4],
    ['in evaluation', false, 3, 0.4],
    ['in evaluation of one image', false, 1, 0],
  ])(
    'is the formula of the papers %s: to the bit by its layers, up to rounding by the kernels',
    (_, training, images, drop) => {
      scope(() => {
        manualSeed(11);
        for (const graph of make()) {
          const inputs = Array.from({ length: graph.inputs }, () => image(images));
          const bench = new Bench(
            graph.edges.map(({ operation }) => operation),
            inputs,
            training,
          );
          const run = () => runCell(graph, inputs, { dropProbability: drop });
          const formula = fused.withoutKernels(() => bench.compute(() => byFormula(graph, inputs, drop)));
          expect(formula.states.flat().some((value) => Math.abs(value) > 0.1)).toBe(true);
          const plain = fused.withoutKernels(() => bench.compute(run));
          expect(plain.states).toEqual(formula.states);
          expect(plain.statistics).toEqual(formula.statistics);
          expectClose(plain, formula);
          expectClose(bench.compute(run), formula);
          expectClose(
            bench.compute(() => runCell(graph, inputs, { dropProbability: drop, oneByOne: true })),
            formula,
          );
          bench.free();
        }
      });
    },
  );
});

/** All operations of a space on each of the edges between four states. */
const mixed: Record<
  string,
  readonly [names: readonly string[], make: (name: string, stride: 1 | 2) => nn.Layer]
> = {
  'darts-cnn': [
    DARTS_OPERATIONS,
    (name, stride) =>
      name.includes('pool')
        ? new PoolNorm(
            name === 'max_pool_3x3' ? 'max' : 'avg',
            stride,
            new nn.BatchNorm2d(CHANNELS, { affine: false }),
          )
        : makeOperation(name as (typeof DARTS_OPERATIONS)[number], CHANNELS, stride, false),
  ],
  nasbench201: [
    NASBENCH201_OPERATIONS,
    (name) => makeNasBench201Operation(name as (typeof NASBENCH201_OPERATIONS)[number], CHANNELS, false),
  ],
  'auto-deeplab': [
    OPERATIONS,
    (name, stride) => deepLabOperation(name as (typeof OPERATIONS)[number], CHANNELS, stride, false),
  ],
  'own spaces': [Object.keys(own), (name) => own[name]!()],
};

const EDGES = [2, 3, 4];

function mixedGraph([names, make]: (typeof mixed)[string], stride: 1 | 2): CellGraph<MixedEdge> {
  const nodes = EDGES.map((count) => ({
    edges: Array.from({ length: count }, (_, from) => ({
      from,
      operation: new MixedOperation(names, (name) => make(name, from < 2 ? stride : 1)),
    })),
  }));
  return new CellGraph<MixedEdge>(2, nodes);
}

/** Equation 2 of DARTS, node by node. */
function mixedByFormula(
  graph: CellGraph<MixedEdge>,
  inputs: readonly Tensor[],
  weights: Tensor,
  around?: AroundMixtures,
): Tensor[] {
  const states = [...inputs];
  let place = 0;
  for (const { edges } of graph.nodes) {
    const values = edges.map(({ from, operation }) => {
      const { read, leave } = around?.enter(states[from]!, from) ?? {
        read: states[from]!,
        leave: (mixture: Tensor) => mixture,
      };
      const own = weights.select(0, place);
      const terms = operation.names.flatMap((name, k) =>
        name === 'none' ? [] : [operation.operation(name).forward(read).mul(own.select(0, k))],
      );
      return leave(
        terms.reduce((sum, term) => sum.add(term)),
        place++,
      );
    });
    states.push(values.reduce((sum, value) => sum.add(value)));
  }
  return states.slice(inputs.length);
}

const layersOf = (graph: CellGraph<MixedEdge>) => graph.edges.flatMap(({ operation }) => operation._ops);
const leavingOf = (graph: CellGraph<MixedEdge>, weights: Tensor) =>
  graph.placesLeaving.map((places) => ({
    values: cat(places.map((place) => weights.narrow(0, place, 1))),
  }));

function weightsOf(graph: CellGraph<MixedEdge>): Tensor {
  const weights = randn([graph.edges.length, graph.edges[0]!.operation.names.length], { dtype: 'float64' });
  weights.requiresGrad = true;
  return weights;
}

describe.each([
  ['darts-cnn', 1],
  ['darts-cnn', 2],
  ['nasbench201', 1],
  ['auto-deeplab', 1],
  ['own spaces', 1],
] as const)('the mixtures of all operations of %s with stride %d', (space, stride) => {
  it.each([
    ['in training', true, 3],
    ['in evaluation', false, 3],
    ['in evaluation of one image', false, 1],
  ])('are the formula of DARTS %s', (_, training, images) => {
    scope(() => {
      manualSeed(11);
      const graph = mixedGraph(mixed[space]!, stride);
      const inputs = [image(images), image(images)];
      const weights = weightsOf(graph);
      const bench = new Bench(layersOf(graph), [...inputs, weights], training);
      for (const { operation } of graph.edges) operation.train(training);
      const run = () => runMixedCell(graph, inputs, leavingOf(graph, weights));
      const formula = fused.withoutKernels(() => bench.compute(() => mixedByFormula(graph, inputs, weights)));
      expectClose(
        fused.withoutKernels(() => bench.compute(run)),
        formula,
      );
      expectClose(bench.compute(run), formula);
      bench.free();
    });
  });
});

describe.each(Object.keys(mixed))('mixtures of %s where most weights are zero', (space) => {
  it('are the same without the operations that add nothing', () => {
    scope(() => {
      manualSeed(11);
      const graph = mixedGraph(mixed[space]!, 1);
      const inputs = [image(3), image(3)];
      const columns = graph.edges[0]!.operation.names.length;
      // One operation on most edges, two on some, none on the last.
      const used = graph.edges.map((_, edge) => {
        const one = edge % columns;
        return edge === graph.edges.length - 1 ? [] : edge % 3 === 0 && one > 0 ? [0, one] : [one];
      });
      const weights = tensor(
        used.map((own, edge) =>
          Array.from({ length: columns }, (_, k) => (own.includes(k) ? 0.5 + edge : 0)),
        ),
        'float64',
      );
      const bench = new Bench(layersOf(graph), inputs, true);
      const all = bench.compute(() => runMixedCell(graph, inputs, leavingOf(graph, weights)));
      const few = () =>
        runMixedCell(
          graph,
          inputs,
          leavingOf(graph, weights).map((leaving, from) => ({
            ...leaving,
            used: graph.placesLeaving[from]!.map((place) => used[place]!),
          })),
        );
      const withoutGradient = ({ gradients }: Computed) =>
        gradients.filter(({ length }) => length === 0).length;
      for (const found of [bench.compute(few), fused.withoutKernels(() => bench.compute(few))]) {
        expectClose({ ...found, statistics: all.statistics }, all);
        expect(withoutGradient(found)).toBeGreaterThan(withoutGradient(all));
      }
      bench.free();
    });
  });
});

describe('mixtures', () => {
  it('on several cells that share an input are those of each cell, computed once where they can be', () => {
    scope(() => {
      manualSeed(11);
      const graph = mixedGraph(mixed.nasbench201!, 1);
      const [shared, one, other] = [image(2), image(2), image(2)];
      const weights = weightsOf(graph);
      // In evaluation, for running statistics are not updated once for each cell.
      const bench = new Bench(layersOf(graph), [shared, one, other, weights], false);
      const leaving = () => leavingOf(graph, weights);
      const apart = bench.compute(() =>
        [one, other].flatMap((input) => runMixedCell(graph, [shared, input], leaving())),
      );
      expectClose(
        bench.compute(() => runMixedCells(graph, [shared], [[one], [other]], leaving()).flat()),
        apart,
      );
      let calls = 0;
      const [first] = graph.edges[0]!.operation._ops.filter((layer) => layer instanceof nn.AvgPool2d);
      const forward = first!.forward.bind(first);
      first!.forward = (input) => {
        calls++;
        return forward(input);
      };
      fused.withoutKernels(() => runMixedCells(graph, [shared], [[one], [other]], leaving()));
      expect(calls).toBe(1);
      bench.free();
    });
  });

  it.each([1, 2] as const)(
    'see one in two channels beside a bypass, with weights of edges and stride %d',
    (stride) => {
      scope(() => {
        manualSeed(11);
        const graph = mixedGraph(mixed['darts-cnn']!, stride);
        const partial = new PartialChannels(2 * CHANNELS, 2, (from) => stride === 2 && from < 2);
        const wide = () => cat([image(3), image(3)], 1);
        const inputs = [wide(), wide()];
        const weights = weightsOf(graph);
        const ofEdges = randn([graph.edges.length], { dtype: 'float64' });
        ofEdges.requiresGrad = true;
        const around: AroundMixtures = {
          enter: (state, from) => {
            const { read, unite } = partial.divide(state, from);
            return { read, leave: (mixture, place) => unite(mixture).mul(ofEdges.select(0, place)) };
          },
        };
        const bench = new Bench(layersOf(graph), [weights, ofEdges], true);
        const formula = fused.withoutKernels(() =>
          bench.compute(() => mixedByFormula(graph, inputs, weights, around)),
        );
        const run = () => runMixedCell(graph, inputs, leavingOf(graph, weights), around);
        expectClose(
          fused.withoutKernels(() => bench.compute(run)),
          formula,
        );
        expectClose(bench.compute(run), formula);
        bench.free();
      });
    },
  );
});
