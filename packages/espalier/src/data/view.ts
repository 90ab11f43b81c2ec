import { InputError } from '../input-error.js';
import type { Random } from '../random/random.js';

/** In pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** A rectangle of an image, in pixels. */
export interface Part extends Size {
  readonly top: number;
  readonly left: number;
}

/** How an image of any size becomes one of the size that a network reads. The steps are made in this order. */
export interface View {
  /** The part of the image that is used. Default: all of it. */
  readonly part?: Part;
  /** The size to which that part is resized. */
  readonly resized: Size;
  /** The part of the result that is kept. Default: all of it. */
  readonly crop?: Part;
  /** Whether left and right are exchanged. */
  readonly mirrored: boolean;
}

/** The size to which an image is resized for evaluation, divided by the crop's: ImageNet's networks are tested with 256/224. */
export const EVALUATION_MARGIN = 256 / 224;

/** The most pixels of a resized image, 800 MB as floats; only images more than a thousand times as long as wide have more. */
const MOST_RESIZED = 2 ** 26;

const RATIO = { least: 3 / 4, most: 4 / 3 };
const TRIES = 10;

/**
 * A part of random area, shape and place: torchvision's `RandomResizedCrop`, with which ImageNet's networks are trained
 * (Szegedy et al. 2015, section 6). Its share of the image's area is uniform from `least` to 1, its ratio of width to
 * height from 3/4 to 4/3, uniform on a logarithmic scale. After ten draws that do not fit, it is the centre of the image,
 * as large as these ratios allow.
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
 * The centre of an image, as torchvision's `Resize` and `CenterCrop` show it: the image is resized so that one side is
 * `margin` times the crop's and the other one is at least that, and its centre is cropped.
 *
 * @param size of the crop
 * @throws InputError for an image so elongated that it would be resized to more than 67,108,864 pixels
 */
export function centreView(image: Size, size: Size, margin: number): View & { readonly crop: Part } {
  const least = { height: Math.round(size.height * margin), width: Math.round(size.width * margin) };
  const byHeight = image.height * least.width <= image.width * least.height;
  const height = byHeight ? least.height : Math.floor((image.height * least.width) / image.width);
  const width = byHeight ? Math.floor((image.width * least.height) / image.height) : least.width;
  if (height * width > MOST_RESIZED)
    throw new InputError(
      `an image of ${image.width} x ${image.height} pixels would be resized to ${width} x ${height}; ` +
        `at most ${MOST_RESIZED.toLocaleString('en')} pixels are allowed`,
    );
  return {
    resized: { height, width },
    crop: { top: middle(height, size.height), left: middle(width, size.width), ...size },
    mirrored: false,
  };
}

/** Where the centre begins. Half a pixel is rounded to the even one, as torchvision does in Python. */
function middle(outer: number, inner: number): number {
  const begin = (outer - inner) / 2;
  const floor = Math.floor(begin);
  return begin - floor === 0.5 && floor % 2 !== 0 ? floor + 1 : floor;
}
