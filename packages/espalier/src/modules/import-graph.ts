import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { InputError } from '../input-error.js';

/** SHA-256 of files, by their paths from the folder of the module that begins the graph. */
export type ModuleFiles = Readonly<Record<string, string>>;

/** A module of the user and what it imports from the user's own files, to any depth. */
export interface ImportGraph {
  /** Absolute path of the module. */
  readonly entry: string;
  /** The same without symbolic links among its folders. */
  readonly real: string;
  readonly files: ModuleFiles;
  /** What is in each file, by its absolute path. */
  readonly contents: ReadonlyMap<string, Buffer>;
  /** SHA-256 of all files and of where they lie beside each other. */
  readonly checksum: string;
}

/** What a module may be written in. JSON can be imported too, and imports nothing. */
const CODE = /\.[cm]?[jt]sx?$/;
const MODULE = /(\.[cm]?[jt]sx?|\.json)$/;

/** A literal that an import or a call of `require` names, and every literal that is a relative path. */
const SPECIFIERS =
  /\b(?:require|jitiImport)\(\s*(["'`])((?:(?!\1)[^\\\n])*)\1|(["'`])(\.\.?\/(?:(?!\3)[^\\\n])*)\3/g;

/** What names a file of the user; everything else names a package. */
const OWN = /^(\.\.?\/|\/|file:|#)/;

const jiti = createJiti(import.meta.url, { fsCache: false });

/**
 * The graph of a module, found without running it. A file counts if a literal names it: `import`, `export ... from`,
 * `require`, `import()`, or any other literal that is the relative path of a module. Names that are computed are not seen,
 * nor are the files of packages.
 *
 * @param entry absolute path
 * @throws InputError for a file that cannot be read
 */
export function graphOf(entry: string): ImportGraph {
  const contents = new Map<string, Buffer>();
  const visit = (file: string): void => {
    if (contents.has(file) || /[/\\]node_modules[/\\]/.test(file)) return;
    const content = read(file);
    contents.set(file, content);
    if (CODE.test(file)) for (const imported of importsOf(file, content)) visit(imported);
  };
  const real = realPath(entry);
  visit(real);
  const files = filesFrom(real, contents);
  return { entry, real, files, contents, checksum: checksumOf(files) };
}

/** Checksums of files by their paths from a module's folder, in the order of these paths. */
export function filesFrom(entry: string, contents: ReadonlyMap<string, Buffer>): ModuleFiles {
  return Object.fromEntries(
    [...contents.keys()]
      .sort()
      .map((file) => [relative(dirname(entry), file), sha256(contents.get(file) as Buffer)]),
  );
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Imports are found below the real folder. */
function realPath(entry: string): string {
  try {
    return join(realpathSync(dirname(entry)), basename(entry));
  } catch (error) {
    throw unreadable(entry, error);
  }
}

function unreadable(file: string, error: unknown): InputError {
  return new InputError(`${file}: cannot be read: ${(error as Error).message}`);
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function importsOf(file: string, content: Buffer): string[] {
  // The loader writes all forms of import as calls, and leaves those of types out.
  const code = jiti.transform({
    source: content.toString('utf8'),
    filename: file,
    ts: /ts$/.test(extname(file)),
    async: true,
  });
  return [...code.matchAll(SPECIFIERS)].flatMap(([, , called, , path]) => {
    const specifier = (called ?? path) as string;
    const found = OWN.test(specifier) ? resolved(specifier, file) : undefined;
    return found === undefined ? [] : [found];
  });
}

/** The path of an imported file; undefined for what is none. */
function resolved(specifier: string, from: string): string | undefined {
  try {
    const url = jiti.esmResolve(specifier, { parentURL: from, try: true });
    if (url?.startsWith('file:') !== true) return undefined;
    const path = fileURLToPath(url);
    return MODULE.test(path) && existsSync(path) ? path : undefined;
  } catch {
    // Loading the module says what is wrong with its imports.
    return undefined;
  }
}

function checksumOf(files: ModuleFiles): string {
  const hash = createHash('sha256');
  for (const [file, checksum] of Object.entries(files)) hash.update(`${file}\0`).update(checksum, 'hex');
  return hash.digest('hex');
}
