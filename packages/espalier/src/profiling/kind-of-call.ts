import type { ProfiledCall } from '@espalier/torch';

type Shape = readonly number[];

/**
 * Distinguishes calls of one operator whose speeds differ widely, such as `3x3 depthwise` convolutions. Returns an empty
 * string for operators that need no distinction.
 */
export function kindOfCall({
  name,
  inputs: [input, ...rest],
}: Pick<ProfiledCall, 'name' | 'inputs'>): string {
  if (input === undefined) return '';
  switch (name) {
    case 'aten::conv2d':
      return kindOfConvolution(input, rest[0] as Shape);
    case 'espalier::relu_conv_norm': {
      const depthwise = rest.filter((shape) => shape.length === 4 && shape[1] === 1);
      const windows = [...new Set(depthwise.map(windowOf))].filter((window) => window !== '1x1');
      return windows.length === 0 ? '1x1' : `${windows.join(' ')} separable`;
    }
    default:
      return '';
  }
}

const windowOf = (weight: Shape) => weight.slice(2).join('x');

function kindOfConvolution(input: Shape, weight: Shape): string {
  const channels = weight[1] as number;
  const groups = (input[1] as number) / channels;
  if (groups === 1) return windowOf(weight);
  return channels === 1 ? `${windowOf(weight)} depthwise` : `${windowOf(weight)} in ${groups} groups`;
}
