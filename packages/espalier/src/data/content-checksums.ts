import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { InputError } from '../input-error.js';
import { readDataFile, reasonOf } from './data-file.js';
import { IMAGE_FORMATS } from './image-format.js';
import { faultOf } from './image-header.js';

/** What the cache knows of a file: the content has not changed as long as these are the same. */
interface Entry {
  /** Bytes. */
  readonly size: number;
  /** Of the content and of the file's data, in milliseconds. */
  readonly modified: number;
  readonly changed: number;
  readonly sha256: string;
}

/** Files changed later than this before they are read may change again without another time. */
const RECENT_MS = 2000;
/** Long searches for checksums save what they have, in case they are stopped. */
const SAVE_EVERY_MS = 30_000;

/** What the content of a file has to be. */
export interface ContentCheck {
  /** Of the file where the cache lies; another check has another. */
  readonly name: string;
  /** For messages: `an image (PNG, ...)`. */
  readonly wanted: string;
  /** What is wrong with the content, as a sentence that begins with the path; undefined where nothing is. */
  faultOf(bytes: Uint8Array): string | undefined;
}

const IMAGE: ContentCheck = {
  name: '',
  wanted: `an image (${IMAGE_FORMATS})`,
  faultOf(bytes) {
    const fault = faultOf(bytes);
    return fault === undefined ? undefined : `${fault}; expected ${this.wanted}`;
  },
};

/**
 * The checksums of the image files of a folder. A file is read once: the cache, a file below the user's cache folder, has
 * the checksum as long as the size and the times of the file stay the same. If the cache cannot be read or written, the
 * files are read again.
 */
export class ContentChecksums {
  readonly #folder: string;
  readonly #check: ContentCheck;
  readonly #cache: string | undefined;
  readonly #entries: Map<string, Entry>;
  #saved = performance.now();
  #isChanged = false;

  /** @param check what the files have to be: images by default */
  constructor(folder: string, check = IMAGE) {
    this.#folder = folder;
    this.#check = check;
    this.#cache = cacheFileOf(`${realpathSync(folder)}${check.name === '' ? '' : `\0${check.name}`}`);
    this.#entries = this.#cache === undefined ? new Map() : readCache(this.#cache);
  }

  /**
   * @param file path inside the folder
   * @returns SHA-256 in hexadecimal of its content
   * @throws InputError for a file that is not there, and for one that is not what it has to be
   */
  of(file: string): string {
    const path = join(this.#folder, file);
    const { wanted } = this.#check;
    const { size, mtimeMs: modified, ctimeMs: changed } = statOf(path, wanted);
    const known = this.#entries.get(file);
    if (known?.size === size && known.modified === modified && known.changed === changed) return known.sha256;
    const begun = Date.now();
    const bytes = readDataFile(path, wanted);
    const fault = this.#check.faultOf(bytes);
    if (fault !== undefined) throw new InputError(`${path}: ${fault}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (bytes.length === size && Math.max(modified, changed) < begun - RECENT_MS) {
      this.#entries.set(file, { size, modified, changed, sha256 });
      this.#isChanged = true;
      if (performance.now() - this.#saved > SAVE_EVERY_MS) this.save();
    }
    return sha256;
  }

  /** Writes the cache, if it has something new and can be written. */
  save(): void {
    if (this.#cache === undefined || !this.#isChanged) return;
    writeCache(this.#cache, this.#entries);
    this.#isChanged = false;
    this.#saved = performance.now();
  }
}

function statOf(path: string, wanted: string) {
  try {
    return statSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}; expected ${wanted}`);
  }
}

/** One file for each folder, in `$XDG_CACHE_HOME/espalier` or `~/.cache/espalier`. */
function cacheFileOf(folder: string): string | undefined {
  const { XDG_CACHE_HOME: given = '' } = process.env;
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  try {
    const base = isAbsolute(given) ? given : join(homedir(), '.cache');
    return join(base, 'espalier', 'image-checksums', `${name}.jsonl`);
  } catch {
    // There is no home.
    return undefined;
  }
}

/** @returns the entries that can be read; a line is `[file, size, modified, changed, sha256]` */
function readCache(cache: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  let text: string;
  try {
    text = readFileSync(cache, 'utf8');
  } catch {
    return entries;
  }
  for (const line of text.split('\n')) {
    const [file, size, modified, changed, sha256] = fieldsOf(line);
    if (
      typeof file === 'string' &&
      typeof size === 'number' &&
      typeof modified === 'number' &&
      typeof changed === 'number' &&
      typeof sha256 === 'string' &&
      /^[0-9a-f]{64}$/.test(sha256)
    )
      entries.set(file, { size, modified, changed, sha256 });
  }
  return entries;
}

function fieldsOf(line: string): unknown[] {
  try {
    const fields: unknown = JSON.parse(line);
    return Array.isArray(fields) ? fields : [];
  } catch {
    return [];
  }
}

function writeCache(cache: string, entries: ReadonlyMap<string, Entry>): void {
  const lines = Array.from(
    entries,
    ([file, { size, modified, changed, sha256 }]) =>
      `${JSON.stringify([file, size, modified, changed, sha256])}\n`,
  );
  const unfinished = `${cache}.${process.pid}`;
  try {
    mkdirSync(dirname(cache), { recursive: true });
    writeFileSync(unfinished, lines.join(''));
    renameSync(unfinished, cache);
  } catch {
    remove(unfinished);
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its folder cannot be read either.
  }
}
