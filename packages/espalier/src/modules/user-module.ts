import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import * as torch from '@espalier/torch';
import { createJiti } from 'jiti';
import { InputError } from '../input-error.js';
import { filesFrom, graphOf, type ImportGraph, type ModuleFiles } from './import-graph.js';
import { wholeLibrary } from './library.js';
import { rememberTrust, requireTrust } from './trusted-files.js';

/** Whether a name has the ending of a TypeScript or JavaScript module. */
export const isModule = (name: string) => /\.[cm]?[jt]s$/.test(name);

/** A name with a slash or with a module's ending is the path of a file. */
export const isFile = (name: string) => /[/\\]/.test(name) || isModule(name);

/** What a module of the user exports by default. */
export interface UserModule {
  readonly exported: unknown;
  readonly graph: ImportGraph;
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
  const graph = graphOf(path);
  requireTrust(what, graph);
  const espalier = await wholeLibrary();
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    virtualModules: { espalier, '@espalier/torch': torch },
  });
  for (const file of [path, ...graph.contents.keys()]) loaded.add(file);
  let exported: unknown;
  try {
    exported = await jiti.import(path, { default: true });
  } catch (error) {
    throw new InputError(`${what} '${name}' cannot be loaded: ${(error as Error).message}`);
  }
  rememberTrust(path, { ...graph.files, ...loadedFiles(graph) });
  return { exported, graph };
}

/** The files that were loaded, from the root. */
const loaded = new Set<string>();

/** Where the innermost line of a file of the user is on a stack: `my-space.ts:23`; undefined where none is. */
export function lineOfUser(stack: string | undefined): string | undefined {
  for (const at of stack?.split('\n') ?? []) {
    const [, line] = /:(\d+):\d+\)?$/.exec(at.trim()) ?? [];
    const file = line === undefined ? undefined : [...loaded].find((path) => at.includes(`${path}:`));
    if (file !== undefined) return `${basename(file)}:${line}`;
  }
  return undefined;
}

const { cache } = createRequire(import.meta.url);

/** The user's files that the loader has run for a module, as far as it knows: also those whose names are computed. */
function loadedFiles({ entry, real }: ImportGraph): ModuleFiles {
  const contents = new Map<string, Buffer>();
  const visit = (file: string): void => {
    if (contents.has(file) || /[/\\]node_modules[/\\]/.test(file) || !existsSync(file)) return;
    contents.set(file, readFileSync(file));
    for (const child of cache[file]?.children ?? []) visit(child.filename);
  };
  for (const child of (cache[entry] ?? cache[real])?.children ?? []) visit(child.filename);
  return filesFrom(real, contents);
}
