import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** The packages of this repository, by name. */
const OURS = { '@espalier/torch': 'packages/torch', espalier: 'packages/espalier' } as const;

/** What a package says of itself in package-lock.json. */
interface LockedPackage {
  readonly version: string;
  readonly resolved: string;
  readonly integrity?: string;
  readonly link?: true;
}

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** Runs npm without the registry. */
export function npm(args: readonly string[], cwd: string): string {
  return execFileSync(
    'npm',
    ['--offline', '--cache', join(cwd, '.npm-cache'), '--no-audit', '--no-fund', ...args],
    {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

/**
 * Packs both packages and installs the archives into an empty folder, as npm does for a user. The packages of others come
 * from the node_modules of this repository in place of the registry; only those that package.json of ours asks for are
 * installed. The addon is that of this repository: see `buildAddon`.
 *
 * @returns the files of the two archives
 */
export function installPackages(folder: string): Record<keyof typeof OURS, readonly string[]> {
  const { packages } = readJson(join(root, 'package-lock.json')) as {
    packages: Record<string, LockedPackage>;
  };
  const packed = JSON.parse(
    npm(['pack', '--json', ...Object.values(OURS).map((path) => join(root, path))], folder),
  ) as {
    name: keyof typeof OURS;
    filename: string;
    files: { path: string }[];
  }[];
  const dependencies = Object.fromEntries(packed.map(({ name, filename }) => [name, `file:${filename}`]));
  const user = {
    private: true,
    type: 'module',
    dependencies,
    devDependencies: { '@types/node': packages['node_modules/@types/node']?.version },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(user));
  const others = Object.entries(packages).flatMap(([path, { integrity: _, ...locked }]) =>
    path.startsWith('node_modules/') && locked.link === undefined
      ? [[path, { ...locked, resolved: pathToFileURL(join(root, path)).href }]]
      : [],
  );
  const ours = packed.map(({ name, filename }) => {
    const { version, dependencies, bin } = readJson(join(root, OURS[name], 'package.json'));
    return [`node_modules/${name}`, { version, dependencies, bin, resolved: `file:${basename(filename)}` }];
  });
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({
      name: 'user',
      lockfileVersion: 3,
      requires: true,
      packages: { '': user, ...Object.fromEntries(others), ...Object.fromEntries(ours) },
    }),
  );
  npm(['install', '--ignore-scripts'], folder);
  return Object.fromEntries(
    packed.map(({ name, files }) => [name, files.map(({ path }) => path)]),
  ) as unknown as ReturnType<typeof installPackages>;
}

/**
 * Runs the install script of the addon's package, which finds the addon of this repository and has nothing to compile as
 * long as the sources in the archive are the same.
 *
 * @returns what the script said
 */
export function buildAddon(folder: string): string {
  const installed = join(folder, 'node_modules/@espalier/torch');
  const { scripts } = readJson(join(installed, 'package.json')) as { scripts: { install: string } };
  cpSync(join(root, OURS['@espalier/torch'], 'build'), join(installed, 'build'), { recursive: true });
  return execFileSync(`${scripts.install} 2>&1`, { cwd: installed, encoding: 'utf8', shell: true });
}
