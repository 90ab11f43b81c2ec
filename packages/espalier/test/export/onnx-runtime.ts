import { fromTypedArray, type nn, noGrad, observeOperators, scope, Tensor } from '@espalier/torch';
import * as ort from 'onnxruntime-web';
import { expect } from 'vitest';
import { exportOnnx } from '../../src/export/onnx.js';
import type { InputShape } from '../../src/space/space.js';

ort.env.wasm.numThreads = 1;

/** The greatest difference of logits, of the greatest of them where that is above 1. */
const AGREEMENT = 1e-4;

/** Images of values that do not repeat within any of the tests' sizes, each brighter than the one before. */
function images(count: number, { channels, height, width }: InputShape): Float32Array {
  const each = channels * height * width;
  return Float32Array.from(
    { length: count * each },
    (_, index) => Math.sin(index * index * 0.37 + index) + 0.5 * Math.floor(index / each),
  );
}

/**
 * Gives batch norms the statistics of their inputs, and scales and shifts that are not 1 and 0. A fresh network shrinks
 * an image so much that its logits are the classifier's bias.
 */
export function calibrate(network: nn.Layer, shape: InputShape): void {
  for (const [name, value] of network.stateDict())
    if (value.shape.length === 1 && /weight$|bias$/.test(name))
      noGrad(() => (name.endsWith('weight') ? value.uniform_(0.5, 1.5) : value.uniform_(-0.5, 0.5)));
  network.train();
  let measures = false;
  scope(() =>
    noGrad(() =>
      observeOperators(
        ({ name }, args) => {
          if (name !== 'aten::batch_norm' || measures) return;
          measures = true;
          const [input, mean, variance] = [args[0], args[3], args[4]].map(
            (handle) => new Tensor(handle as number),
          );
          const means = input!.mean([0, 2, 3]);
          mean!.copy_(means);
          const squares = input!.square().mean([0, 2, 3]);
          // At least a tenth of the squares: to divide by less would make rounding errors greater than what is tested.
          variance!.copy_(squares.sub(means.square()).add(squares.mul(0.1)).add(1e-3));
          measures = false;
        },
        () =>
          network.forward(fromTypedArray(images(4, shape), [4, shape.channels, shape.height, shape.width])),
      ),
    ),
  );
  network.eval();
}

/** That ONNX Runtime and libtorch compute the same of one image and of three. */
export async function expectAgreement(network: nn.Layer, shape: InputShape): Promise<void> {
  network.eval();
  const session = await ort.InferenceSession.create(exportOnnx(network, shape), {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
  });
  try {
    for (const count of [1, 3]) {
      const values = images(count, shape);
      const sizes = [count, shape.channels, shape.height, shape.width];
      const { logits } = await session.run({ image: new ort.Tensor('float32', values, sizes) });
      const ours = scope(() =>
        noGrad(() => {
          const result = network.forward(fromTypedArray(values, sizes));
          return { shape: result.shape, values: result.toNumbers() };
        }),
      );
      expect(logits!.dims).toEqual(ours.shape);
      const theirs = Array.from(logits!.data as Float32Array);
      const difference = Math.max(...ours.values.map((value, index) => Math.abs(value - theirs[index]!)));
      const scale = Math.max(1, ...ours.values.map(Math.abs));
      expect(difference).toBeLessThan(AGREEMENT * scale);
      // Were all images alike to the network, the agreement would be that of constants.
      if (count === 3) {
        const each = ours.values.length / count;
        const spread = ours.values
          .slice(0, each)
          .map((value, index) => Math.abs(value - ours.values[each + index]!));
        expect(Math.max(...spread)).toBeGreaterThan(100 * AGREEMENT * scale);
      }
    }
  } finally {
    await session.release();
  }
}
