import { readFile } from 'node:fs/promises';
import { reasonOf } from './data-file.js';
import { DamagedImage, OversizedImage } from './decoded-image.js';
import { imageFormatOf } from './image-format.js';
import { damaged } from './image-header.js';
import { decodeIndexPng, type IndexImage, NoIndexImage } from './png.js';

/** The label of pixels that neither a loss nor a measure counts: void, or beyond the image. */
export const IGNORED = 255;
/** What a mask may not hold. */
const REFUSED = 254;
/** Classes are numbered below the two labels that are none. */
export const MOST_CLASSES = 254;

export const MASK_WANTED = 'a mask: a PNG with one number a pixel, grey or of a palette';

/** What the numbers in masks mean. Plain data: threads get a copy. */
export interface MaskLabels {
  /** [256], by the number in the mask: a class from 0 on, `IGNORED`, or another value for a number that must not occur. */
  readonly classOf: Uint8Array;
  /** The numbers that may occur, for messages: `0 to 10, and 11 for void`. */
  readonly allowed: string;
}

/**
 * @param classOf the class of a number in a mask, `IGNORED`, or undefined for one that must not occur
 * @param allowed for messages
 */
export function maskLabels(classOf: (value: number) => number | undefined, allowed: string): MaskLabels {
  return { classOf: Uint8Array.from({ length: 256 }, (_, value) => classOf(value) ?? REFUSED), allowed };
}

/**
 * Decodes a mask to the class of each pixel.
 *
 * @throws Error with the reason in one line, without the path
 */
export function decodeMask(bytes: Uint8Array, labels: MaskLabels): IndexImage {
  const image = indicesOf(bytes);
  const { data, width } = image;
  const { classOf, allowed } = labels;
  const classes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    const label = classOf[value] as number;
    if (label === REFUSED)
      throw new Error(
        `the pixel at column ${i % width}, row ${Math.floor(i / width)} has the label ${value}; allowed: ${allowed}`,
      );
    classes[i] = label;
  }
  return { ...image, data: classes };
}

function indicesOf(bytes: Uint8Array): IndexImage {
  const format = imageFormatOf(bytes);
  if (format !== 'PNG')
    throw new Error(
      `${bytes.length === 0 ? 'is empty' : `is ${format === undefined ? 'no image' : `of the format ${format}`}`}; expected ${MASK_WANTED}`,
    );
  try {
    return decodeIndexPng(bytes);
  } catch (error) {
    if (error instanceof NoIndexImage) throw new Error(`${error.message}; expected ${MASK_WANTED}`);
    if (error instanceof DamagedImage) throw new Error(`${damaged('PNG')}: ${error.message}`);
    if (error instanceof OversizedImage) throw error;
    throw error;
  }
}

/** Reads and decodes the file of a mask. @throws Error as `decodeMask`, and where it cannot be read */
export async function readMask(path: string, labels: MaskLabels): Promise<IndexImage> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new Error(`${reasonOf(error)}; expected ${MASK_WANTED}`);
  });
  return decodeMask(bytes, labels);
}
