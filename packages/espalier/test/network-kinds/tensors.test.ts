import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fromTypedArray,
  liveTensors,
  manualSeed,
  nn,
  noGrad,
  saveTensors,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../../src/export/onnx.js';
import { exportPytorch } from '../../src/export/pytorch.js';
import { InputError } from '../../src/input-error.js';
import { images } from '../../src/network-kinds/images.js';
import { tokens } from '../../src/network-kinds/tokens.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { drawArchitecture } from '../../src/reports/draw-network.js';
import { choose } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { perceptrons, rows, rowsOf } from './own-kind.js';

setThreads(1);
ort.env.wasm.numThreads = 1;

const input = { features: 3 };
const VALUES = [0.5, -1, 2, 1.5, 0.25, -3];

/** A network of the kind, the same at each call. */
function build(): nn.Layer {
  manualSeed(1);
  return rows.build(perceptrons, { width: 4 }, input);
}

const traceOf = (network: nn.Layer) => (batch: number) => rows.trace(network, input, batch);

describe('a kind of networks of one’s own', () => {
  it('builds the network of an architecture for its input', () => {
    const network = rows.build(perceptrons, { width: 6 }, { features: 5 });
    expect(network.parameterCount()).toBe(5 * 6 + 6 + 6 * 2 + 2);
    network.free();
  });

  it('refuses a space without networks, of another kind, and whose network is no layer', () => {
    const spaceOf = (more: object) =>
      Space.configure(
        defineSpace({
          name: 'mine',
          reads: 'rows',
          *choices() {
            return { width: yield* choose('width', [4]) };
          },
          ...more,
        }),
      );
    for (const [space, message] of [
      [spaceOf({}), 'space mine has no network(architecture, input): it can be counted, not trained'],
      [Space.configure(zophCnn), 'space zoph-cnn: its networks read images; needed here: rows'],
      [
        spaceOf({ network: () => 'a network' }),
        'space mine: network() returns [object String]; allowed: an nn.Layer from [N, features] to [N, 2]',
      ],
    ] as const)
      expect(() => rows.build(space as Space, { width: 4 }, input)).toThrow(new InputError(message));
    expect(() => images.build(perceptrons, { width: 4 }, images.usualInput(perceptrons))).toThrow(
      'space perceptrons: its networks read rows; needed here: images',
    );
    expect(() => rows.buildSupernet(perceptrons, input)).toThrow(
      'space perceptrons has no supernet: its architectures share no weights',
    );
  });

  it('builds the supernet of a space, and refuses what shares no weights', () => {
    class Shared extends nn.Linear {
      architectureParameters() {
        return {};
      }
    }
    const spaceOf = (supernet: () => unknown) =>
      Space.configure(
        defineSpace({
          name: 'mine',
          reads: 'rows',
          *choices() {
            return { width: yield* choose('width', [4]) };
          },
          supernet: ({ features }: { features: number }) => (features === 3 ? supernet() : undefined),
        } as never),
      );
    const made = rows.buildSupernet(
      spaceOf(() => new Shared(3, 2)),
      input,
    );
    expect(made).toBeInstanceOf(Shared);
    made.free();
    expect(() =>
      rows.buildSupernet(
        spaceOf(() => new nn.Linear(3, 2)),
        input,
      ),
    ).toThrow('space mine: supernet() returns no nn.Layer with architectureParameters()');
  });

  it('describes its input and its batches by the names that it has', () => {
    expect(rows.describeInput(input)).toBe('row (3)');
    expect(rowsOf({ shape: () => [2, 5] }).describeInput(input)).toBe('row (2 x 5)');
    expect([rows.describeBatch(1), rows.describeBatch(16)]).toEqual(['row', 'rows']);
    expect(rows.usualInput(perceptrons)).toEqual({ features: 3 });
    expect(rows.batchDimensions).toBe(1);
  });

  it('has no options and no flags unless it names some', () => {
    const plain = rowsOf({ inputOptions: undefined } as never);
    expect(plain.inputOptions.safeParse({}).success).toBe(true);
    expect(plain.inputOptions.safeParse({ features: 4 }).success).toBe(false);
    expect(plain.flags).toEqual({});
  });

  it('traces what a network does with a batch of zeros as it evaluates, and leaves it as it was', () => {
    const network = build();
    const live = liveTensors();
    const { inputs, calls, outputs } = rows.trace(network, input, 5);
    expect(inputs).toEqual({ row: { dtype: 'float32', shape: [5, 3] } });
    const operators = calls.map(({ operator, module, shapes }) => [operator, module, ...shapes]);
    expect(operators).toEqual([
      ['aten::linear', 'hidden', [5, 4]],
      ['aten::tanh', '', [5, 4]],
      // Drops nothing in evaluation.
      ['aten::dropout', 'dropout', [5, 4]],
      ['aten::linear', 'output', [5, 2]],
    ]);
    expect(outputs).toEqual({ prediction: { from: 'call', call: 3, result: 0 } });
    expect(rows.trace(network, input).inputs.row?.shape).toEqual([1, 3]);
    expect(multiplyAdds(rows.trace(network, input).calls)).toBe(3 * 4 + 4 * 2);
    expect(network.training).toBe(true);
    expect(liveTensors()).toBe(live);
    network.free();
  });

  it('is drawn layer by layer, from its input on', () => {
    const svg = drawArchitecture(perceptrons, { width: 4 }, rows, input, 'A perceptron') as string;
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(texts).toEqual(expect.arrayContaining(['row', 'linear, 4 outputs', 'linear, 2 outputs']));
    expect(svg).toContain('A perceptron');
  });

  it('is exported to ONNX under its names, for any number of rows, and computes the same there', async () => {
    const network = build().eval();
    const bytes = exportOnnx(network, traceOf(network));
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    expect([...session.inputMetadata, ...session.outputMetadata]).toMatchObject([
      { name: 'row', type: 'float32', shape: ['batch', 3] },
      { name: 'prediction', type: 'float32', shape: ['batch', 2] },
    ]);
    for (const count of [1, 2]) {
      const given = Float32Array.from(VALUES.slice(0, 3 * count));
      const { prediction } = await session.run({ row: new ort.Tensor('float32', given, [count, 3]) });
      const ours = scope(() => noGrad(() => network.forward(fromTypedArray(given, [count, 3])).toNumbers()));
      expect(prediction!.dims).toEqual([count, 2]);
      for (const [place, value] of ours.entries()) expect(prediction!.data[place]).toBeCloseTo(value, 5);
    }
    await session.release();
    network.free();
  });

  const program = (network: nn.Layer) =>
    exportPytorch('A perceptron', network, traceOf(network), rows.program);

  it('is exported to a PyTorch program that speaks of rows', () => {
    const network = build();
    const text = program(network);
    expect(text).toMatch(/^"""A perceptron\. Exported by Espalier /);
    expect(text).toContain('    prediction = network(rows)  # [N, 3] to the prediction [N, 2]\n');
    expect(text).toContain(`class Network(nn.Module):
    """Rows [N, 3] to the prediction [N, 2]."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 4)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(4, 2)
`);
    expect(text).toContain(`    rows = torch.zeros(1, 3)
    print(f'{list(rows.shape)} to {list(network(rows).shape)}')
`);
    network.free();
  });

  /** A Python that has PyTorch; started in a folder that holds nothing called torch. */
  const python = ['python3', '/usr/bin/python3'].find(
    (command) => spawnSync(command, ['-c', 'import torch; torch.nn'], { cwd: tmpdir() }).status === 0,
  );

  it.skipIf(python === undefined)('and the program runs (skipped where no python3 has torch)', () => {
    const network = build();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'perceptron.py'), program(network));
    saveTensors(join(folder, 'perceptron.safetensors'), network.stateDict());
    const script = `import runpy, torch, perceptron
print(perceptron.load()(torch.tensor(${JSON.stringify([VALUES.slice(0, 3), VALUES.slice(3)])})).flatten().tolist())
runpy.run_path('perceptron.py', run_name='__main__')`;
    const ran = spawnSync(python as string, ['-c', script], { cwd: folder, encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    const [results, ...main] = ran.stdout.split('\n');
    const ours = scope(() =>
      noGrad(() =>
        network
          .eval()
          .forward(tensor([VALUES.slice(0, 3), VALUES.slice(3)]))
          .toNumbers(),
      ),
    );
    expect(JSON.parse(results as string)).toEqual(ours.map((value) => expect.closeTo(value, 5)));
    expect(main).toEqual(['26 parameters', '[1, 3] to [1, 2]', '']);
    network.free();
  });
});

/** Gives its bias alone, whatever it reads: a batch of [1, -3]. */
function constant(): nn.Layer {
  const network = new nn.Linear(3, 2);
  noGrad(() => {
    network.weight.zero_();
    network.bias!.copy_(tensor([1, -3]));
  });
  return network;
}

describe('a training step of a kind on random data', () => {
  it('has the mean square of what the network gives as its loss by default', () => {
    const network = constant();
    const step = rows.trainingStep(network, input, 4);
    expect(step.network).toBe(network);
    expect(scope(() => step.loss().item())).toBe((1 + 9) / 2);
    step.free();
    network.free();
  });

  it('has the loss that the kind makes of the shape of the output and the input, and frees what that holds', () => {
    const seen: unknown[] = [];
    let freed = 0;
    const own = rowsOf({
      randomLoss: (output, of) => {
        seen.push([output, of]);
        return { loss: (given: Tensor) => given.abs().amax(), free: () => freed++ };
      },
    });
    const network = constant();
    const step = own.trainingStep(network, input, 4);
    expect(seen).toEqual([[[4, 2], input]]);
    expect(scope(() => step.loss().item())).toBe(3);
    expect(freed).toBe(0);
    step.free();
    expect(freed).toBe(1);
    network.free();
  });

  it('reads the same batch of random rows at each call, and leaves no tensor behind', () => {
    const network = build().eval();
    const before = liveTensors();
    const step = rows.trainingStep(network, input, 4);
    const losses = [1, 2].map(() => scope(() => step.loss().item()));
    expect(losses[0]).toBe(losses[1]);
    expect(losses[0]).toBeGreaterThan(0);
    step.free();
    expect(liveTensors()).toBe(before);
    network.free();
  });
});

describe('the kinds in the box', () => {
  it.each([
    ['images', images],
    ['tokens', tokens],
    ['rows', rows],
  ] as const)('%s: have flags that set options of their input, each with a description', (reads, kind) => {
    expect(kind.reads).toBe(reads);
    const { shape } = kind.inputOptions;
    for (const key of Object.values(kind.flags).flat()) expect(Object.keys(shape)).toContain(key);
    for (const [key, option] of Object.entries(shape)) {
      expect((option as { description?: string }).description, key).toMatch(/\S/);
      expect(kind.inputOptions.safeParse({ [key]: 7 }).success, key).toBe(true);
      expect(kind.inputOptions.safeParse({ [key]: 0 }).success, key).toBe(false);
    }
    expect(kind.inputOptions.safeParse({ colour: 1 }).success).toBe(false);
  });
});
