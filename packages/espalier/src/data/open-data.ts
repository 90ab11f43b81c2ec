import { InputError } from '../input-error.js';
import { openCifar10 } from './cifar10.js';
import type { ImageData } from './image-dataset.js';
import { openMnist } from './mnist.js';

interface DataKind {
  /** How it is written on the command line. */
  readonly form: string;
  readonly takesPath: boolean;
  readonly open: (path: string) => ImageData;
}

/** Every kind of data; a new one is a file of its own and a line here. */
const KINDS: ReadonlyMap<string, DataKind> = new Map([
  ['mnist', { form: 'mnist', takesPath: false, open: () => openMnist() }],
  ['cifar10', { form: 'cifar10:DIR', takesPath: true, open: openCifar10 }],
]);

/**
 * Opens data by its name on the command line, `kind` or `kind:path`; a relative path starts at the working folder.
 * Throws an InputError for an unknown kind, a path missing or too many, and whatever is wrong with the files.
 */
export function openData(name: string): ImageData {
  const colon = name.indexOf(':');
  const word = colon < 0 ? name : name.slice(0, colon);
  const path = colon < 0 ? '' : name.slice(colon + 1);
  const kind = KINDS.get(word);
  if (kind === undefined) {
    const forms = [...KINDS.values()].map(({ form }) => form).join(', ');
    throw new InputError(`data "${name}": unknown kind "${word}"; known: ${forms}`);
  }
  if (kind.takesPath !== (path !== '')) {
    throw new InputError(
      `data "${name}": ${kind.takesPath ? 'the path is missing' : 'takes no path'}; write ${kind.form}`,
    );
  }
  return kind.open(path);
}
