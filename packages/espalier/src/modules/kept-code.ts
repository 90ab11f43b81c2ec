import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { graphOf, type ImportGraph, type ModuleFiles } from './import-graph.js';
import { noteOnce } from './notes.js';
import { isFile } from './user-module.js';

/** A part of a run, written by the user, as it was when the run was begun. */
export interface BegunPart {
  /** The run's folder. */
  readonly run: string;
  /** Of its import graph; undefined where the run did not say. */
  readonly checksum: string | undefined;
  /** Whether the run is only read, or goes on: what goes on must not change in between. */
  readonly use: 'read' | 'go on';
}

/** The copies lie beside each other as the files did, in `code/CHECKSUM`; `code/CHECKSUM.json` says what they are. */
const keptGraph = z.strictObject({
  /** Path of the module inside the folder of the copies. */
  entry: z.string(),
  files: z.record(z.string(), z.string()),
});

const codeIn = (run: string) => join(run, 'code');
const descriptionOf = (run: string, checksum: string) => join(codeIn(run), `${checksum.slice(0, 16)}.json`);

/** Copies the user's code into a run's folder, so that the run can be read whatever becomes of the files. */
export function keepCode(run: string, graphs: Iterable<ImportGraph | undefined>): void {
  for (const graph of graphs) if (graph !== undefined) keep(run, graph);
}

function keep(run: string, { real, files, contents, checksum }: ImportGraph): void {
  const description = descriptionOf(run, checksum);
  if (existsSync(description)) return;
  const folder = description.replace(/\.json$/, '');
  rmSync(folder, { recursive: true, force: true });
  const above = commonFolder([...contents.keys()]);
  for (const [file, content] of contents) {
    const copy = join(folder, relative(above, file));
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, content);
  }
  const content = { entry: relative(above, real), files } satisfies z.infer<typeof keptGraph>;
  // The description comes last: with it, the copies are whole.
  writeFileSync(`${description}.tmp`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${description}.tmp`, description);
}

function commonFolder([first, ...others]: readonly string[]): string {
  let folder = dirname(first as string);
  while (others.some((file) => !file.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
    folder = dirname(folder);
  return folder;
}

/**
 * The path at which a part of a begun run is found: that of the user's file while it is as it was, and that of the run's
 * copy where it has changed or is gone. Says so once.
 *
 * @param what the part is, for messages: `space`
 * @param name as the run's settings have it; that of a part in the box is given back
 * @param from the folder that a relative path begins at
 * @throws InputError where there is neither, and for a changed file of a run that goes on
 */
export function placeOfPart(
  what: string,
  name: string,
  from: string,
  { run, checksum, use }: BegunPart,
): string {
  if (!isFile(name) || checksum === undefined) return name;
  const path = resolve(from, name);
  const now = existsSync(path) ? graphOf(path) : undefined;
  if (now?.checksum === checksum) return path;
  const kept = keptCopy(run, checksum);
  const how =
    now === undefined ? `${path} is gone` : `${changedFile(path, now.files, kept?.files)} has changed`;
  if (use === 'go on' && now !== undefined)
    throw new InputError(
      `the ${what}'s file ${how} since the run was begun, so it would not go on as the same run; put back what was there` +
        `${kept === undefined ? '' : ` (the run's copy is ${kept.entry})`} or begin another run`,
    );
  if (kept === undefined)
    throw new InputError(`the ${what}'s file ${how}, and there is no copy of it in ${codeIn(run)}`);
  noteOnce(`note: the ${what}'s file ${how}; the run's copy of it is used, ${kept.entry}`);
  return kept.entry;
}

interface KeptCopy {
  /** Path of the copied module. */
  readonly entry: string;
  readonly files: ModuleFiles;
}

/** @returns undefined where a run has no copy, or one that is not what it was */
function keptCopy(run: string, checksum: string): KeptCopy | undefined {
  const description = descriptionOf(run, checksum);
  if (!existsSync(description)) return undefined;
  try {
    const { entry, files } = keptGraph.parse(JSON.parse(readFileSync(description, 'utf8')));
    const path = resolve(description.replace(/\.json$/, ''), entry);
    return graphOf(path).checksum === checksum ? { entry: path, files } : undefined;
  } catch {
    // A copy that is damaged is none.
    return undefined;
  }
}

/** The module itself, or the first of its imports that is another one, `imp-choices.ts, which imp.ts imports,`. */
function changedFile(path: string, now: ModuleFiles, before: ModuleFiles | undefined): string {
  const changed = Object.keys({ ...before, ...now }).filter((file) => before?.[file] !== now[file]);
  const own = relative(dirname(path), path);
  const [first] = changed;
  if (before === undefined || first === undefined || changed.includes(own)) return path;
  return `${resolve(dirname(path), first)}, which ${own} imports,`;
}
