import { setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { nasnetALarge } from '../../src/hub/nasnet-a-large.js';
import { nasnetAMobile } from '../../src/hub/nasnet-a-mobile.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { type InputShape, Space } from '../../src/space/space.js';
import { nasnet } from '../../src/spaces/nasnet.js';

setThreads(1);

/** The output of a cell: channels and side. */
interface State {
  readonly channels: number;
  readonly side: number;
}

/**
 * Parameters and multiply-adds of NASNet-A for ImageNet, summed layer by layer after the authors' code
 * (slim/nets/nasnet) without any of ours: a stem of 3x3 with stride 2 and no padding, two reduction cells, and three
 * stages of N normal cells with a reduction cell between two stages. Batch norm has a scale and a shift.
 */
class Count {
  params = 0;
  macs = 0;

  #convolution(inputs: number, outputs: number, side: number): void {
    this.params += inputs * outputs + 2 * outputs;
    this.macs += inputs * outputs * side ** 2;
  }

  /** Twice: depthwise, 1x1 and batch norm. */
  #separable(kernel: number, inputs: number, filters: number, side: number): void {
    for (const from of [inputs, filters]) {
      this.params += kernel ** 2 * from;
      this.macs += kernel ** 2 * from * side ** 2;
      this.#convolution(from, filters, side);
    }
  }

  stem(filters: number, imageSize: number): State {
    const side = Math.floor((imageSize - 3) / 2) + 1;
    this.#convolution(27, filters, side);
    return { channels: filters, side };
  }

  /** Brings both inputs to the filters of the cell. @returns the channels of the earlier one */
  #inputs(filters: number, current: State, previous: State | undefined): number {
    this.#convolution(current.channels, filters, current.side);
    // The first cell has one input only, which stands for the earlier one as it is.
    if (previous === undefined) return current.channels;
    // One 1x1 convolution, or two of half the filters where the earlier input is twice as large.
    if (previous.side !== current.side || previous.channels !== filters)
      this.#convolution(previous.channels, filters, current.side);
    return filters;
  }

  /** Figure 4: separable 5x5 and 3x3, 5x5 and 3x3, 3x3; average pooling and identities are free. */
  normal(filters: number, current: State, previous: State | undefined): State {
    const { side } = current;
    const earlier = this.#inputs(filters, current, previous);
    this.#separable(5, filters, filters, side);
    this.#separable(3, earlier, filters, side);
    this.#separable(5, earlier, filters, side);
    this.#separable(3, earlier, filters, side);
    this.#separable(3, filters, filters, side);
    // Five blocks, and the earlier input.
    return { channels: 6 * filters, side };
  }

  /** Figure 4: separable 5x5 and 7x7, 7x7, 5x5, and a 3x3 on the first block. */
  reduction(filters: number, current: State, previous: State | undefined): State {
    const side = Math.ceil(current.side / 2);
    const earlier = this.#inputs(filters, current, previous);
    this.#separable(5, filters, filters, side);
    this.#separable(7, earlier, filters, side);
    this.#separable(7, earlier, filters, side);
    this.#separable(5, earlier, filters, side);
    this.#separable(3, filters, filters, side);
    return { channels: 4 * filters, side };
  }

  classifier(inputs: number, classes: number): void {
    this.params += inputs * classes + classes;
    this.macs += inputs * classes;
  }
}

function counted(options: {
  readonly cells: number;
  readonly penultimate: number;
  readonly stem: number;
  readonly imageSize: number;
  /** Whether the cell after a reduction skips the input of the reduction. */
  readonly skips: boolean;
}): { params: number; macs: number } {
  const { cells, penultimate, stem, imageSize, skips } = options;
  // The last stage has four times the filters of the first, and its output is six states.
  const filters = penultimate / 24;
  const count = new Count();
  const states = [count.stem(stem, imageSize)];
  const add = (kind: 'normal' | 'reduction', own: number, back = 2) =>
    states.push(count[kind](own, states.at(-1) as State, states.at(-back)));
  states.push(count.reduction(filters / 4, states[0] as State, undefined));
  add('reduction', filters / 2);
  for (const stage of [1, 2, 4]) {
    if (stage > 1) add('reduction', stage * filters);
    for (let cell = 0; cell < cells; cell++)
      add('normal', stage * filters, skips && stage > 1 && cell === 0 ? 3 : 2);
  }
  count.classifier(penultimate, 1000);
  return { params: count.params, macs: count.macs };
}

describe.each([
  {
    entry: nasnetAMobile,
    size: 224,
    // Keras' NASNetMobile has as many trainable parameters.
    figures: { params: 5_289_978, macs: 563_638_816 },
    layers: { cells: 4, penultimate: 1056, stem: 32, imageSize: 224, skips: false },
  },
  {
    entry: nasnetALarge,
    size: 331,
    // Keras' NASNetLarge has as many trainable parameters.
    figures: { params: 88_753_150, macs: 23_783_414_658 },
    layers: { cells: 6, penultimate: 4032, stem: 96, imageSize: 331, skips: true },
  },
])('$entry.name', ({ entry, size, figures, layers }) => {
  it('has the figures that its layers add up to', () => {
    expect(counted(layers)).toEqual(figures);
    expect(entry.figures).toMatchObject(figures);
  });

  it('is built with these figures', () => {
    const shape: InputShape = { channels: 3, height: size, width: size, classes: 1000 };
    const space = Space.configure(nasnet, entry.options);
    const network = buildNetwork(space, space.validate(entry.architecture), shape);
    expect(network.parameterCount()).toBe(figures.params);
    expect(multiplyAdds(traceClassifier(network, shape).calls)).toBe(figures.macs);
    network.free();
  });
});
