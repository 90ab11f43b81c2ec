import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import { type Augmentation, marginOf, type Placement } from './augmentation.js';
import type { ChannelStatistics } from './channel-statistics.js';
import { type ColourJitter, jitterColours } from './colour-jitter.js';
import type { ImagesInMemory } from './image-dataset.js';

/** Copies an image of a set into a batch: augmented and normalised. */
interface ImageWriter {
  /** Writes image `index` of the set to `out`: height x width x channels numbers, from element `at` on. */
  write(index: number, placement: Placement, out: Float32Array, at: number): void;
}

/** The writer for a set and an augmentation. */
export function imageWriter(
  set: ImagesInMemory,
  statistics: ChannelStatistics,
  augmentation: Augmentation,
): ImageWriter {
  const { crop, colour, cutout } = augmentation;
  const margin = marginOf(augmentation);
  const plain =
    crop?.from === 'upsampled'
      ? new UpsampledWriter(set, statistics, margin)
      : new PaddedWriter(set, statistics, margin);
  const coloured = colour === undefined ? plain : new JitteringWriter(plain, set, statistics, colour);
  return cutout === undefined ? coloured : new CutoutWriter(coloured, set, cutout);
}

/** Crops from the image with black around it. A table has the normalised value of each byte, for each channel. */
class PaddedWriter implements ImageWriter {
  readonly #set: ImagesInMemory;
  readonly #margin: number;
  /** [channels, 256] */
  readonly #normalised: Float32Array;
  /** [width, channels]: a row of black. */
  readonly #blackRow: Float32Array;

  constructor(set: ImagesInMemory, { mean, standardDeviation }: ChannelStatistics, margin: number) {
    const { channels, width } = set;
    this.#set = set;
    this.#margin = margin;
    this.#normalised = Float32Array.from({ length: 256 * channels }, (_, i) => {
      const c = Math.floor(i / 256);
      return ((i % 256) / 255 - mean[c]!) / standardDeviation[c]!;
    });
    this.#blackRow = Float32Array.from(
      { length: width * channels },
      (_, i) => this.#normalised[256 * (i % channels)]!,
    );
  }

  write(index: number, { top, left, mirrored }: Placement, out: Float32Array, at: number): void {
    const { images, height, width, channels } = this.#set;
    const normalised = this.#normalised;
    const row = width * channels;
    const down = top - this.#margin;
    const right = left - this.#margin;
    // The columns of the crop that are on the image, before mirroring.
    const first = Math.min(width, Math.max(0, -right));
    const end = Math.max(first, Math.min(width, width - right));
    const step = mirrored ? -channels : channels;
    for (let y = 0; y < height; y++) {
      const outRow = at + y * row;
      const outside = y + down < 0 || y + down >= height;
      if (outside || first > 0 || end < width) out.set(this.#blackRow, outRow);
      if (outside) continue;
      const fromRow = ((index * height + y + down) * width + first + right) * channels;
      const toRow = outRow + (mirrored ? width - 1 - first : first) * channels;
      // One channel at a time: the inner loop then has one counter less, which saves a third of the time.
      for (let c = 0; c < channels; c++) {
        const table = 256 * c;
        const fromEnd = fromRow + (end - first) * channels;
        let to = toRow + c;
        for (let from = fromRow + c; from < fromEnd; from += channels, to += step) {
          out[to] = normalised[table + images[from]!]!;
        }
      }
    }
  }
}

/** For each row (or column) of the enlarged image: where the two rows of the image begin that it lies between. */
interface Axis {
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** The share of `high`; `low` has the rest. */
  readonly weight: Float64Array;
}

/** Crops from the image enlarged by bilinear interpolation. */
class UpsampledWriter implements ImageWriter {
  readonly #set: ImagesInMemory;
  readonly #rows: Axis;
  readonly #columns: Axis;
  /** Normalised = scale * byte + shift; one of each per channel. */
  readonly #scale: Float64Array;
  readonly #shift: Float64Array;
  /** [width, channels]: a row between two rows of the image. */
  readonly #between: Float64Array;

  constructor(set: ImagesInMemory, { mean, standardDeviation }: ChannelStatistics, margin: number) {
    this.#set = set;
    this.#rows = axisOf(set.height, margin, set.width * set.channels);
    this.#columns = axisOf(set.width, margin, set.channels);
    this.#scale = standardDeviation.map((deviation) => 1 / (255 * deviation));
    this.#shift = standardDeviation.map((deviation, c) => -mean[c]! / deviation);
    this.#between = new Float64Array(set.width * set.channels);
  }

  write(index: number, { top, left, mirrored }: Placement, out: Float32Array, at: number): void {
    const { images, height, width, channels } = this.#set;
    const { low, high, weight } = this.#columns;
    const between = this.#between;
    const row = width * channels;
    const step = mirrored ? -channels : channels;
    for (let y = 0; y < height; y++) {
      const above = index * height * row + this.#rows.low[y + top]!;
      const below = index * height * row + this.#rows.high[y + top]!;
      const down = this.#rows.weight[y + top]!;
      for (let i = 0; i < row; i++) {
        between[i] = images[above + i]! * (1 - down) + images[below + i]! * down;
      }
      const toRow = at + y * row + (mirrored ? row - channels : 0);
      for (let c = 0; c < channels; c++) {
        const scale = this.#scale[c]!;
        const shift = this.#shift[c]!;
        let to = toRow + c;
        for (let x = left; x < left + width; x++, to += step) {
          const right = weight[x]!;
          const value = between[low[x]! + c]! * (1 - right) + between[high[x]! + c]! * right;
          out[to] = value * scale + shift;
        }
      }
    }
  }
}

/**
 * Half-pixel centres: pixel i of the larger axis lies at (i + 1/2) size / larger - 1/2, but never beyond the edge pixels.
 * `stride` is the number of elements from one pixel of the axis to the next.
 */
function axisOf(size: number, margin: number, stride: number): Axis {
  const larger = size + 2 * margin;
  const positions = Float64Array.from({ length: larger }, (_, i) =>
    Math.min(size - 1, Math.max(0, ((i + 0.5) * size) / larger - 0.5)),
  );
  return {
    low: Int32Array.from(positions, (position) => Math.floor(position) * stride),
    high: Int32Array.from(positions, (position) => Math.min(Math.floor(position) + 1, size - 1) * stride),
    weight: positions.map((position) => position - Math.floor(position)),
  };
}

/** Changes the colours of the image that another writer wrote, as bytes. */
class JitteringWriter implements ImageWriter {
  readonly #inner: ImageWriter;
  readonly #statistics: ChannelStatistics;
  readonly #jitter: ColourJitter;
  /** [height, width, 3] */
  readonly #pixels: Uint8Array;

  constructor(
    inner: ImageWriter,
    { height, width, channels }: ImagesInMemory,
    statistics: ChannelStatistics,
    jitter: ColourJitter,
  ) {
    if (channels !== 3)
      throw new InputError(
        `colour jitter of images of ${channels} channels: only red, green and blue can be changed in hue`,
      );
    this.#inner = inner;
    this.#statistics = statistics;
    this.#jitter = jitter;
    this.#pixels = new Uint8Array(height * width * channels);
  }

  write(index: number, placement: Placement, out: Float32Array, at: number): void {
    const { mean, standardDeviation } = this.#statistics;
    const pixels = this.#pixels;
    this.#inner.write(index, placement, out, at);
    for (let i = 0; i < pixels.length; i++)
      pixels[i] = Math.round((out[at + i]! * standardDeviation[i % 3]! + mean[i % 3]!) * 255);
    jitterColours(pixels, Random.of(placement.colour, 'colours'), this.#jitter);
    for (let i = 0; i < pixels.length; i++)
      out[at + i] = (pixels[i]! / 255 - mean[i % 3]!) / standardDeviation[i % 3]!;
  }
}

/** Sets a square of the image that another writer wrote to 0, the mean pixel. */
class CutoutWriter implements ImageWriter {
  readonly #inner: ImageWriter;
  readonly #set: ImagesInMemory;
  readonly #side: number;

  constructor(inner: ImageWriter, set: ImagesInMemory, side: number) {
    this.#inner = inner;
    this.#set = set;
    this.#side = side;
  }

  write(index: number, placement: Placement, out: Float32Array, at: number): void {
    const { height, width, channels } = this.#set;
    const { cutTop, cutLeft } = placement;
    this.#inner.write(index, placement, out, at);
    const first = Math.max(0, cutLeft);
    const end = Math.min(width, cutLeft + this.#side);
    for (let y = Math.max(0, cutTop); y < Math.min(height, cutTop + this.#side); y++) {
      out.fill(0, at + (y * width + first) * channels, at + (y * width + end) * channels);
    }
  }
}
