import { scope, type Tensor } from '@espalier/torch';
import type { Block } from '../../src/networks/auto-deeplab/architecture.js';
import { OPERATIONS, type OperationName } from '../../src/networks/auto-deeplab/operations.js';
import type { AutoDeepLabChoices } from '../../src/supernets/auto-deeplab.js';

/** A map of one image: [channel][row][column]. */
export type Map3 = number[][][];

/** The values of a network's state by name, in storage order. */
type State = (name: string) => { readonly values: readonly number[]; readonly shape: readonly number[] };

/** The weight of each path and operation in a supernet, or the single path and operation that runs. */
export type Weighting =
  | {
      /** Of one cell, or layer after layer. */
      readonly alphas: readonly number[][];
      readonly betas: readonly (readonly number[][])[];
    }
  | { readonly cell: readonly Block[]; readonly path: readonly number[] };

const EPSILON = 1e-3;
const HEAD_EPSILON = 1e-5;

const mapped = (map: Map3, f: (value: number, row: number, column: number, channel: number) => number) =>
  map.map((plane, c) => plane.map((line, i) => line.map((value, j) => f(value, i, j, c))));
const relu = (map: Map3) => mapped(map, (value) => Math.max(0, value));
const scaled = (map: Map3, factor: number) => mapped(map, (value) => factor * value);
const total = (maps: readonly Map3[]) =>
  maps.reduce((sum, map) => mapped(sum, (value, i, j, c) => value + map[c]![i]![j]!));
const softmax = (values: readonly number[]) => {
  const sum = values.reduce((all, value) => all + Math.exp(value), 0);
  return values.map((value) => Math.exp(value) / sum);
};

/** Bilinear, with aligned corners. */
function resized(map: Map3, height: number, width: number): Map3 {
  const weights = (from: number, to: number) =>
    Array.from({ length: to }, (_, place) => {
      const source = to === 1 ? 0 : (place * (from - 1)) / (to - 1);
      return Array.from({ length: from }, (_, pixel) => Math.max(0, 1 - Math.abs(source - pixel)));
    });
  const rows = weights(map[0]!.length, height);
  const columns = weights(map[0]![0]!.length, width);
  const weighted = (ofPixels: number[], values: number[]) =>
    values.reduce((sum, value, pixel) => sum + value * ofPixels[pixel]!, 0);
  return map.map((plane) =>
    rows.map((row) =>
      columns.map((column) =>
        weighted(
          row,
          plane.map((line) => weighted(column, line)),
        ),
      ),
    ),
  );
}

/** How often a block applies an operation to an input. */
function timesChosen([first, second, onFirst, onSecond]: Block, input: number, operation: OperationName) {
  return (
    Number(first === input && onFirst === operation) + Number(second === input && onSecond === operation)
  );
}

interface Geometry {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly depthwise?: boolean;
}

/** The auto-deeplab supernet in evaluation, in plain numbers: equation 6 node by node, with the cell computed for each transition. */
export class SupernetInNumbers {
  readonly #state: State;
  /** Height and width of the maps of each level. */
  #sizes: [number, number][] = [];

  constructor(
    state: ReadonlyMap<string, Tensor>,
    private readonly options: {
      readonly layers: number;
      readonly blocks: number;
      readonly firstLayerMayHalve: boolean;
      readonly cellPerLayer?: boolean;
    } & AutoDeepLabChoices,
  ) {
    const values = new Map(
      [...state].map(([name, tensor]) => [
        name,
        { values: scope(() => tensor.toNumbers()), shape: tensor.shape },
      ]),
    );
    this.#state = (name) => {
      const found = values.get(name);
      if (found === undefined) throw new Error(`the supernet has no ${name}`);
      return found;
    };
  }

  /** The logits of one image. */
  logits(image: Map3, weighting: Weighting): Map3 {
    const first = relu(
      this.#norm('stem.bn0', this.#conv('stem.conv0', image, { stride: 2, padding: 1 }), EPSILON),
    );
    const half = this.#norm('stem.bn1', this.#conv('stem.conv1', first, { padding: 1 }), EPSILON);
    const quarter = this.#norm(
      'stem.bn2',
      this.#conv('stem.conv2', relu(half), { stride: 2, padding: 1 }),
      EPSILON,
    );
    const [height, width] = [quarter[0]!.length, quarter[0]![0]!.length];
    this.#sizes = [1, 2, 4, 8].map((stride) => [Math.ceil(height / stride), Math.ceil(width / stride)]);
    let [before, last]: [(Map3 | undefined)[], (Map3 | undefined)[]] = [[half], [quarter]];
    for (let layer = 0; layer < this.options.layers; layer++) {
      const levels = [0, 1, 2, 3].filter(
        (level) => level <= layer + (this.options.firstLayerMayHalve ? 1 : 0),
      );
      const next = levels.map((level) => {
        const nearest = this.options.secondInput === 'nearest' ? before[before.length - 1] : undefined;
        return this.#node(layer, level, level < before.length ? before[level] : nearest, last, weighting);
      });
      [before, last] = [last, next];
    }
    const heads = last.flatMap((map, level) =>
      map === undefined ? [] : [resized(this.#head(level, map), image[0]!.length, image[0]![0]!.length)],
    );
    return total(heads);
  }

  #node(
    layer: number,
    level: number,
    before: Map3 | undefined,
    last: readonly (Map3 | undefined)[],
    weighting: Weighting,
  ): Map3 | undefined {
    if ('path' in weighting && weighting.path[layer] !== level) return undefined;
    const own = last.map((_, from) => from).filter((from) => Math.abs(from - level) <= 1);
    const values = own.flatMap((from, place) => {
      const map = last[from];
      if (map === undefined) return [];
      const value = this.#cell(
        `layers.${layer}.cells.${level}`,
        { map, from, level, place },
        before,
        weighting,
      );
      return [scaled(value, 'betas' in weighting ? this.#beta(weighting.betas, layer, from, level) : 1)];
    });
    return total(values);
  }

  #beta(betas: readonly (readonly number[][])[], layer: number, from: number, to: number): number {
    const reached = [from - 1, from, from + 1].filter(
      (level) => level >= 0 && level < 4 && !(layer === 0 && level === 1 && !this.options.firstLayerMayHalve),
    );
    if (this.options.border === 'all') return softmax(betas[layer]![from]!)[to - from + 1]!;
    return softmax(reached.map((level) => betas[layer]![from]![level - from + 1]!))[reached.indexOf(to)]!;
  }

  #cell(
    name: string,
    { map, from, level, place }: { map: Map3; from: number; level: number; place: number },
    before: Map3 | undefined,
    weighting: Weighting,
  ): Map3 {
    const [height, width] = this.#sizes[level]!;
    const read = from > level ? resized(map, height, width) : map;
    const geometry = from < level ? { stride: 2, padding: 1 } : {};
    const state = this.#norm(
      `${name}.previous.${place}.bn`,
      this.#conv(`${name}.previous.${place}.conv`, relu(read), geometry),
      EPSILON,
    );
    const other =
      before &&
      this.#norm(
        `${name}.before.bn`,
        this.#conv(`${name}.before.conv`, relu(resized(before, height, width)), {}),
        EPSILON,
      );
    const states: (Map3 | undefined)[] = [state, other];
    const edges = (this.options.blocks * (this.options.blocks + 3)) / 2;
    const ofLayer = this.options.cellPerLayer === true ? Number(name.split('.')[1]) * edges : 0;
    let edge = 0;
    for (let block = 0; block < this.options.blocks; block++) {
      const inputs = states.length;
      const terms = states.flatMap((input, index) => {
        if (input === undefined) return [];
        return OPERATIONS.flatMap((operation, k) => {
          const weight =
            'alphas' in weighting
              ? softmax(weighting.alphas[ofLayer + edge + index]!)[k]!
              : timesChosen(weighting.cell[block]!, index, operation);
          return [
            scaled(this.#operation(`${name}.edges.${edge + index}._ops.${k}`, operation, input), weight),
          ];
        });
      });
      states.push(total([scaled(state, 0), ...terms]));
      edge += inputs;
    }
    return (states.slice(2) as Map3[]).flat();
  }

  #operation(name: string, operation: OperationName, input: Map3): Map3 {
    const around = (i: number, j: number, plane: number[][]) =>
      [-1, 0, 1].flatMap((y) => [-1, 0, 1].flatMap((x) => plane[i + y]?.[j + x] ?? []));
    const pooled = (pool: (values: number[]) => number) =>
      this.#norm(
        `${name}.1`,
        mapped(input, (_, i, j, c) => pool(around(i, j, input[c]!))),
        EPSILON,
      );
    const separable = (size: number) =>
      [1, 2].reduce((map, k) => {
        const spread = this.#conv(`${name}.depthwise${k}`, relu(map), {
          padding: (size - 1) / 2,
          depthwise: true,
        });
        return this.#norm(`${name}.bn${k}`, this.#conv(`${name}.pointwise${k}`, spread, {}), EPSILON);
      }, input);
    const atrous = (size: number) =>
      this.#norm(
        `${name}.bn`,
        this.#conv(`${name}.conv`, relu(input), { padding: size - 1, dilation: 2 }),
        EPSILON,
      );
    switch (operation) {
      case 'none':
        return scaled(input, 0);
      case 'max_pool_3x3':
        return pooled((values) => Math.max(...values));
      case 'avg_pool_3x3':
        return pooled((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
      case 'skip_connect':
        return input;
      case 'sep_conv_3x3':
        return separable(3);
      case 'sep_conv_5x5':
        return separable(5);
      case 'atrous_conv_3x3':
        return atrous(3);
      case 'atrous_conv_5x5':
        return atrous(5);
    }
  }

  /** Image pooling, 1x1, 3x3 of rate 96 / stride; projection; classifier. */
  #head(level: number, map: Map3): Map3 {
    const name = `heads.${level}`;
    const input = relu(map);
    const layer = (part: string, read: Map3, geometry: Geometry) =>
      relu(
        this.#norm(
          `${name}.pyramid.${part}.bn`,
          this.#conv(`${name}.pyramid.${part}.conv`, read, geometry),
          HEAD_EPSILON,
        ),
      );
    const mean = input.map((plane) => {
      const values = plane.flat();
      return [[values.reduce((sum, value) => sum + value, 0) / values.length]];
    });
    const { imagePooling = 'norm' } = this.options;
    const pooled =
      imagePooling === 'norm'
        ? layer('pooled', mean, {})
        : imagePooling === 'plain'
          ? relu(this.#conv(`${name}.pyramid.pooled.conv`, mean, {}, `${name}.pyramid.pooled.conv.bias`))
          : [];
    const rate = 24 / 2 ** level;
    const joined = [
      ...pooled.map((plane) => input[0]!.map((line) => line.map(() => plane[0]![0]!))),
      ...layer('branches.0', input, {}),
      ...layer('branches.1', input, { padding: rate, dilation: rate }),
    ];
    return this.#conv(`${name}.classifier`, layer('projection', joined, {}), {}, `${name}.classifier.bias`);
  }

  #conv(
    name: string,
    input: Map3,
    { stride = 1, padding = 0, dilation = 1, depthwise = false }: Geometry,
    bias?: string,
  ): Map3 {
    const { values, shape } = this.#state(`${name}.weight`);
    const [outputs, inputs, size] = shape as [number, number, number];
    const reach = dilation * (size - 1) + 1;
    const length = (pixels: number) => Math.floor((pixels + 2 * padding - reach) / stride) + 1;
    const shift = bias === undefined ? undefined : this.#state(bias).values;
    return Array.from({ length: outputs }, (_, o) =>
      Array.from({ length: length(input[0]!.length) }, (_, i) =>
        Array.from({ length: length(input[0]![0]!.length) }, (_, j) => {
          let sum = shift?.[o] ?? 0;
          for (let c = 0; c < inputs; c++)
            for (let y = 0; y < size; y++)
              for (let x = 0; x < size; x++) {
                const line = input[depthwise ? o : c]![i * stride - padding + y * dilation];
                const pixel = line?.[j * stride - padding + x * dilation] ?? 0;
                sum += values[((o * inputs + c) * size + y) * size + x]! * pixel;
              }
          return sum;
        }),
      ),
    );
  }

  #norm(name: string, input: Map3, epsilon: number): Map3 {
    const mean = this.#state(`${name}.running_mean`).values;
    const variance = this.#state(`${name}.running_var`).values;
    const affine = name.startsWith('stem') || name.startsWith('heads');
    const scale = affine ? this.#state(`${name}.weight`).values : undefined;
    const shift = affine ? this.#state(`${name}.bias`).values : undefined;
    return mapped(
      input,
      (value, _, __, c) =>
        ((value - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * (scale?.[c] ?? 1) + (shift?.[c] ?? 0),
    );
  }
}
