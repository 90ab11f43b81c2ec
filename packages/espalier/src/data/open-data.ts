import { InputError } from '../input-error.js';
import { didYouMean } from '../nearest-name.js';
import { openCifar10 } from './cifar10.js';
import type { ImageData } from './image-dataset.js';
import { openImageFolders } from './image-folders.js';
import { openMnist } from './mnist.js';
import { openText, type TextData } from './text.js';

interface DataKind<Data> {
  /** How it is written on the command line. */
  readonly form: string;
  readonly takesPath: boolean;
  /** @param size in pixels of the images, of kinds that can be shown in any */
  readonly open: (path: string, size?: number) => Data;
  readonly anySize?: true;
}

/** Every kind of images; a new one is a file of its own and a line here. */
const IMAGES: ReadonlyMap<string, DataKind<ImageData>> = new Map<string, DataKind<ImageData>>([
  ['mnist', { form: 'mnist', takesPath: false, open: () => openMnist() }],
  ['cifar10', { form: 'cifar10:DIR', takesPath: true, open: (path) => openCifar10(path) }],
  ['images', { form: 'images:DIR', takesPath: true, anySize: true, open: openImageFolders }],
]);

/** Every kind of text. */
const TEXTS: ReadonlyMap<string, DataKind<TextData>> = new Map([
  ['text', { form: 'text:DIR', takesPath: true, open: openText }],
]);

/** How all kinds of data are written. */
const dataForms: readonly string[] = [...IMAGES.values(), ...TEXTS.values()].map(({ form }) => form);

/** How the kinds that hold images, or a text, are written: `cifar10:DIR`. */
export function dataFormsOf(holds: 'images' | 'text'): readonly string[] {
  const kinds: ReadonlyMap<string, DataKind<unknown>> = { images: IMAGES, text: TEXTS }[holds];
  return [...kinds.values()].map(({ form }) => form);
}

/**
 * Opens images by their name on the command line, `kind` or `kind:path`; a relative path starts at the working folder.
 * Throws an InputError for an unknown kind, one of texts, a path missing or too many, and whatever is wrong with the
 * files.
 *
 * @param size height and width of the images, of kinds that can be shown in any
 */
export function openData(name: string, size?: number): ImageData {
  return open(name, IMAGES, 'images', size);
}

/** The same for a text. */
export function openTextData(name: string): TextData {
  return open(name, TEXTS, 'a text');
}

function open<Data>(
  name: string,
  kinds: ReadonlyMap<string, DataKind<Data>>,
  wanted: string,
  size?: number,
): Data {
  const colon = name.indexOf(':');
  const word = colon < 0 ? name : name.slice(0, colon);
  const path = colon < 0 ? '' : name.slice(colon + 1);
  const kind = kinds.get(word);
  if (kind === undefined) {
    const known = IMAGES.has(word) || TEXTS.has(word);
    throw new InputError(
      known
        ? `data "${name}": the kind "${word}" is not ${wanted}; allowed here: ${formsOf(kinds)}`
        : `data "${name}": unknown kind "${word}";${didYouMean(word, [...IMAGES.keys(), ...TEXTS.keys()])} ` +
            `known: ${dataForms.join(', ')}`,
    );
  }
  if (kind.takesPath !== (path !== '')) {
    throw new InputError(
      `data "${name}": ${kind.takesPath ? 'the path is missing' : 'takes no path'}; write ${kind.form}`,
    );
  }
  if (size !== undefined && kind.anySize !== true)
    throw new InputError(
      `data "${name}": image size ${size}: ${word} has images of one size; ` +
        `a size can be chosen of ${formsOf(new Map([...kinds].filter(([, { anySize }]) => anySize)))}`,
    );
  return kind.open(path, size);
}

function formsOf(kinds: ReadonlyMap<string, DataKind<unknown>>): string {
  return [...kinds.values()].map(({ form }) => form).join(', ');
}
