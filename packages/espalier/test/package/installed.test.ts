import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { journalOf } from '../cli/command.js';
import { copyExamples } from '../cli/own-parts.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { buildAddon, installPackages, npm, root } from './install-packages.js';

const folder = suiteFolder();
const EXAMPLES = [
  'own-cell.ts',
  'own-estimator.ts',
  'own-operations.ts',
  'own-strategy.ts',
  'own-task.ts',
  'plain-cnn.ts',
  'small-mlp.ts',
];

/** A program in place of the command line: the library imported by its name. */
const PROGRAM = `import { InputError, readRun } from 'espalier';
import { nn } from '@espalier/torch';

const run: Awaited<ReturnType<typeof readRun>> = await readRun('run');
const layer: nn.Layer = new nn.Linear(2, 3);
console.log(run.state.done, layer.parameterCount());
try {
  await readRun('nowhere');
} catch (error) {
  console.log(error instanceof InputError);
}
`;

describe('the packages, installed into an empty folder', () => {
  let files: ReturnType<typeof installPackages>;

  beforeAll(() => {
    files = installPackages(folder);
    copyExamples(folder, ...EXAMPLES);
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
  }, 300_000);

  it('hold what is run and what the addon is built from, and no tests', () => {
    expect(files.espalier).toEqual(
      expect.arrayContaining(['bin/espalier.js', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']),
    );
    expect(files['@espalier/torch']).toEqual(
      expect.arrayContaining(['binding.gyp', 'scripts/build.mjs', 'dist/index.js', 'dist/index.d.ts']),
    );
    expect(files['@espalier/torch'].filter((file) => file.startsWith('native/')).length).toBeGreaterThan(10);
    for (const list of Object.values(files))
      expect(list).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    const license = readFileSync(join(root, 'LICENSE'), 'utf8');
    for (const name of ['espalier', '@espalier/torch'])
      expect(readFileSync(join(folder, 'node_modules', name, 'LICENSE'), 'utf8')).toBe(license);
    for (const file of Object.values(files).flat()) expect(file).not.toMatch(/(^|\/)(test|src|build)\//);
  });

  it('build the addon in the install script, from the sources that were packed', () => {
    // Other sources, or other settings, would be compiled.
    expect(buildAddon(folder)).toBe('');
  });

  it('have types that the examples compile against', () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          module: 'NodeNext',
          types: ['node'],
          strict: true,
          skipLibCheck: false,
          outDir: 'compiled',
        },
        files: [...EXAMPLES, 'program.ts'],
      }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect(execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })).toBe('');
  });

  it('search with a strategy and an estimator of your own', () => {
    const out = npm(
      [
        ...[
          'exec',
          '--no',
          '--',
          'espalier',
          'search',
          '--space',
          'nasbench201',
          '--trials',
          '6',
          '--out',
          'run',
        ],
        ...['--strategy', './own-strategy.ts', '--estimator', './own-estimator.ts', '--json'],
      ],
      folder,
    );
    expect(JSON.parse(out)).toMatchObject({ run: 'run', status: 'finished', done: 6, failed: 0 });
    expect(journalOf(join(folder, 'run'))).toHaveLength(14);
  });

  it('are a library', () => {
    const out = execFileSync(process.execPath, ['compiled/program.js'], { cwd: folder, encoding: 'utf8' });
    expect(out).toBe('6 9\ntrue\n');
  });
});
