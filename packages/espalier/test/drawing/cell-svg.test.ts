import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellGraph } from '../../src/drawing/cell-graph.js';
import { cellPanel } from '../../src/drawing/cell-svg.js';
import { pictureRoom } from '../../src/drawing/page-width.js';
import { drawPanels } from '../../src/drawing/panel.js';
import { blockCell, cellGraphs, smallCell } from './cell-graphs.js';
import { allElements, parseXml, type XmlElement } from './xml.js';

function textOf(element: XmlElement): string {
  return element.text + element.children.map(textOf).join('');
}

function textsOf(element: XmlElement): string[] {
  return allElements(element)
    .filter(({ name }) => name === 'text')
    .map(textOf);
}

function find(root: XmlElement, attributes: Record<string, string>): XmlElement[] {
  return allElements(root).filter((element) =>
    Object.entries(attributes).every(([name, value]) => element.attributes[name] === value),
  );
}

describe('the picture of any cell', () => {
  test('is well-formed and contains every node, edge, label and operation once', () => {
    fc.assert(
      fc.property(cellGraphs, (graph) => {
        const root = parseXml(drawPanels('cells', [cellPanel(graph)]));
        const elements = allElements(root);
        const drawnNodes = elements.filter(({ attributes }) => 'data-node' in attributes);
        expect(drawnNodes.map(({ attributes }) => attributes['data-node'])).toEqual(
          graph.nodes.map(({ id }) => id),
        );
        for (const [index, { operations = [] }] of graph.nodes.entries())
          expect(textsOf(drawnNodes[index]!).slice(0, -1).sort()).toEqual([...operations].sort());
        const drawnEdges = elements
          .filter(({ attributes }) => 'data-from' in attributes)
          .map((edge) => [edge.attributes['data-from'], edge.attributes['data-to'], ...textsOf(edge)]);
        expect(drawnEdges).toEqual(
          graph.edges.map(({ from, to, label }) => [from, to, ...(label === undefined ? [] : [label])]),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('is byte-identical for equal graphs', () => {
    fc.assert(
      fc.property(cellGraphs, (graph) => {
        expect(drawPanels('cells', [cellPanel(structuredClone(graph))])).toBe(
          drawPanels('cells', [cellPanel(graph)]),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('the picture of a cell', () => {
  const small = cellPanel(smallCell);
  const blocks = cellPanel(blockCell);

  function read(arrangement: 'beside' | 'below') {
    const root = parseXml(drawPanels('t', [small, blocks], arrangement));
    const places = allElements(root)
      .filter(({ attributes }) => 'data-panel' in attributes)
      .map(({ attributes }) => /^translate\((.*) (.*)\)$/.exec(attributes.transform!)!.slice(1).map(Number));
    return { root, captions: root.children.filter(({ name }) => name === 'text'), places };
  }

  test('sets subscripts and superscripts, with a minus sign for a hyphen', () => {
    const nodes = [
      { id: 'a', label: 'c_{k-2}', role: 'input' },
      { id: 'b', label: 'H^{l}', role: 'input' },
      { id: 'c', label: 'x_{}', role: 'input' },
    ] as const;
    const root = parseXml(drawPanels('t', [cellPanel({ title: 't', direction: 'right', nodes, edges: [] })]));
    const [c, h, plain] = ['a', 'b', 'c'].map((id) => find(root, { 'data-node': id })[0]!.children[1]!);
    expect(c!.children.map(({ text }) => text)).toEqual(['c', 'k\u22122']);
    expect(Number(c!.children[1]!.attributes.dy)).toBeGreaterThan(0);
    expect(h!.children.map(({ text }) => text)).toEqual(['H', 'l']);
    expect(Number(h!.children[1]!.attributes.dy)).toBeLessThan(0);
    expect([plain!.text, plain!.children]).toEqual(['x_{}', []]);
  });

  test('sets a text with several symbols, the words after a script on the line again', () => {
    const nodes = [{ id: 'a', label: 'c_{k-2} → 0 to H^{l} x', role: 'input' }] as const;
    const root = parseXml(drawPanels('t', [cellPanel({ title: 't', direction: 'right', nodes, edges: [] })]));
    const spans = find(root, { 'data-node': 'a' })[0]!.children[1]!.children;
    expect(spans.map(({ text }) => text)).toEqual(['c', 'k\u22122', ' →', 'H', 'l', ' x']);
    const shifts = spans.map(({ attributes }) => Number(attributes.dy ?? 0));
    expect(shifts).toEqual([0, 3.75, -3.75, 0, -6, 6]);
  });

  test('dots exactly the edges that carry nothing', () => {
    const root = parseXml(drawPanels('t', [cellPanel(smallCell)]));
    const isDotted = (from: string, to: string) =>
      'stroke-dasharray' in find(root, { 'data-from': from, 'data-to': to })[0]!.children[0]!.attributes;
    expect(isDotted('c_{k-1}', 'c_{k}')).toBe(true);
    expect(isDotted('c_{k-1}', '0')).toBe(false);
  });

  test('has a text alternative', () => {
    const root = parseXml(drawPanels('Two "cells"', [cellPanel(smallCell), cellPanel(blockCell)]));
    expect(root.attributes.role).toBe('img');
    expect(root.children.slice(0, 2).map(({ name, text }) => [name, text])).toEqual([
      ['title', 'Two "cells"'],
      [
        'desc',
        'A <small> & "fine" cell: 0 reads a < b of c_{k-1}. c_{k} reads none of c_{k-1}, 0. ' +
          'Blocks: block 1 (add) reads sep 3×3 of h_{i}, max 3×3 of h_{i-1}. ' +
          'block 2 (concat) reads identity of block 1, identity of block 1. h_{i+1} reads block 2.',
      ],
    ]);
  });

  test('runs upwards where a page could show a long one only in a small size', () => {
    const chain = (length: number): CellGraph => ({
      title: 'chain',
      direction: 'right',
      nodes: Array.from({ length }, (_, index) => ({ id: `n${index}`, label: `n${index}`, role: 'node' })),
      edges: Array.from({ length: length - 1 }, (_, index) => ({
        from: `n${index}`,
        to: `n${index + 1}`,
        label: 'dil_conv_5x5',
      })),
    });
    const [short, long] = [cellPanel(chain(4)), cellPanel(chain(9))];
    expect(short.width).toBeGreaterThan(short.height);
    expect(long.width).toBeLessThan(pictureRoom);
    expect(long.height).toBeGreaterThan(long.width);
  });

  test('has its panels one below the other, each above its caption, in the middle of the widest', () => {
    const { root, captions, places } = read('below');
    expect(captions.map(({ text }) => text)).toEqual(['(a) A <small> & "fine" cell', '(b) Blocks']);
    const [first, second] = places;
    expect(first![1]! + small.height).toBeLessThan(Number(captions[0]!.attributes.y));
    expect(Number(captions[0]!.attributes.y)).toBeLessThan(second![1]!);
    expect(first![0]! + small.width / 2).toBeCloseTo(second![0]! + blocks.width / 2, 1);
    expect(Number(root.attributes.width)).toBe(Math.max(small.width, blocks.width) + 40);
    expect(Number(captions[1]!.attributes.y)).toBeLessThan(Number(root.attributes.height));
  });

  test('has its panels side by side if asked to, where a page has room for them', () => {
    const { root, captions, places } = read('beside');
    const [first, second] = places;
    expect(first![0]! + small.width).toBeLessThan(second![0]!);
    expect(first![1]! + small.height).toBeCloseTo(second![1]! + blocks.height, 1);
    const width = Number(root.attributes.width);
    const height = Number(root.attributes.height);
    expect(second![0]! + blocks.width).toBeLessThan(width);
    for (const { attributes } of captions) {
      expect(Number(attributes.y)).toBeGreaterThan(second![1]! + blocks.height);
      expect(Number(attributes.y)).toBeLessThan(height);
    }
    const wide = { ...small, width: pictureRoom - 40 - blocks.width - 55 };
    const stacked = parseXml(drawPanels('t', [wide, blocks], 'beside'));
    expect(Number(stacked.attributes.width)).toBe(Math.max(wide.width, blocks.width) + 40);
  });

  test('has a caption without a letter if it is the only panel', () => {
    const root = parseXml(drawPanels('t', [cellPanel(blockCell)]));
    expect(root.children.filter(({ name }) => name === 'text').map(({ text }) => text)).toEqual(['Blocks']);
  });
});
