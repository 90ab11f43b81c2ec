import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as torch from '@espalier/torch';
import { createJiti } from 'jiti';
import * as authoring from '../authoring.js';
import { InputError } from '../input-error.js';
import type { AnySpaceDefinition } from '../space/space.js';
import { spaces } from '../spaces/space-names.js';

/** A space as it was named: one in the box, or a user's file with the checksum of its text. */
export interface FoundSpace {
  readonly definition: AnySpaceDefinition;
  readonly checksum?: string;
}

/** Whether a name has the ending of a TypeScript or JavaScript module. */
export const isModule = (name: string) => /\.[cm]?[jt]s$/.test(name);

/** A space's name with a slash or a module's ending is a file. */
export const isSpaceFile = (name: string) => /[/\\]/.test(name) || isModule(name);

/**
 * The space of a name, or of the TypeScript or JavaScript file at a path, whose default export it is.
 *
 * @param from the folder that a relative path begins at
 * @throws InputError for an unknown name, a file that is missing or broken, and one that exports no space
 */
export async function findSpace(name: string, from: string): Promise<FoundSpace> {
  const known = spaces.get(name);
  if (known !== undefined) return { definition: known };
  if (!isSpaceFile(name))
    throw new InputError(
      `space '${name}' is unknown; known: ${[...spaces.keys()].join(', ')}, or the path of a file such as ./my-space.ts`,
    );
  const path = resolve(from, name);
  if (!existsSync(path)) throw new InputError(`space '${name}': there is no file ${path}`);
  const definition = await load(path, name);
  return { definition, checksum: createHash('sha256').update(readFileSync(path)).digest('hex') };
}

async function load(path: string, name: string): Promise<AnySpaceDefinition> {
  // The file gets this process's own modules, wherever it lies: a tensor must be the same class on both sides.
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    virtualModules: { espalier: authoring, '@espalier/torch': torch },
  });
  let exported: unknown;
  try {
    exported = await jiti.import(path, { default: true });
  } catch (error) {
    throw new InputError(`space '${name}' cannot be loaded: ${(error as Error).message}`);
  }
  const candidate = exported as Partial<AnySpaceDefinition> | undefined;
  if (typeof candidate?.name !== 'string' || typeof candidate.choices !== 'function')
    throw new InputError(
      `space '${name}': its default export is no space; write 'export default defineSpace({ name, *choices() {...} })'`,
    );
  return candidate as AnySpaceDefinition;
}
