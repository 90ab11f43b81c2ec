import { type Tensor, upsampleBilinear2d } from '@espalier/torch';

/** Height and width of a map, in pixels. */
export type Size = readonly [height: number, width: number];

export const sizeOf = ({ shape }: Tensor): Size => shape.slice(2) as [number, number];

/** What a convolution with stride 2 leaves of a map. */
export const halved = (map: Tensor): Size =>
  sizeOf(map).map((length) => Math.ceil(length / 2)) as [number, number];

/** Bilinear interpolation to another size, the corners upon the corners; the map itself where it has that size. */
export function resize(map: Tensor, size: Size): Tensor {
  const [height, width] = sizeOf(map);
  return height === size[0] && width === size[1] ? map : upsampleBilinear2d(map, size, true);
}
