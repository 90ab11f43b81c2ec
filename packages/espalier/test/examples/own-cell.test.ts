import { fileURLToPath } from 'node:url';
import {
  fused,
  noGrad,
  observeOperators,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/networks/build-network.js';
import { Space } from '../../src/space/space.js';
import { findSpace } from '../../src/spaces/find-space.js';
import '../../src/index.js';
import { buildSupernet } from '../../src/supernets/build-supernet.js';

setThreads(1);

const file = fileURLToPath(new URL('../../../../examples/own-cell.ts', import.meta.url));
const space = Space.configure((await findSpace(file, process.cwd())).definition);
const shape = { channels: 1, height: 8, width: 8, classes: 3 };
const architecture = {
  edges: ['sep_conv_3x3', 'sep_conv_5x5', 'identity', 'sep_conv_3x3', 'sep_conv_5x5', 'identity'],
};

/** The calls of a kernel in a run. */
function calls(kernel: string, run: () => unknown): number {
  let count = 0;
  observeOperators(({ name }) => {
    if (name === `espalier::${kernel}`) count++;
  }, run);
  return count;
}

function expectClose(found: Tensor, wanted: Tensor): void {
  expect(found.sub(wanted).abs().amax().item() / wanted.abs().amax().item()).toBeLessThan(1e-4);
}

describe('a space of your own whose cell is declared by its edges', () => {
  it('has 3^6 architectures', () => {
    expect(space.size()).toBe(729n);
    expect(space.validate(architecture)).toEqual(architecture);
  });

  it('is computed with the kernels, one call for all convolutions that read a state, and by its layers alike', () => {
    const network = buildNetwork(space, architecture, shape);
    scope(() => {
      const images = randn([8, 1, 8, 8]);
      // State 0 is read by three convolutions, with filters of two sizes; state 1 by one; state 2 by none.
      expect(calls('relu_conv_norm', () => network.forward(images))).toBe(2);
      expectClose(
        network.forward(images),
        fused.withoutKernels(() => network.forward(images)),
      );
    });
    network.free();
  });

  it('has a supernet whose mixtures are the architecture that the softmax has decided for', () => {
    const supernet = buildSupernet(space, shape);
    const { edges } = supernet.architectureParameters() as { edges: Tensor };
    const names = ['identity', 'sep_conv_3x3', 'sep_conv_5x5'];
    noGrad(() =>
      edges.copy_(
        tensor(architecture.edges.map((chosen) => names.map((name) => (name === chosen ? 1000 : 0)))),
      ),
    );
    expect(supernet.derive()).toEqual(architecture);
    scope(() => {
      const images = randn([8, 1, 8, 8]);
      expect(calls('mixture', () => supernet.forward(images))).toBeGreaterThan(0);
      expectClose(supernet.forward(images), supernet.forwardPath(images, architecture));
    });
    supernet.free();
  });
});
