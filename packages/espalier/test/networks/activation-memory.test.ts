import { cat, nn, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { activationBytes, activationBytesOf, evaluationBytes } from '../../src/networks/activation-memory.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';

setThreads(1);

const image = { channels: 3, height: 4, width: 4, classes: 2 };
/** The size in bytes of one image channel in float32. */
const CHANNEL = 64;

function measured(network: nn.Layer): { each: number[]; training: number; evaluation: number } {
  const trace = traceClassifier(network, image);
  network.free();
  return {
    each: trace.calls.map((_, place) => activationBytesOf(trace, place)),
    training: activationBytes(trace),
    evaluation: evaluationBytes(trace),
  };
}

class InPlace extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 5, 1);

  forward(input: Tensor): Tensor {
    return this.conv.forward(input).relu_().add_(1);
  }
}

class OfTheImage extends nn.Layer {
  forward(input: Tensor): Tensor {
    return cat([input.select(0, 0).relu_(), input.view([3, 4, 4])]);
  }
}

class Split extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 2, 1);

  forward(input: Tensor): Tensor {
    const [first, second] = this.conv.forward(input).chunk(2, 1) as [Tensor, Tensor];
    const squashed = second.sigmoid().tanh();
    return cat([squashed, input, first], 1);
  }
}

class Scoped extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 3, 1);

  /** Each iteration frees its memory before the next one allocates. */
  forward(input: Tensor): Tensor {
    const once = (value: Tensor) => scope(() => this.conv.forward(value).relu().mul(2));
    return once(once(once(input)));
  }
}

describe('activation memory', () => {
  it('of a chain covers all results in training, and at most two results at a time in evaluation', () => {
    const chain = new nn.Sequential(new nn.Conv2d(3, 8, 1), new nn.ReLU(), new nn.Conv2d(8, 2, 1));
    expect(measured(chain)).toEqual({
      each: [8 * CHANNEL, 8 * CHANNEL, 2 * CHANNEL],
      training: 18 * CHANNEL,
      evaluation: 16 * CHANNEL,
    });
  });

  it('does not grow with in-place operators', () => {
    expect(measured(new InPlace())).toEqual({
      each: [5 * CHANNEL, 0, 0],
      training: 5 * CHANNEL,
      evaluation: 5 * CHANNEL,
    });
  });

  it('does not count views of the image or values written into them', () => {
    expect(measured(new OfTheImage())).toEqual({
      each: [0, 0, 0, 6 * CHANNEL],
      training: 6 * CHANNEL,
      evaluation: 6 * CHANNEL,
    });
  });

  it('counts memory again if it is freed and reallocated', () => {
    expect(measured(new Scoped()).each).toEqual(Array.from({ length: 9 }, () => 3 * CHANNEL));
  });

  it('is held as long as a view of it is still to be read', () => {
    // The result of the convolution is needed until its first half is concatenated with the squashed second half.
    expect(measured(new Split())).toEqual({
      each: [2 * CHANNEL, 0, CHANNEL, CHANNEL, 5 * CHANNEL],
      training: 9 * CHANNEL,
      evaluation: (2 + 1 + 5) * CHANNEL,
    });
  });
});
