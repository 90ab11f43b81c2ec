import { dropout, embedding, nn, setThreads, type Tensor, tensor, upsampleBilinear2d } from '@espalier/torch';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../../src/export/onnx.js';
import { onnxOperators } from '../../src/export/onnx-operators.js';
import { InputError } from '../../src/input-error.js';
import { traceOfImages } from './agreement.js';
import { expectAgreement, expectTokenAgreement } from './onnx-runtime.js';
import { bodies, layers, Made, models, shape, WithWeights, wave } from './operator-cases.js';

setThreads(1);

describe('an operator in ONNX Runtime does what libtorch does', () => {
  it.each(bodies)('%s', async (_, ...made) => {
    for (const body of made) await expectAgreement(new Made(body), shape);
  });

  it.each(layers)('%s, with weights', async (_, ...made) => {
    for (const make of made) {
      const network = make();
      for (const [name, value] of network.stateDict())
        if (name.includes('running'))
          value.copy_(
            value
              .mul(0)
              .add(wave(...value.shape))
              .square()
              .add(0.5),
          );
      await expectAgreement(network, shape);
      network.free();
    }
  });

  it.each(models)('%s, on tokens', async (_, ...made) => {
    for (const make of made) {
      const model = make();
      await expectTokenAgreement(model);
      model.free();
    }
  });

  it('and all that can be exported were tested', () => {
    const tested = new Set([...bodies, ...layers, ...models].map(([operator]) => operator));
    expect([...onnxOperators.keys()].filter((operator) => !tested.has(operator))).toEqual([]);
  });
});

describe('an exported file', () => {
  it('says what the training kept in its metadata, texts as they are and the rest as JSON', () => {
    const network = new nn.Sequential(new nn.Flatten(), new nn.Linear(140, 2));
    const trace = traceOfImages(network, shape);
    const bytes = Buffer.from(exportOnnx(network, trace, { task: 'ants', classes: ['a', 'b'] }));
    network.free();
    const entry = (key: string, value: string) => {
      const text = [0x0a, key.length, ...Buffer.from(key), 0x12, value.length, ...Buffer.from(value)];
      // metadata_props { key, value } of ModelProto.
      return Buffer.from([0x72, text.length, ...text]);
    };
    expect(bytes.includes(Buffer.concat([entry('task', 'ants'), entry('classes', '["a","b"]')]))).toBe(true);
  });

  it('is of operator set 17, takes any number of images, and says so', async () => {
    const network = new nn.Sequential(new nn.Flatten(), new nn.Linear(140, 2));
    const bytes = exportOnnx(network, traceOfImages(network, shape));
    // opset_import { domain: "", version: 17 } of ModelProto.
    expect(Buffer.from(bytes).includes(Buffer.from([0x42, 4, 0x0a, 0, 0x10, 17]))).toBe(true);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    const described = [...session.inputMetadata, ...session.outputMetadata];
    expect(described).toMatchObject([
      { name: 'image', type: 'float32', shape: ['batch', 4, 5, 7] },
      { name: 'logits', type: 'float32', shape: ['batch', 2] },
    ]);
    await session.release();
    network.free();
  });

  it('stores a weight once if it is used twice, whatever its name', async () => {
    const network = new WithWeights({ image: wave(7, 7), logits: wave(7) }, (x, { image, logits }) =>
      x.matmul(image!).add(logits!).matmul(image!),
    );
    await expectAgreement(network, shape);
    expect(exportOnnx(network, traceOfImages(network, shape)).length).toBeLessThan(2 * 7 * 7 * 4 + 400);
    network.free();
  });

  it('is the same for the same network, and leaves the network unchanged', () => {
    const network = new nn.Sequential(new nn.Conv2d(4, 2, 3), new nn.BatchNorm2d(2));
    expect(exportOnnx(network, traceOfImages(network, shape))).toEqual(
      exportOnnx(network, traceOfImages(network, shape)),
    );
    expect(network.training).toBe(true);
    network.free();
  });
});

describe('an export fails with a message that names', () => {
  const none = (body: (image: Tensor) => Tensor) => () => {
    const network = new Made(body);
    return exportOnnx(network, traceOfImages(network, shape));
  };

  it.each<[what: string, body: (image: Tensor) => Tensor, message: string]>([
    [
      'an operator without a row',
      (x) => x.relu().cumsum(1),
      'export to ONNX: aten::cumsum, call 2 of the network, with the result [1,4,5,7]: no such operator here; allowed: _to_copy, abs,',
    ],
    [
      'an argument that has no equivalent',
      (x) => x.softplus(2),
      'aten::softplus, call 1 of the network, with the result [1,4,5,7]: its argument 1 (2) has no equivalent',
    ],
    [
      'a number made of the number of images',
      (x) => x.mul(x.shape[0]! + 1),
      'aten::mul, call 1 of the network, with the result [1,4,5,7]: its argument 1 depends on the size of the batch',
    ],
    [
      'a tensor made of it',
      (x) => x.add(tensor([[[[x.shape[0]!]]]])),
      'its argument 1 depends on the size of the batch',
    ],
    [
      'other operators for another number of images',
      (x) => (x.shape[0] === 1 ? x : x.relu()),
      'calls other operators for another batch',
    ],
    [
      'repetition as often as there are images',
      (x) => x.mean(0, true).expand(x.shape),
      'it repeats dimension 0 as often as the batch is large',
    ],
    [
      'dropout that goes on',
      (x) => dropout(x, 0.5, true),
      'it drops values though the network is not training',
    ],
    [
      'another element type',
      (x) => x.to({ dtype: 'float64' }).mul(2),
      'it converts to another element type; allowed: bool, int64, float32',
    ],
    [
      'a row of a table at constant places',
      (x) => x.add(embedding(wave(5, 7), tensor([1, 0, 4, 2, 2], 'int64'))),
      'its indices are constants or parameters, which the file stores as float32; allowed: indices from the input',
    ],
    [
      'a scale that gives no whole size',
      (x) => upsampleBilinear2d(x, undefined, false, [1.5, 1]),
      'scale factors 1.5 and 1 do not take 5x7 to a whole number of pixels',
    ],
    [
      'work in place on a part',
      (x) => {
        const copy = x.clone();
        copy.slice(1, 1).relu_();
        return copy;
      },
      'aten::relu_, call 3 of the network, with the result [1,3,5,7]: it works in place on a tensor that shares its memory with another; allowed: relu',
    ],
    [
      'work in place on what a part was taken of',
      (x) => {
        const copy = x.clone();
        const part = copy.slice(1, 1);
        copy.relu_();
        return part;
      },
      'it works in place on a tensor that shares its memory',
    ],
  ])('%s', (_, body, message) => {
    expect(none(body)).toThrow(InputError);
    expect(none(body)).toThrow(message);
  });

  it('batch norm without running statistics', () => {
    const network = new nn.BatchNorm2d(4, { trackRunningStats: false });
    expect(() => exportOnnx(network, traceOfImages(network, shape))).toThrow(
      'batch norm without running statistics',
    );
    network.free();
  });

  it('a network that changes its weights', () => {
    const network = new WithWeights({ w: wave(7) }, (x, { w }) => x.add(w!.mul_(2)));
    expect(() => exportOnnx(network, traceOfImages(network, shape))).toThrow(
      'it changes w; allowed: to change results',
    );
    network.free();
  });
});
