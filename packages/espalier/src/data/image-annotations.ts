import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { readDataFile } from './data-file.js';
import { type ImageListing, listImages, passOver } from './image-listing.js';

/** Images in one folder, each with its class in a file beside it: the validation images of Tiny ImageNet. */
interface AnnotatedImages extends ImageListing {
  /** [files], the class of each. */
  readonly classes: readonly string[];
}

/**
 * Reads the images of `folder/images` and their classes from a file of lines `IMAGE<tab>CLASS...`, as Tiny ImageNet has
 * them in `val`. Images without a line are passed over.
 *
 * @param name of the file in `folder`
 * @param known the classes that there are
 * @returns no image at all where the file has no line
 * @throws InputError for a line with another class or without an image
 */
export function readAnnotatedImages(
  folder: string,
  name: string,
  known: ReadonlySet<string>,
): AnnotatedImages {
  const path = join(folder, name);
  const images = join(folder, 'images');
  const { files, passedOver } = listImages(images);
  const unseen = new Set(files);
  const labelled: { file: string; label: string }[] = [];
  const lines = readDataFile(path, 'lines of an image and its class').toString('utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    const [file = '', label = ''] = line.trim().split(/\s+/);
    if (file === '') continue;
    const place = `${path}:${index + 1}`;
    if (!known.has(label)) throw new InputError(`${place}: there is no class '${label}' in train`);
    if (!unseen.delete(file))
      throw new InputError(
        files.includes(file)
          ? `${place}: '${file}' has a line above already`
          : `${place}: there is no image '${file}' in ${images}`,
      );
    labelled.push({ file: `images/${file}`, label });
  }
  if (unseen.size > 0) passOver(passedOver, `without a line in ${name}`, unseen.size);
  return {
    files: labelled.map(({ file }) => file),
    classes: labelled.map(({ label }) => label),
    passedOver,
  };
}
