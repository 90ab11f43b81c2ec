import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NetworkGraph } from '../../src/drawing/graph.js';
import { drawNetwork } from '../../src/drawing/network-svg.js';
import { columnGraphs, flowGraphs } from './network-graphs.js';
import { allElements, parseXml, type XmlElement } from './xml.js';

const anyGraph = fc.oneof(columnGraphs, flowGraphs);

function textsOf(element: XmlElement): string[] {
  return allElements(element)
    .filter(({ name }) => name === 'text')
    .map(({ text }) => text);
}

const small: NetworkGraph = {
  title: 'A <small> & "fine" network',
  nodes: [
    { id: 'in', label: 'image', details: ['1 x 28 x 28'], kind: 'input' },
    { id: 'a', label: '<a> & b', details: [`it's "quoted"`], kind: 'convolution' },
    { id: 'out', label: 'classes', details: [], kind: 'output' },
  ],
  edges: [
    { from: 'in', to: 'a', kind: 'flow', label: 'x < y' },
    { from: 'a', to: 'out', kind: 'flow' },
    { from: 'in', to: 'out', kind: 'skip' },
  ],
};

describe('the picture of any network', () => {
  test('is well-formed and contains every node and every edge once', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const elements = allElements(parseXml(drawNetwork(graph)));
        const nodes = elements.filter(({ attributes }) => 'data-node' in attributes);
        expect(nodes.map(({ attributes }) => attributes['data-node']).sort()).toEqual(
          graph.nodes.map(({ id }) => id).sort(),
        );
        const edges = elements.filter(({ attributes }) => 'data-from' in attributes);
        const ends = edges.map(
          ({ attributes }) =>
            `${attributes['data-from']} ${attributes['data-to']} ${attributes['data-kind']}`,
        );
        expect(ends.sort()).toEqual(graph.edges.map(({ from, to, kind }) => `${from} ${to} ${kind}`).sort());
        for (const edge of edges) expect(edge.children.filter(({ name }) => name === 'path')).toHaveLength(2);
      }),
    );
  });

  test('shows the text of every node unchanged, except for spaces and characters that XML forbids', () => {
    const plain = (text: string): string =>
      text.replace(/\s+/g, '').replace(/[^\u{21}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const elements = allElements(parseXml(drawNetwork(graph)));
        for (const { id, label, details } of graph.nodes) {
          const drawn = elements.find(({ attributes }) => attributes['data-node'] === id)!;
          expect(plain(textsOf(drawn).join(''))).toBe(plain([label, ...details].join('')));
        }
      }),
    );
  });

  test('is byte-identical for equal graphs', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        expect(drawNetwork(structuredClone(graph))).toBe(drawNetwork(graph));
      }),
    );
  });

  test('has finite coordinates and no external references', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        for (const { name, attributes } of allElements(parseXml(drawNetwork(graph)))) {
          expect(Object.keys(attributes)).not.toContain('href');
          expect(name).toMatch(/^(svg|title|desc|g|rect|path|text)$/);
          for (const key of ['x', 'y', 'width', 'height', 'd', 'viewBox']) {
            if (key in attributes) expect(attributes[key]).toMatch(/^[-0-9. MLHVCZlhvmcz]+$/);
          }
        }
      }),
    );
  });
});

describe('the picture of a network', () => {
  test('escapes its text', () => {
    const root = parseXml(drawNetwork(small));
    expect(root.children.find(({ name }) => name === 'title')!.text).toBe('A <small> & "fine" network');
    const texts = textsOf(root);
    for (const text of ['A <small> & "fine" network', '<a> & b', `it's "quoted"`, 'x < y'])
      expect(texts).toContain(text);
    expect(drawNetwork(small)).not.toMatch(/<a>|<small>/);
  });

  test('explains exactly the kinds of nodes and edges that it contains', () => {
    const texts = textsOf(parseXml(drawNetwork(small)));
    for (const name of [
      'input',
      'convolution',
      'output',
      'data flow',
      'skip connections, coloured by source',
    ]) {
      expect(texts).toContain(name);
    }
    for (const name of ['pooling', 'fully connected', 'operation', 'merge'])
      expect(texts).not.toContain(name);
    const flowOnly = textsOf(parseXml(drawNetwork({ ...small, edges: small.edges.slice(0, 2) })));
    expect(flowOnly).not.toContain('skip connections, coloured by source');
  });

  test('has a text alternative', () => {
    const root = parseXml(drawNetwork(small));
    expect(root.attributes.role).toBe('img');
    expect(root.children.find(({ name }) => name === 'desc')!.text).toBe(
      'A network of 3 nodes and 3 edges, 1 of them skip connections. ' +
        `Nodes: image, 1 x 28 x 28; <a> & b, it's "quoted"; classes. Skip connections: image to classes.`,
    );
    const edge = allElements(root).find(({ attributes }) => attributes['data-from'] === 'a')!;
    expect(edge.children[0]).toMatchObject({ name: 'title', text: '<a> & b → classes' });
  });

  test('draws skip connections in other colours than the flow, below the flow and the boxes', () => {
    const elements = allElements(parseXml(drawNetwork(small)));
    const kinds = elements.flatMap(({ attributes }) =>
      'data-from' in attributes ? [attributes['data-kind']] : 'data-node' in attributes ? ['box'] : [],
    );
    expect(kinds).toEqual(['skip', 'flow', 'flow', 'box', 'box', 'box']);
    const strokeOf = (kind: string): string =>
      elements.find(({ attributes }) => 'data-from' in attributes && attributes['data-kind'] === kind)!
        .children[1]!.attributes.stroke!;
    expect(strokeOf('skip')).not.toBe(strokeOf('flow'));
  });

  test('shows its whole layout in its view', () => {
    const { viewBox, width, height } = parseXml(drawNetwork(small)).attributes;
    const [, , viewWidth, viewHeight] = viewBox!.split(' ');
    expect([viewWidth, viewHeight]).toEqual([width, height]);
  });

  test('is only a title if the network has no nodes', () => {
    expect(textsOf(parseXml(drawNetwork({ title: 'nothing', nodes: [], edges: [] })))).toEqual(['nothing']);
  });
});
