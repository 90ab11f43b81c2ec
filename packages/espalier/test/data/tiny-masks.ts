import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** Writes a grey PNG of one number a pixel. */
export async function writeMask(
  file: string,
  labels: Uint8Array,
  { height, width }: { readonly height: number; readonly width: number },
): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  await sharp(labels, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(file);
}

/** Writes an image from its bytes [height, width, 3]. */
export async function writePixels(
  file: string,
  pixels: Uint8Array,
  { height, width }: { readonly height: number; readonly width: number },
): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
}

/** A picture whose colours say the classes: a boundary at a place that differs by image. */
export function picture(
  index: number,
  { height, width }: { readonly height: number; readonly width: number },
  voids = false,
): { pixels: Uint8Array; labels: Uint8Array } {
  const labels = new Uint8Array(height * width);
  const pixels = new Uint8Array(3 * height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const label = x < 2 + ((3 * index) % (width - 3)) ? 3 : y < height / 2 ? 0 : 8;
      labels[at] = voids && y === 0 ? 11 : label;
      pixels.set([25 * label, 200 - 20 * label, (17 * index + at) % 50], 3 * at);
    }
  return { pixels, labels };
}

/** CamVid as it is given, with pictures of 16 x 12 pixels; those to train on have void. */
export async function writeTinyCamvid(
  folder: string,
  counts: { readonly train: number; readonly val: number; readonly test: number },
  size = { height: 12, width: 16 },
): Promise<string> {
  for (const [place, part] of (['train', 'val', 'test'] as const).entries())
    for (let image = 0; image < counts[part]; image++) {
      const { pixels, labels } = picture(10 * place + image, size, part === 'train');
      await writePixels(join(folder, part, `${image}.png`), pixels, size);
      await writeMask(join(folder, `${part}annot`, `${image}.png`), labels, size);
    }
  return folder;
}
