import type { GraphEdge, NodeKind } from './graph.js';

interface Colour {
  readonly light: string;
  readonly dark: string;
}

const colours = {
  paper: { light: '#ffffff', dark: '#161a1f' },
  ink: { light: '#1f2933', dark: '#e6eaee' },
  muted: { light: '#5a6775', dark: '#9aa7b4' },
  axis: { light: '#8593a0', dark: '#6b7885' },
  grid: { light: '#e6eaee', dark: '#2a3139' },
  flow: { light: '#3e4c59', dark: '#b4c0cc' },
  'skip-1': { light: '#d9541e', dark: '#ff8f5c' },
  'skip-2': { light: '#7d4fc0', dark: '#b596ea' },
  'skip-3': { light: '#0f8b8d', dark: '#4fc7c9' },
  'skip-4': { light: '#b83280', dark: '#ee86bd' },
  'skip-5': { light: '#b07d00', dark: '#e0b04a' },
  failed: { light: '#b42318', dark: '#ff8a80' },
  input: { light: '#eef1f4', dark: '#242b32' },
  'input-line': { light: '#7b8794', dark: '#7b8794' },
  convolution: { light: '#e3effb', dark: '#16304a' },
  'convolution-line': { light: '#3b7dc4', dark: '#5b9bdf' },
  pool: { light: '#e2f4e9', dark: '#153826' },
  'pool-line': { light: '#3d9a63', dark: '#55b37c' },
  linear: { light: '#f0e9fa', dark: '#302248' },
  'linear-line': { light: '#8659c4', dark: '#a784dc' },
  operation: { light: '#e0f3f4', dark: '#123638' },
  'operation-line': { light: '#2b8f96', dark: '#4fb3ba' },
  merge: { light: '#fcf1d6', dark: '#3d2f10' },
  'merge-line': { light: '#b98414', dark: '#d9a83c' },
  output: { light: '#dde3e9', dark: '#39434d' },
  'output-line': { light: '#3e4c59', dark: '#aebbc7' },
  'series-1': { light: '#2166ac', dark: '#6aaeea' },
  'series-2': { light: '#d9541e', dark: '#ff8f5c' },
  'series-3': { light: '#2b8a57', dark: '#5fc48f' },
  'series-4': { light: '#7d4fc0', dark: '#b596ea' },
  'series-5': { light: '#a66f00', dark: '#e0b04a' },
  'series-6': { light: '#1c8c93', dark: '#5cc3ca' },
  'series-7': { light: '#b83280', dark: '#ee86bd' },
  'series-8': { light: '#5a6775', dark: '#a9b5c1' },
} as const satisfies Record<string, Colour>;

export type Paint = keyof typeof colours;

export const seriesPaints = [
  'series-1',
  'series-2',
  'series-3',
  'series-4',
  'series-5',
  'series-6',
  'series-7',
  'series-8',
] as const satisfies readonly Paint[];

const skipPaints = ['skip-1', 'skip-2', 'skip-3', 'skip-4', 'skip-5'] as const satisfies readonly Paint[];

/** The number of colours for skip connections. */
export const skipShades = skipPaints.length;

/** @param shade colour index of a skip connection, less than `skipShades` */
export function edgePaint(kind: GraphEdge['kind'], shade: number): Paint {
  return kind === 'flow' ? 'flow' : skipPaints[shade]!;
}

export function kindPaint(kind: NodeKind): { readonly fill: Paint; readonly stroke: Paint } {
  return { fill: kind, stroke: `${kind}-line` };
}

/**
 * The attributes that colour an element. They hold the light colours, and classes through which a page with a dark
 * background can set the dark ones (`darkRules`).
 */
export function paint(paints: { readonly fill?: Paint; readonly stroke?: Paint }): string {
  const { fill, stroke } = paints;
  const classes = [
    ...(fill === undefined ? [] : [`fill-${fill}`]),
    ...(stroke === undefined ? [] : [`stroke-${stroke}`]),
  ];
  return [
    `class="${classes.join(' ')}"`,
    `fill="${fill === undefined ? 'none' : colours[fill].light}"`,
    ...(stroke === undefined ? [] : [`stroke="${colours[stroke].light}"`]),
  ].join(' ');
}

/** CSS rules that give every painted element its dark colour. */
export function darkRules(): string {
  return Object.entries(colours)
    .map(([name, { dark }]) => `.fill-${name}{fill:${dark}}.stroke-${name}{stroke:${dark}}`)
    .join('\n');
}
