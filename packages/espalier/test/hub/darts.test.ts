import { nn, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { ashaCnn } from '../../src/hub/asha-cnn.js';
import { dartsV1 } from '../../src/hub/darts-v1.js';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';

setThreads(1);

const CIFAR = { channels: 3, height: 32, width: 32, classes: 10 };

describe.each([dartsV1, dartsV2, ashaCnn])('the published $name', (entry) => {
  it('belongs to its space and has the recorded size', () => {
    expect(entry.space).toBe(dartsCnn.name);
    const space = Space.configure(dartsCnn, entry.options);
    const architecture = space.validate(entry.architecture);
    expect(architecture).toEqual(entry.architecture);
    const network = buildNetwork(space, architecture, CIFAR);
    expect(network).toBeInstanceOf(nn.Layer);
    expect(network.parameterCount()).toBe(entry.figures.params);
    expect(multiplyAdds(traceClassifier(network, CIFAR).calls)).toBe(entry.figures.macs);
    network.free();
  });
});
