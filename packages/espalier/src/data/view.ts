import type { Random } from '../random/random.js';

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** A rectangle of an image, in pixels. */
interface Part extends Size {
  readonly top: number;
  readonly left: number;
}

/** How an image of any size becomes one of the size that a network reads. */
export interface View {
  /** What of the image is looked at; all of it where this is missing. */
  readonly part?: Part;
  /** The size that it is resized to. */
  readonly resized: Size;
  /** What of that is left; all of it where this is missing. */
  readonly crop?: Part;
  /** Left and right are changed. */
  readonly mirrored: boolean;
}

/** How many times larger than the crop an image is made for evaluation: ImageNet's networks are tested with 256/224. */
export const EVALUATION_MARGIN = 256 / 224;

const RATIO = { least: 3 / 4, most: 4 / 3 };
const TRIES = 10;

/**
 * A part of random area, shape and place, resized: `RandomResizedCrop` of torchvision, by which ImageNet's networks are
 * trained (Szegedy et al. 2015, section 6). Its area is `least` to 1 of the image's, its width by its height 3/4 to
 * 4/3, evenly on a logarithmic scale. After ten that do not fit it is the middle of the image, as large as these ratios
 * let it be.
 */
export function drawPart(random: Random, { height, width }: Size, least: number): Part {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = height * width * (least + random.uniform() * (1 - least));
    const ratio = RATIO.least * (RATIO.most / RATIO.least) ** random.uniform();
    const wide = Math.round(Math.sqrt(area * ratio));
    const tall = Math.round(Math.sqrt(area / ratio));
    if (wide > 0 && wide <= width && tall > 0 && tall <= height)
      return {
        top: random.below(height - tall + 1),
        left: random.below(width - wide + 1),
        height: tall,
        width: wide,
      };
  }
  const tall = Math.max(1, Math.min(height, Math.round(width / RATIO.least)));
  const wide = Math.max(1, Math.min(width, Math.round(height * RATIO.most)));
  return {
    top: Math.floor((height - tall) / 2),
    left: Math.floor((width - wide) / 2),
    height: tall,
    width: wide,
  };
}

/**
 * The middle of an image: the side that is shorter for the crop's shape is resized to `margin` times the crop's, and the
 * centre cropped, as `Resize` and `CenterCrop` of torchvision do.
 */
export function centreView(image: Size, size: Size, margin: number): View & { readonly crop: Part } {
  const least = { height: Math.round(size.height * margin), width: Math.round(size.width * margin) };
  const byHeight = image.height * least.width <= image.width * least.height;
  const height = byHeight ? least.height : Math.floor((image.height * least.width) / image.width);
  const width = byHeight ? Math.floor((image.width * least.height) / image.height) : least.width;
  return {
    resized: { height, width },
    crop: { top: middle(height, size.height), left: middle(width, size.width), ...size },
    mirrored: false,
  };
}

/** Where the middle begins; half a pixel is rounded to the even one, as Python rounds in torchvision. */
function middle(outer: number, inner: number): number {
  const begin = (outer - inner) / 2;
  const floor = Math.floor(begin);
  return begin - floor === 0.5 && floor % 2 !== 0 ? floor + 1 : floor;
}
