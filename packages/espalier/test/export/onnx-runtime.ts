import { fromTypedArray, type nn, noGrad, scope, type Tensor } from '@espalier/torch';
import * as ort from 'onnxruntime-web';
import { expect } from 'vitest';
import { exportOnnx } from '../../src/export/onnx.js';
import { images as imageNetworks } from '../../src/network-kinds/images.js';
import type { Backbone } from '../../src/networks/backbone.js';
import type { LanguageModel } from '../../src/networks/language-model.js';
import type { InputShape } from '../../src/space/space.js';
import { AGREEMENT, images, scaleOf, tokensAt, traceOfImages, traceOfTokens } from './agreement.js';

ort.env.wasm.numThreads = 1;

const open = (bytes: Uint8Array) =>
  ort.InferenceSession.create(bytes, { executionProviders: ['wasm'], logSeverityLevel: 3 });

/** That values agree, as far as the rounding of float32 lets them. */
function expectClose(theirs: ort.Tensor, ours: Tensor): void {
  expect(theirs.dims).toEqual(ours.shape);
  const values = ours.toNumbers();
  const found = Array.from(theirs.data as Float32Array);
  const difference = Math.max(...values.map((value, index) => Math.abs(value - found[index]!)));
  expect(difference).toBeLessThan(AGREEMENT * scaleOf(values));
}

/** That ONNX Runtime and libtorch compute the same of one image and of three. */
export async function expectAgreement(network: nn.Layer, shape: InputShape): Promise<void> {
  network.eval();
  const session = await open(exportOnnx(network, traceOfImages(network, shape)));
  try {
    for (const count of [1, 3]) {
      const values = images(count, shape);
      const sizes = [count, shape.channels, shape.height, shape.width];
      const { logits } = await session.run({ image: new ort.Tensor('float32', values, sizes) });
      scope(() =>
        noGrad(() => {
          const ours = network.forward(fromTypedArray(values, sizes));
          expectClose(logits!, ours);
          // Were all images alike to the network, the agreement would be that of constants.
          if (count === 3)
            expectDifferent(ours.select(0, 0), ours.select(0, 1), 100 * scaleOf(ours.toNumbers()));
        }),
      );
    }
  } finally {
    await session.release();
  }
}

/** That one file computes what libtorch does of images of several sizes. */
export async function expectAgreementOfSizes(
  network: nn.Layer,
  shape: InputShape,
  sizes: readonly (readonly [height: number, width: number])[],
): Promise<void> {
  network.eval();
  const others = [
    [109, 153],
    [202, 87],
  ] as const;
  const bytes = exportOnnx(
    network,
    traceOfImages(network, shape),
    {},
    {
      names: ['height', 'width'],
      runs: others.map(
        ([height, width]) =>
          () =>
            imageNetworks.trace(network, { ...shape, height, width }),
      ),
    },
  );
  const session = await open(bytes);
  try {
    for (const [height, width] of sizes)
      for (const count of [1, 2]) {
        const values = images(count, { ...shape, height, width });
        const dims = [count, shape.channels, height, width];
        const { logits } = await session.run({ image: new ort.Tensor('float32', values, dims) });
        scope(() => noGrad(() => expectClose(logits!, network.forward(fromTypedArray(values, dims)))));
      }
  } finally {
    await session.release();
  }
}

/** That the maps of features, and the logits beside them, are those of libtorch. @returns the names of the outputs */
export async function expectFeatureAgreement(
  network: Backbone,
  shape: InputShape,
): Promise<readonly string[]> {
  network.eval();
  const bytes = exportOnnx(network, (batch) =>
    (imageNetworks.traceWithFeatures as NonNullable<typeof imageNetworks.traceWithFeatures>)(
      network,
      shape,
      'of the test',
      batch,
    ),
  );
  const session = await open(bytes);
  try {
    for (const count of [1, 3]) {
      const values = images(count, shape);
      const sizes = [count, shape.channels, shape.height, shape.width];
      const found = await session.run({ image: new ort.Tensor('float32', values, sizes) });
      scope(() =>
        noGrad(() => {
          const { logits, features } = network.forwardWithFeatures(fromTypedArray(values, sizes));
          expectClose(found.logits!, logits);
          for (const { stride, map } of features) {
            expectClose(found[`features.${stride}`]!, map);
            if (count === 3)
              expectDifferent(map.select(0, 0), map.select(0, 1), 10 * scaleOf(map.toNumbers()));
          }
        }),
      );
    }
    return session.outputNames;
  } finally {
    await session.release();
  }
}

/** That two differ by more than so many times the agreement that is asked for. */
function expectDifferent(one: Tensor, other: Tensor, times: number): void {
  expect(one.sub(other).abs().amax().item()).toBeGreaterThan(times * AGREEMENT);
}

/** The same of four tokens of one text and of three texts, token by token, each from the state after the one before. */
export async function expectTokenAgreement(model: LanguageModel): Promise<void> {
  model.eval();
  const session = await open(exportOnnx(model, traceOfTokens(model)));
  try {
    for (const texts of [1, 3]) {
      const initial = model.initialState(texts);
      let theirs: readonly ort.Tensor[] = initial.map(
        (tensor) => new ort.Tensor('float32', Float32Array.from(tensor.toNumbers()), tensor.shape),
      );
      let ours: readonly Tensor[] = initial;
      let last: Tensor | undefined;
      for (let time = 0; time < 4; time++) {
        const tokens = BigInt64Array.from(tokensAt(time, texts, model.vocabulary));
        const results = await session.run({
          tokens: new ort.Tensor('int64', tokens, [1, texts]),
          ...Object.fromEntries(theirs.map((tensor, index) => [`state.${index}`, tensor])),
        });
        theirs = theirs.map((_, index) => results[`next.${index}`]!);
        const step = noGrad(() => model.forward(fromTypedArray(tokens, [1, texts]), ours));
        const logProbabilities = step.logits.logSoftmax(-1);
        expectClose(results.logProbabilities!, logProbabilities);
        for (const [index, next] of step.state.entries()) expectClose(theirs[index]!, next);
        if (last !== undefined) expectDifferent(logProbabilities, last, 10);
        last = logProbabilities;
        ours = step.state;
      }
    }
  } finally {
    await session.release();
  }
}
