import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { type ImportGraph, type ModuleFiles, sha256 } from './import-graph.js';

const moduleFiles = z.record(z.string(), z.string());

/** The files that the user has named; undefined where every file may be imported. */
let named: ReadonlySet<string> | undefined;

/**
 * From now on this process imports only modules that the user asks for: those at these paths, and those of the same
 * content that were asked for in an earlier process. A run or an architecture from elsewhere may name a module, and to
 * import a module is to run it. Until this is called every module may be imported, because a program that uses the
 * library has chosen what it reads.
 *
 * @param paths relative to the working folder
 */
export function importOnly(paths: Iterable<string>): void {
  named = new Set([...paths].map((path) => resolve(path)));
}

/**
 * @param what the module is for: `space`
 * @throws InputError for a module that the user has not asked for
 */
export function requireTrust(what: string, graph: ImportGraph): void {
  const { entry: path } = graph;
  if (named === undefined || named.has(path) || isKnown(graph)) return;
  throw new InputError(
    `${what} ${path} is a program, and you have not named it or it has changed since; to run it, add --trust ${path}`,
  );
}

/** Remembers a module, now loaded, if the user has named it. */
export function rememberTrust(path: string, files: ModuleFiles): void {
  if (!named?.has(path)) return;
  const text = JSON.stringify(files);
  const file = join(memory(), `${entryKey(path)}-${sha256(text).slice(0, 16)}.json`);
  if (existsSync(file)) return;
  try {
    mkdirSync(memory(), { recursive: true });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch {
    // Without a home that can be written to, the user names the file again.
  }
}

/** Where files that were named are remembered. */
const memory = () =>
  join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'espalier', 'trusted');

/** A module is known by what is in it, so that a project that was moved is still known. */
const entryKey = (path: string) => sha256(readFileSync(path));

function isKnown({ entry, files }: ImportGraph): boolean {
  const folder = memory();
  if (!existsSync(folder)) return false;
  const prefix = `${entryKey(entry)}-`;
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && file.endsWith('.json'))
    .map((file) => readFiles(join(folder, file)))
    .some((known) => isSame(dirname(entry), known) && holds(known, files));
}

/** Whether all files of a graph are among those that are known. */
function holds(known: ModuleFiles, files: ModuleFiles): boolean {
  return Object.entries(files).every(([file, checksum]) => known[file] === checksum);
}

function readFiles(file: string): ModuleFiles {
  try {
    return moduleFiles.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // A torn or foreign file vouches for nothing.
    return {};
  }
}

function isSame(folder: string, files: ModuleFiles): boolean {
  const entries = Object.entries(files);
  return (
    entries.length > 0 &&
    entries.every(([file, checksum]) => {
      const path = join(folder, file);
      return existsSync(path) && sha256(readFileSync(path)) === checksum;
    })
  );
}
