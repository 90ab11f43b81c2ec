import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DecodedImage } from '../data/decoded-image.js';
import { encodePng } from '../data/encode-png.js';
import { replaceFile } from '../runs/atomic-file.js';
import type { Sample } from '../tasks/task.js';

/** Where the pictures of a training are. */
const samplesFolder = (folder: string) => join(folder, 'samples');

/** Between two pictures, in pixels. */
const GAP = 4;
/** Wider ones are shown at a half, a third, ... of their size. */
const MOST_WIDE = 360;

/** What `readSamples` gives back: pictures side by side. */
export interface WrittenSample {
  readonly name: string;
  readonly png: Uint8Array;
}

/** Writes a picture for each sample, `samples/NAME.png`: what the task shows of it, side by side. */
export async function writeSamples(folder: string, samples: readonly Sample[]): Promise<void> {
  mkdirSync(samplesFolder(folder), { recursive: true });
  for (const { name, pictures } of samples)
    replaceFile(
      join(samplesFolder(folder), `${name}.png`),
      await encodePng(sideBySide(pictures.map(smaller))),
    );
}

/** The pictures that were written, by their names; none where there are none. */
export function readSamples(folder: string): WrittenSample[] {
  let files: string[];
  try {
    files = readdirSync(samplesFolder(folder));
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.png'))
    .sort()
    .map((file) => ({
      name: file.slice(0, -'.png'.length),
      png: readFileSync(join(samplesFolder(folder), file)),
    }));
}

/** Every second, third, ... pixel, so that labels stay labels. */
function smaller({ data, width, height }: DecodedImage): DecodedImage {
  const step = Math.ceil(width / MOST_WIDE);
  if (step === 1) return { data, width, height };
  const size = { width: Math.ceil(width / step), height: Math.ceil(height / step) };
  const pixels = new Uint8Array(3 * size.width * size.height);
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++) {
      const from = 3 * (y * step * width + x * step);
      pixels.set(data.subarray(from, from + 3), 3 * (y * size.width + x));
    }
  return { data: pixels, ...size };
}

/** On white. */
export function sideBySide(pictures: readonly DecodedImage[]): DecodedImage {
  const width = pictures.reduce((sum, picture) => sum + picture.width + GAP, -GAP);
  const height = Math.max(...pictures.map((picture) => picture.height));
  const data = new Uint8Array(3 * width * height).fill(255);
  let left = 0;
  for (const picture of pictures) {
    for (let y = 0; y < picture.height; y++)
      data.set(
        picture.data.subarray(3 * y * picture.width, 3 * (y + 1) * picture.width),
        3 * (y * width + left),
      );
    left += picture.width + GAP;
  }
  return { data, width, height };
}
