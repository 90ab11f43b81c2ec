import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import * as torch from '@espalier/torch';
import { createJiti } from 'jiti';
import { InputError } from '../input-error.js';
import { wholeLibrary } from './library.js';
import { type ModuleFiles, rememberTrust, requireTrust } from './trusted-files.js';

/** Whether a name has the ending of a TypeScript or JavaScript module. */
export const isModule = (name: string) => /\.[cm]?[jt]s$/.test(name);

/** A name with a slash or with a module's ending is the path of a file. */
export const isFile = (name: string) => /[/\\]/.test(name) || isModule(name);

/** What a module of the user exports by default. */
export interface UserModule {
  readonly exported: unknown;
  /** SHA-256 of the module and of everything that it imports from the user's own files. */
  readonly checksum: string;
}

/**
 * Loads a TypeScript or JavaScript module of the user. `import ... from 'espalier'` in it is this very library, wherever
 * the file lies: a tensor must be the same class on both sides.
 *
 * @param what the module is for, for messages: `space`
 * @param from the folder that a relative path begins at
 * @throws InputError for a file that is missing or broken, or that the user has not asked for: see `importOnly`
 */
export async function loadModule(what: string, name: string, from: string): Promise<UserModule> {
  const path = resolve(from, name);
  if (!existsSync(path)) throw new InputError(`${what} '${name}': there is no file ${path}`);
  requireTrust(what, path);
  const espalier = await wholeLibrary();
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    virtualModules: { espalier, '@espalier/torch': torch },
  });
  let exported: unknown;
  try {
    exported = await jiti.import(path, { default: true });
  } catch (error) {
    throw new InputError(`${what} '${name}' cannot be loaded: ${(error as Error).message}`);
  }
  const files = filesOf(path);
  rememberTrust(path, files);
  return { exported, checksum: checksumOf(files) };
}

const { cache } = createRequire(import.meta.url);

/** The module alone where the loader does not know what it imports. */
function filesOf(entry: string): ModuleFiles {
  const files = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file) || /[/\\]node_modules[/\\]/.test(file)) return;
    files.add(file);
    for (const child of cache[file]?.children ?? []) visit(child.filename);
  };
  visit(entry);
  return Object.fromEntries(
    [...files]
      .sort()
      .map((file) => [
        relative(dirname(entry), file),
        createHash('sha256').update(readFileSync(file)).digest('hex'),
      ]),
  );
}

function checksumOf(files: ModuleFiles): string {
  const hash = createHash('sha256');
  for (const [file, checksum] of Object.entries(files)) hash.update(`${file}\0`).update(checksum, 'hex');
  return hash.digest('hex');
}
