import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Tests that start the built program do not see a mutant. */
const OF_BUILT_PROGRAMS = ['cli', 'examples', 'package'];

/**
 * The test files that are nearest to a source file: those of its folder that load it, and those elsewhere that import it
 * themselves.
 *
 * @param {string} source path of a file below `src`
 * @param {{ readonly src: string, readonly test: string }} folders of a package
 * @returns {string[]} paths
 */
export function nearestTests(source, { src, test }) {
  const [folder = ''] = relative(src, source).split('/');
  const own = join(test, folder);
  return testsBelow(test).filter(
    (file) => importsOf(file).includes(source) || (file.startsWith(`${own}/`) && loads(file, source)),
  );
}

/** @param {string} folder */
function testsBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !OF_BUILT_PROGRAMS.includes(file.split('/')[0] ?? ''))
    .sort()
    .map((file) => join(folder, file));
}

/** Whether a file imports another one, or one that does, and so on. @param {string} file @param {string} source */
function loads(file, source) {
  const reached = new Set([file]);
  for (const each of reached) for (const next of importsOf(each)) reached.add(next);
  return reached.has(source);
}

/** @type {Map<string, readonly string[]>} */
const known = new Map();

/** The files of ours that a file imports. @param {string} file */
function importsOf(file) {
  const before = known.get(file);
  if (before !== undefined) return before;
  const text = readFileSync(file, 'utf8').replace(/^import type [^;]*;$/gm, '');
  const paths = text.matchAll(/(?:from|import|import\()\s*'(\.[^']+)\.js'/g);
  const files = [...paths].map(([, path]) => resolve(dirname(file), `${path}.ts`)).filter(existsSync);
  known.set(file, files);
  return files;
}
