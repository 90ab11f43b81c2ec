import { type Tensor, upsampleBilinear2d } from '@espalier/torch';

/** Height and width of a map, in pixels. */
export type Size = readonly [height: number, width: number];

export const sizeOf = ({ shape }: Tensor): Size => shape.slice(2) as [number, number];

/** The size of a map after a convolution with stride 2. */
export const halved = (map: Tensor): Size =>
  sizeOf(map).map((length) => Math.ceil(length / 2)) as [number, number];

/** Resizes a map by bilinear interpolation with aligned corners. Returns the map itself if it already has that size. */
export function resize(map: Tensor, size: Size): Tensor {
  const [height, width] = sizeOf(map);
  return height === size[0] && width === size[1] ? map : upsampleBilinear2d(map, size, true);
}
