import { describe, expect, test } from 'vitest';
import { pictureRoom } from '../../src/drawing/page-width.js';
import type { Svg } from '../../src/drawing/svg.js';
import { autoDeepLabS } from '../../src/hub/auto-deeplab-s.js';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import { dartsV2Rnn } from '../../src/hub/darts-v2-rnn.js';
import { hub } from '../../src/hub/hub.js';
import { nasnetA } from '../../src/hub/nasnet-a.js';
import type { PublishedArchitecture } from '../../src/hub/published-architecture.js';
import { Random } from '../../src/random/random.js';
import { drawCells } from '../../src/reports/draw-architecture.js';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { zophRnn } from '../../src/spaces/zoph-rnn.js';
import { allElements, parseXml } from './xml.js';

/** The text alternative of the picture, one entry per sentence. */
function sentences(svg: Svg | undefined): string[] {
  return parseXml(svg!).children[1]!.text.split(/(?<=[.]) /);
}

function drawn({ space, architecture }: PublishedArchitecture): Svg | undefined {
  return drawCells(space, architecture);
}

describe('the picture of an architecture', () => {
  test.each([...hub])('has text that a page shows in a size that can be read: %s', (_, published) => {
    const root = parseXml(drawn(published)!);
    const scale = Math.min(1, pictureRoom / Number(root.attributes.width));
    const sizes = allElements(root)
      .filter(({ name }) => name === 'text')
      .map(({ attributes }) => Number(attributes['font-size']));
    expect(Math.min(...sizes) * scale).toBeGreaterThanOrEqual(10.5);
  });

  test('shows the normal and the reduction cell of DARTS', () => {
    expect(sentences(drawn(dartsV2))).toEqual([
      'Normal cell: 0 reads sep_conv_3x3 of c_{k-2}, sep_conv_3x3 of c_{k-1}.',
      '1 reads sep_conv_3x3 of c_{k-2}, sep_conv_3x3 of c_{k-1}.',
      '2 reads sep_conv_3x3 of c_{k-1}, skip_connect of c_{k-2}.',
      '3 reads skip_connect of c_{k-2}, dil_conv_3x3 of 0.',
      'c_{k} reads 0, 1, 2, 3.',
      'Reduction cell: 0 reads max_pool_3x3 of c_{k-2}, max_pool_3x3 of c_{k-1}.',
      '1 reads skip_connect of 0, max_pool_3x3 of c_{k-1}.',
      '2 reads max_pool_3x3 of c_{k-2}, skip_connect of 0.',
      '3 reads skip_connect of 0, max_pool_3x3 of c_{k-1}.',
      'c_{k} reads 0, 1, 2, 3.',
    ]);
  });

  test.each([nasnetA, autoDeepLabS])(
    'numbers the blocks of a cell, from which later ones read: $space',
    (published) => {
      const frames = allElements(parseXml(drawn(published)!)).filter(
        ({ attributes }) => 'data-frame' in attributes,
      );
      expect(frames.slice(0, 5).map(({ text }) => text)).toEqual(['1', '2', '3', '4', '5']);
    },
  );

  test('shows the activations of the DARTS recurrent cell', () => {
    expect(sentences(drawn(dartsV2Rnn))).toEqual([
      'Recurrent cell; its output averages what it reads: 0 reads x_{t}, h_{t-1}.',
      '1 reads sigmoid of 0.',
      '2 reads relu of 1.',
      '3 reads relu of 1.',
      '4 reads identity of 1.',
      '5 reads tanh of 2.',
      '6 reads sigmoid of 5.',
      '7 reads tanh of 3.',
      '8 reads relu of 5.',
      'h_{t} reads 1, 2, 3, 4, 5, 6, 7, 8.',
    ]);
  });

  test('shows a recurrent cell of Zoph & Le as a tree: the example of their figure 5', () => {
    const svg = drawCells('zoph-rnn', {
      nodes: [
        { combination: 'add', activation: 'tanh' },
        { combination: 'elem_mult', activation: 'relu' },
        { combination: 'elem_mult', activation: 'sigmoid' },
      ],
      cellInject: { combination: 'add', activation: 'relu' },
      cellIndex: { next: 1, previous: 0 },
    });
    expect(sentences(svg)).toEqual([
      'Recurrent cell of base 2: Node 0 (add, tanh) reads x_{t}, h_{t-1}.',
      'Node 1 (elem mult, relu) reads x_{t}, h_{t-1}.',
      'Node 2 (elem mult, sigmoid) reads 0, 1.',
      'c_{t-1} is injected (add, relu) after node 0.',
      'c_{t} is node 1 before its activation.',
      'h_{t} is node 2.',
    ]);
  });

  test('shows the blocks of NASNet', () => {
    expect(sentences(drawn(nasnetA))).toEqual([
      'Normal cell: block 1 (add) reads sep 5×5 of h_{i}, sep 3×3 of h_{i-1}.',
      'block 2 (add) reads sep 5×5 of h_{i-1}, sep 3×3 of h_{i-1}.',
      'block 3 (add) reads avg 3×3 of h_{i}, identity of h_{i-1}.',
      'block 4 (add) reads avg 3×3 of h_{i-1}, avg 3×3 of h_{i-1}.',
      'block 5 (add) reads sep 3×3 of h_{i}, identity of h_{i}.',
      'concat reads h_{i-1}, block 1, block 2, block 3, block 4, block 5.',
      'h_{i+1} reads concat.',
      'Reduction cell: block 1 (add) reads sep 5×5 of h_{i}, sep 7×7 of h_{i-1}.',
      'block 2 (add) reads max 3×3 of h_{i}, sep 7×7 of h_{i-1}.',
      'block 3 (add) reads avg 3×3 of h_{i}, sep 5×5 of h_{i-1}.',
      'block 4 (add) reads identity of block 2, avg 3×3 of block 1.',
      'block 5 (add) reads sep 3×3 of block 1, max 3×3 of h_{i}.',
      'concat reads block 2, block 3, block 4, block 5.',
      'h_{i+1} reads concat.',
    ]);
  });

  test('shows the path and the cell of Auto-DeepLab', () => {
    expect(sentences(drawn(autoDeepLabS))).toEqual([
      'Path over the resolutions: 12 layers at the strides 4, 4, 4, 8, 16, 8, 16, 16, 32, 32, 16, 8.',
      'Cell: block 1 (add) reads atr 5×5 of H^{l-2}, sep 3×3 of H^{l-1}.',
      'block 2 (add) reads sep 3×3 of H^{l-2}, atr 3×3 of H^{l-1}.',
      'block 3 (add) reads sep 3×3 of block 2, sep 3×3 of H^{l-2}.',
      'block 4 (add) reads sep 5×5 of block 3, sep 5×5 of block 1.',
      'block 5 (add) reads sep 5×5 of block 2, atr 5×5 of block 4.',
      'concat reads block 1, block 2, block 3, block 4, block 5.',
      'H^{l} reads concat.',
    ]);
  });

  test('shows every edge of a NAS-Bench-201 cell, and dots the edges that carry nothing', () => {
    const cell = '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|';
    const svg = drawCells('nasbench201', { cell });
    expect(sentences(svg)).toEqual([
      'Cell: 1 reads nor_conv_3x3 of 0.',
      '2 reads none of 0, skip_connect of 1.',
      '3 reads avg_pool_3x3 of 0, none of 1, nor_conv_1x1 of 2.',
    ]);
    const dotted = allElements(parseXml(svg!)).filter(
      ({ attributes, children }) =>
        'data-from' in attributes && 'stroke-dasharray' in children[0]!.attributes,
    );
    expect(dotted.map(({ attributes }) => [attributes['data-from'], attributes['data-to']])).toEqual([
      ['0', '2'],
      ['1', '3'],
    ]);
  });

  test('abbreviates the names of split and dilated convolutions and of larger pools', () => {
    const operations = ['conv_1x7_7x1', 'dil_conv_3x3', 'max_pool_7x7', 'conv_1x1'] as const;
    const cell = {
      blocks: [
        { inputs: [0, 1], operations: operations.slice(0, 2), combine: 'concat' },
        { inputs: [2, 0], operations: operations.slice(2), combine: 'add' },
      ],
      concat: [3],
    };
    expect(sentences(drawCells('nasnet', { normal: cell, reduction: cell })).slice(0, 2)).toEqual([
      'Normal cell: block 1 (concat) reads conv 1×7 7×1 of h_{i}, dil 3×3 of h_{i-1}.',
      'block 2 (add) reads max 7×7 of block 1, conv 1×1 of h_{i}.',
    ]);
  });

  test.each<{ definition: AnySpaceDefinition; options: object }>([
    { definition: dartsCnn as AnySpaceDefinition, options: { none: true } },
    { definition: dartsCnn as AnySpaceDefinition, options: { nodes: 1 } },
    { definition: dartsRnn as AnySpaceDefinition, options: { output: 'ends' } },
    { definition: zophRnn as AnySpaceDefinition, options: { maxAndSin: true } },
    { definition: zophRnn as AnySpaceDefinition, options: { base: 1 } },
    { definition: nasnet as AnySpaceDefinition, options: {} },
    { definition: nasBench201 as AnySpaceDefinition, options: {} },
    { definition: nasBench201 as AnySpaceDefinition, options: { nodes: 2 } },
    { definition: autoDeepLab as AnySpaceDefinition, options: { firstLayerMayHalve: true } },
    { definition: autoDeepLab as AnySpaceDefinition, options: { layers: 1, blocks: 1 } },
  ])('is well-formed for whatever $definition.name samples with $options', ({ definition, options }) => {
    const space = Space.configure(definition, options);
    const random = Random.of(7, 'architectures');
    for (let sample = 0; sample < 10; sample++) {
      const architecture = space.decode(space.sample(random));
      const root = parseXml(drawCells(definition.name, architecture)!);
      expect(root.name).toBe('svg');
      expect(JSON.stringify(root)).not.toMatch(/undefined|NaN|Infinity/);
    }
  });

  test('does not exist for a space without cells', () => {
    expect(drawCells('zoph-cnn', {})).toBeUndefined();
  });
});
