import type { ProfiledCall } from '@espalier/torch';

/** What tells the calls of one operator apart where their speeds are far from each other: `3x3 depthwise`; '' is nothing. */
export function kindOfCall({ name, inputs }: Pick<ProfiledCall, 'name' | 'inputs'>): string {
  const [input, weight] = inputs;
  if (name !== 'aten::conv2d' || input === undefined || weight === undefined) return '';
  const [, channels, height, width] = weight as [number, number, number, number];
  const groups = (input[1] as number) / channels;
  const window = `${height}x${width}`;
  if (groups === 1) return window;
  return channels === 1 ? `${window} depthwise` : `${window} in ${groups} groups`;
}
