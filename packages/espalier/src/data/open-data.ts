import type { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { didYouMean } from '../nearest-name.js';
import { resolveOptions } from '../space/options.js';
import { openAde20k } from './ade20k.js';
import { openCamvid } from './camvid.js';
import { openCifar10 } from './cifar10.js';
import { openCityscapes } from './cityscapes.js';
import type { ImageData } from './image-dataset.js';
import { openImageFolders } from './image-folders.js';
import type { SegmentationData } from './masked-images.js';
import { ade20kOptions, cityscapesOptions, masksOptions, seenSizeOptions } from './masked-options.js';
import { openMaskFolders } from './masks.js';
import { openMnist } from './mnist.js';
import { openText, type TextData } from './text.js';
import type { TextLevel } from './text-level.js';
import { openVoc } from './voc.js';

interface DataKind<Data> {
  /** How it is written on the command line. */
  readonly form: string;
  readonly takesPath: boolean;
  /** What can be written behind the path: `cityscapes:DIR,coarse=true`. */
  readonly options?: z.ZodObject;
  /** @param size in pixels of the images, of kinds that can be shown in any */
  readonly open: (path: string, size: number | undefined, options: Readonly<Record<string, Json>>) => Data;
  readonly anySize?: true;
}

/** Every kind of images; a new one is a file of its own and a line here. */
const IMAGES: ReadonlyMap<string, DataKind<ImageData>> = new Map<string, DataKind<ImageData>>([
  ['mnist', { form: 'mnist', takesPath: false, open: () => openMnist() }],
  ['cifar10', { form: 'cifar10:DIR', takesPath: true, open: (path) => openCifar10(path) }],
  ['images', { form: 'images:DIR', takesPath: true, anySize: true, open: openImageFolders }],
]);

/** Every kind of text, which is read at a level. */
const TEXTS: ReadonlyMap<string, DataKind<(level?: TextLevel) => TextData>> = new Map([
  ['text', { form: 'text:DIR', takesPath: true, open: (path) => (level) => openText(path, level) }],
]);

/** A kind of images with masks, whose options its own schema has parsed. */
const masked = <Options>(
  form: string,
  options: z.ZodObject,
  open: (path: string, options: Options, size?: number) => SegmentationData,
): DataKind<SegmentationData> => ({
  form,
  takesPath: true,
  anySize: true,
  options,
  open: (path, size, given) => open(path, given as Options, size),
});

/** Every kind of images with masks. */
const MASKED: ReadonlyMap<string, DataKind<SegmentationData>> = new Map([
  ['camvid', masked('camvid:DIR', seenSizeOptions, openCamvid)],
  ['voc', masked('voc:DIR', seenSizeOptions, openVoc)],
  ['cityscapes', masked('cityscapes:DIR', cityscapesOptions, openCityscapes)],
  ['ade20k', masked('ade20k:DIR', ade20kOptions, openAde20k)],
  ['masks', masked('masks:DIR', masksOptions, openMaskFolders)],
]);

const KINDS = { images: IMAGES, text: TEXTS, masks: MASKED } as const;

const ALL: ReadonlyMap<string, DataKind<unknown>> = new Map<string, DataKind<unknown>>(
  Object.values(KINDS).flatMap((kinds) => [...kinds]),
);

/** How the kinds that hold images, a text, or images with masks are written: `cifar10:DIR`. */
export function dataFormsOf(holds: keyof typeof KINDS): readonly string[] {
  const kinds: ReadonlyMap<string, DataKind<unknown>> = KINDS[holds];
  return [...kinds.values()].map(({ form }) => form);
}

/** Whether data is of a kind whose images can be shown in any size. */
export function hasAnySize(name: string): boolean {
  return ALL.get(name.split(':')[0] as string)?.anySize === true;
}

/**
 * Opens images by their name on the command line, `kind`, `kind:path` or `kind:path,option=value`; a relative path starts at the working folder.
 * Throws an InputError for an unknown kind, one of texts, a path missing or too many, and whatever is wrong with the
 * files.
 *
 * @param size height and width of the images, of kinds that can be shown in any
 */
export function openData(name: string, size?: number): ImageData {
  return open(name, IMAGES, 'images', size);
}

/** The same for a text. @param level of its tokens; words by default */
export function openTextData(name: string, level?: TextLevel): TextData {
  return open(name, TEXTS, 'a text')(level);
}

/**
 * The same for images with masks.
 *
 * @param size height and width of the crops of training images
 */
export function openMaskedData(name: string, size?: number): SegmentationData {
  return open(name, MASKED, 'images with masks', size);
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
    throw new InputError(
      ALL.has(word)
        ? `data "${name}": the kind "${word}" is not ${wanted}; allowed here: ${formsOf(kinds)}`
        : `data "${name}": unknown kind "${word}";${didYouMean(word, [...ALL.keys()])} ` +
            `known: ${formsOf(ALL)}`,
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
  if (kind.options === undefined) return kind.open(path, size, {});
  const [folder, given] = withoutOptions(path);
  return kind.open(folder, size, resolveOptions(`data ${word}`, kind.options, given));
}

/** Splits `DIR,key=value,...` into the path and the options, whose values are JSON or texts. */
function withoutOptions(path: string): [path: string, options: Record<string, Json>] {
  const written = /(?:,[A-Za-z][A-Za-z0-9]*=[^,]*)+$/.exec(path)?.[0] ?? '';
  const pairs = written.split(',').slice(1);
  return [
    path.slice(0, path.length - written.length),
    Object.fromEntries(
      pairs.map((pair): [string, Json] => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at), jsonOrText(pair.slice(at + 1))];
      }),
    ),
  ];
}

function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function formsOf(kinds: ReadonlyMap<string, DataKind<unknown>>): string {
  return [...kinds.values()].map(({ form }) => form).join(', ');
}
