import {
  backward,
  fromTypedArray,
  manualSeed,
  type nn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { hub } from '../../src/hub/hub.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { Space } from '../../src/space/space.js';
import { spaces } from '../../src/spaces/space-names.js';
import { calibrate, images, strengthen } from '../export/agreement.js';
import { expectAgreement, expectTokenAgreement } from '../export/onnx-runtime.js';

setThreads(1);

/** Options that make the networks of a space small. */
const SMALL: Readonly<Record<string, object>> = {
  nasnet: { channels: 8, filters: null, cells: 1 },
  'darts-cnn': { channels: 4, layers: 5 },
  'auto-deeplab': { filterMultiplier: 4 },
  'darts-rnn': { hidden: 8 },
};
const VOCABULARY = 20;

/** Checks that one training step gives every parameter a finite gradient. */
function expectGradients(network: nn.Module, run: () => Tensor): void {
  network.train();
  scope(() => {
    backward(run().square().mean());
    for (const [name, { grad }] of network.namedParameters()) {
      expect(grad, name).toBeDefined();
      expect(Number.isFinite(grad!.abs().sum().item()), name).toBe(true);
    }
  });
}

describe('every published architecture can be built and trained, and agrees with ONNX Runtime', () => {
  it.each([...hub.values()])('$name', async (entry) => {
    const space = Space.configure(spaces.get(entry.space)!, { ...entry.options, ...SMALL[entry.space] });
    manualSeed(1);
    if (space.definition.reads === 'tokens') {
      const model = buildLanguageModel(space, entry.architecture, { vocabulary: VOCABULARY });
      const tokens = [
        [1, 2],
        [3, 19],
        [0, 7],
      ];
      expectGradients(model, () => model.forward(tensor(tokens, 'int64'), model.initialState(2)).logits);
      strengthen(model);
      await expectTokenAgreement(model);
      model.free();
      return;
    }
    const sides = entry.space === 'auto-deeplab' ? { height: 65, width: 48 } : { height: 17, width: 20 };
    const image = { channels: 3, ...sides, classes: 4 };
    const network = buildNetwork(space, entry.architecture, image);
    expectGradients(network, () =>
      network.forward(fromTypedArray(images(2, image), [2, 3, image.height, image.width])),
    );
    calibrate(network, image);
    await expectAgreement(network, image);
    network.free();
  });
});
