import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** Writes an image of one colour. */
export async function writeImage(
  file: string,
  colour: readonly [number, number, number],
  { height = 12, width = 10 } = {},
): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const [r, g, b] = colour;
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } }).toFile(file);
}

/**
 * Image folders of three classes whose colour says the class: `train` with `counts[0]`, `counts[1]`, `counts[2]` images,
 * and `val` with one of each.
 */
export async function writeImageFolders(folder: string, counts: readonly number[]): Promise<string> {
  for (const [label, name] of ['ant', 'bee', 'cat'].entries()) {
    for (let image = 0; image < counts[label]!; image++)
      await writeImage(join(folder, 'train', name, `${image}.png`), [100 * label, 10 * image, 50], {
        height: 12 + image,
      });
    await writeImage(join(folder, 'val', name, 'only.jpeg'), [100 * label, 200, 50]);
  }
  return folder;
}
