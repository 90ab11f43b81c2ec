import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  dropout,
  fromTypedArray,
  manualSeed,
  nn,
  noGrad,
  saveTensors,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportPytorch } from '../../src/export/pytorch.js';
import { pytorchOperators } from '../../src/export/pytorch-operators.js';
import { InputError } from '../../src/input-error.js';
import { images as imageNetworks } from '../../src/network-kinds/images.js';
import { tokens as languageModels } from '../../src/network-kinds/tokens.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { LanguageModel } from '../../src/networks/language-model.js';
import type { Network } from '../../src/networks/network.js';
import { LAYER_TYPES } from '../../src/networks/zoph-cnn/architecture.js';
import { Random } from '../../src/random/random.js';
import { type InputShape, Space } from '../../src/space/space.js';
import { spaces } from '../../src/spaces/space-names.js';
import {
  AGREEMENT,
  calibrate,
  images,
  scaleOf,
  strengthen,
  tokensAt,
  traceOfImages,
  traceOfTokens,
} from './agreement.js';
import { bodies, layers, Made, models, shape, wave } from './operator-cases.js';

setThreads(1);

/** A Python that has PyTorch; started in a folder that holds nothing called torch. */
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import torch; torch.nn'], { cwd: tmpdir() }).status === 0,
);

/** The program of a network of images, or of a language model. */
function programOf(title: string, network: Network | LanguageModel, image?: InputShape): string {
  return network instanceof LanguageModel
    ? exportPytorch(title, network, traceOfTokens(network), languageModels.program)
    : exportPytorch(title, network, traceOfImages(network, image as InputShape), imageNetworks.program);
}

interface Case {
  readonly name: string;
  readonly build: () => readonly [Network, InputShape] | readonly [LanguageModel];
}

const small: readonly [space: string, options: object, image?: InputShape][] = [
  [
    'zoph-cnn',
    { layers: 5, filters: [2, 3], strides: [1, 2] },
    { channels: 3, height: 17, width: 20, classes: 4 },
  ],
  [
    'zoph-cnn',
    { layers: 8, layerTypes: LAYER_TYPES, filters: [2, 3] },
    { channels: 3, height: 17, width: 20, classes: 4 },
  ],
  ['darts-cnn', { channels: 4, layers: 5 }, { channels: 3, height: 17, width: 20, classes: 4 }],
  [
    'darts-cnn',
    { channels: 4, layers: 5, auxiliary: true },
    { channels: 3, height: 32, width: 32, classes: 4 },
  ],
  [
    'darts-cnn',
    { channels: 4, layers: 3, layout: 'imagenet', none: true },
    { channels: 3, height: 33, width: 32, classes: 4 },
  ],
  ['nasnet', { channels: 4, cells: 1, dropout: 0.5 }, { channels: 3, height: 17, width: 20, classes: 4 }],
  [
    'nasnet',
    { channels: 8, cells: 1, layout: 'imagenet' },
    { channels: 3, height: 33, width: 32, classes: 4 },
  ],
  ['nasbench201', { channels: 4, cells: 1 }, { channels: 3, height: 16, width: 12, classes: 4 }],
  [
    'auto-deeplab',
    { filterMultiplier: 2, layers: 5, blocks: 3 },
    { channels: 3, height: 33, width: 28, classes: 4 },
  ],
  ['darts-rnn', { hidden: 5 }],
  ['zoph-rnn', { hidden: 5 }],
  ['zoph-rnn', { hidden: 4, base: 3, maxAndSin: true, layers: 2, tied: false }],
];

const fromSpaces = small.flatMap(([spaceName, options, image]) =>
  [1, 2].map((seed): Case & { space: string } => ({
    space: spaceName,
    name: `${spaceName} ${JSON.stringify(options)}, architecture ${seed}`,
    build: () => {
      const space = Space.configure(spaces.get(spaceName)!, options);
      const architecture = space.decode(space.sample(Random.of(seed, 'architecture')));
      manualSeed(1);
      if (image === undefined) {
        const model = buildLanguageModel(space, architecture, { vocabulary: 11 });
        strengthen(model);
        return [model];
      }
      const network = buildNetwork(space, architecture, image);
      calibrate(network, image);
      return [network, image];
    },
  })),
);

class Block extends nn.Layer {
  readonly conv: nn.Conv2d;
  readonly act = new nn.Identity();
  constructor(inputs: number, outputs: number) {
    super();
    this.conv = new nn.Conv2d(inputs, outputs, 1);
  }
  forward(input: Tensor): Tensor {
    return this.act.forward(this.conv.forward(input)).tanh();
  }
}

class Repeating extends nn.Layer {
  readonly block = new Block(4, 4);
  readonly half = new nn.Sequential(new nn.Identity(), new nn.Sigmoid(), new nn.Identity(), new Block(4, 4));
  readonly class = new nn.BatchNorm2d(4);
  forward(image: Tensor): Tensor {
    const first = this.block.forward(this.block.forward(image));
    const second = this.half.forward(this.class.forward(first));
    return this.block
      .forward(second)
      .add(this.class.forward(second))
      .add_(tensor([1, 2, 3, 4, 5, 6, 7]));
  }
}

class Tied extends nn.Layer {
  readonly first = new nn.Linear(7, 7);
  readonly again = this.first;
  readonly last = new nn.Linear(7, 7, { bias: false });
  readonly $scale = wave(1);
  readonly unused = new nn.Sequential(new nn.ReLU(), new nn.Conv2d(3, 5, 1, { bias: false }));
  constructor() {
    super();
    Reflect.set(this.last, 'weight', this.first.weight);
  }
  forward(image: Tensor): Tensor {
    return this.last.forward(this.again.forward(image)).mul(this.$scale).add(this.first.bias!);
  }
}

class Pair extends nn.Module {
  readonly blocks = [new Block(4, 4), new Block(4, 2)] as const;
  readonly shift = wave(7);
}

class Holding extends nn.Layer {
  readonly pair = new Pair();
  forward(image: Tensor): Tensor {
    const [first, second] = this.pair.blocks;
    return second.forward(first.forward(image).add(this.pair.shift));
  }
}

const ownNetworks: readonly Case[] = [
  { name: 'a module called again, in other ways', build: () => [new Repeating(), shape] },
  { name: 'tied weights, and some that nothing reads', build: () => [new Tied(), shape] },
  { name: 'modules within one that cannot be called', build: () => [new Holding(), shape] },
  {
    name: 'a sequence',
    build: () => [new nn.Sequential(new nn.Conv2d(4, 2, 3), new nn.Identity(), new nn.ReLU()), shape],
  },
  { name: 'one layer', build: () => [new nn.Conv2d(4, 2, 3, { groups: 2 }), shape] },
];

const ofOperators = [
  ...bodies.map(([operator, ...made]) => ({
    operator,
    made: made.map((body) => () => [new Made(body), shape] as const),
  })),
  ...layers.map(([operator, ...made]) => ({
    operator,
    made: made.map((make) => () => [make(), shape] as const),
  })),
  ...models.map(([operator, ...made]) => ({ operator, made: made.map((make) => () => [make()] as const) })),
].flatMap(({ operator, made }) =>
  made.map((build, index): Case & { operator: string } => ({
    operator,
    name: `${operator}, ${index + 1}`,
    build,
  })),
);

/** The exporter's other operators: those in place, and one that is not exported to ONNX. */
const further: readonly (Case & { operator: string })[] = (
  [
    ['add_', (x) => x.mul(2).add_(x, { alpha: 0.5 })],
    ['cumsum', (x) => x.cumsum(1)],
    ['div_', (x) => x.mul(2).div_(4)],
    ['mul_', (x) => x.add(2).mul_(x)],
    ['relu_', (x) => x.mul(2).relu_()],
    ['sub_', (x) => x.mul(2).sub_(x)],
  ] as readonly [string, (x: Tensor) => Tensor][]
).map(([operator, body]) => ({ operator, name: operator, build: () => [new Made(body), shape] }));

interface Ran {
  readonly results: readonly { readonly shape: readonly number[]; readonly values: readonly number[] }[];
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly parameters: number;
  readonly withoutGradient: readonly string[];
  readonly counted: readonly number[];
}

describe.skipIf(python === undefined)(
  'an exported program in PyTorch (skipped where no python3 has torch)',
  () => {
    const cases: readonly Case[] = [...fromSpaces, ...ownNetworks, ...ofOperators, ...further];
    const expected = new Map<string, Omit<Ran, 'counted' | 'withoutGradient'>>();
    const folder = mkdtempSync(join(tmpdir(), 'espalier-pytorch-'));
    let ran: Readonly<Record<string, Ran>> = {};
    const nameOf = (tested: Case) => `case_${cases.indexOf(tested)}`;

    beforeAll(() => {
      mkdirSync(folder, { recursive: true });
      for (const tested of cases) expected.set(nameOf(tested), write(tested));
      const script = fileURLToPath(new URL('./run-exported.py', import.meta.url));
      const { status, stdout, stderr } = spawnSync(python as string, [script, folder, ...cases.map(nameOf)], {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      if (status !== 0) throw new Error(stderr);
      ran = JSON.parse(stdout);
    }, 120_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    /** Writes a program with what it is to read. @returns what our network makes of it */
    function write(tested: Case): Omit<Ran, 'counted' | 'withoutGradient'> {
      const exported = tested.build();
      const [network, image] = exported;
      network.eval();
      const path = join(folder, nameOf(tested));
      writeFileSync(`${path}.py`, programOf(tested.name, network, image));
      saveTensors(`${path}.safetensors`, network.stateDict());
      const results = scope(() =>
        noGrad(() => {
          const given =
            network instanceof LanguageModel
              ? fromTypedArray(
                  BigInt64Array.from([0, 1, 2, 3].flatMap((time) => tokensAt(time, 3, network.vocabulary))),
                  [4, 3],
                )
              : fromTypedArray(images(3, image!), [3, image!.channels, image!.height, image!.width]);
          saveTensors(`${path}.input.safetensors`, new Map([['input', given]]));
          if (!(network instanceof LanguageModel)) return [read(network.forward(given))];
          const { logits, state } = network.forward(given, network.initialState(3));
          return [logits.logSoftmax(-1), ...state].map(read);
        }),
      );
      const state = Object.fromEntries([...network.stateDict()].map(([name, value]) => [name, value.shape]));
      const parameters = network.parameters().length;
      network.free();
      return { results, state, parameters };
    }

    const read = (result: Tensor) => ({ shape: result.shape, values: result.toNumbers() });

    function expectEqual(tested: Case): Ran {
      const theirs = ran[nameOf(tested)] as Ran;
      const ours = expected.get(nameOf(tested))!;
      expect(theirs.state).toEqual(ours.state);
      expect(theirs.parameters).toBe(ours.parameters);
      expect(theirs.results.map((result) => result.shape)).toEqual(
        ours.results.map((result) => result.shape),
      );
      for (const [index, { values }] of ours.results.entries()) {
        const found = theirs.results[index]!.values;
        const difference = Math.max(...values.map((value, place) => Math.abs(value - found[place]!)));
        expect(difference).toBeLessThan(AGREEMENT * scaleOf(values));
      }
      return theirs;
    }

    it.each(fromSpaces)('has the same state and results as our network, and trains: $name', (tested) => {
      const { withoutGradient, counted } = expectEqual(tested);
      expect(withoutGradient.filter((name) => !name.startsWith('auxiliary_head.'))).toEqual([]);
      // Every batch norm has counted one batch in training; those of the auxiliary head have read none.
      expect(counted.filter((count) => count !== 1)).toEqual(tested.name.includes('auxiliary') ? [0] : []);
    });

    it('of all spaces', () => {
      const tested = new Set(fromSpaces.map(({ space }) => space));
      expect([...spaces.keys()].filter((name) => !tested.has(name))).toEqual([]);
    });

    it.each(ownNetworks)("of a user's network: $name", (tested) => {
      expectEqual(tested);
    });

    it.each([...ofOperators, ...further])('does what libtorch does: $name', (tested) => {
      expectEqual(tested);
    });

    it('and all operators that can be exported were tested', () => {
      const tested = new Set([...ofOperators, ...further].map(({ operator }) => operator));
      expect([...pytorchOperators.keys()].filter((operator) => !tested.has(operator))).toEqual([]);
    });
  },
);

describe('a program', () => {
  const network = () =>
    new nn.Sequential(new Block(4, 3), new Block(3, 2), new nn.ReLU(), new nn.BatchNorm2d(2));

  it('has one class for modules that differ only in sizes, and uses PyTorch layers', () => {
    const code = programOf('Two blocks', network(), shape);
    expect(code).toMatch(/^"""Two blocks\. Exported by Espalier /);
    expect(code).toContain(`
class Block(nn.Module):
    """0, 1"""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, stride=1, padding=0)

    def forward(self, x):
        conv = self.conv(x)
        return conv.tanh()


class Network(nn.Sequential):
    """Images [N, 4, 5, 7] to the logits [N, 2, 5, 7]."""

    def __init__(self):
        super().__init__(
            Block(4, 3),
            Block(3, 2),
            nn.ReLU(),
            nn.BatchNorm2d(2),
        )


def read_safetensors(path):
`);
  });

  it('says what the training kept, as Python writes it', () => {
    const made = network();
    const code = exportPytorch('Kept', made, traceOfImages(made, shape), imageNetworks.program, {
      classes: ['a "b"', 'ü'],
      mean: [0.5, 1e-7],
      resized: true,
      other: { none: null, no: false },
    });
    made.free();
    expect(code).toContain(`
METADATA = {
    "classes": ["a \\"b\\"", "ü"],
    "mean": [0.5, 1e-7],
    "resized": True,
    "other": {"none": None, "no": False},
}
`);
  });

  it('is the same for the same network, and leaves the network unchanged', () => {
    const made = network();
    expect(programOf('Same', made, shape)).toBe(programOf('Same', made, shape));
    expect(made.training).toBe(true);
    made.free();
  });

  it('drops in training wherever the network drops', () => {
    const dropping = new nn.Sequential(new nn.Dropout(0.25), new Made((x) => dropout(x.relu(), 0.5, false)));
    const code = programOf('Dropping', dropping, shape);
    expect(code).toContain('nn.Dropout(0.25)');
    expect(code).toContain('F.dropout(relu, 0.5, self.training)');
  });

  it.each<[what: string, body: (image: Tensor) => Tensor, message: string]>([
    [
      'an operator without a row',
      (x) => x.relu().roll([1], [2]),
      'export to PyTorch: aten::roll, call 2 of the network, with the result [1,4,5,7]: no such operator here; allowed: _to_copy, abs,',
    ],
    [
      'a number made of the size of the batch',
      (x) => x.mul(x.shape[0]! + 1),
      'aten::mul, call 1 of the network, with the result [1,4,5,7]: its argument 1 depends on the size of the batch',
    ],
    [
      'other operators for another batch',
      (x) => (x.shape[0] === 1 ? x : x.relu()),
      'calls other operators for another batch',
    ],
    [
      'dropout that goes on',
      (x) => dropout(x, 0.5, true),
      'it drops values though the network is not training',
    ],
    ['a constant that is changed', (x) => x.add(tensor([1]).add_(1)), 'it changes a constant'],
  ])('rejects %s', (_, body, message) => {
    const exported = () => programOf('Wrong', new Made(body), shape);
    expect(exported).toThrow(InputError);
    expect(exported).toThrow(message);
  });
});
