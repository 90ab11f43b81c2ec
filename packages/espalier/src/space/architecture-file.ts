import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { type AnySpaceDefinition, Space } from './space.js';

/**
 * An architecture on disk: the name of its space, or the path of its file with the checksum `spaceChecksum`, the options
 * if the space has any, and the architecture's own keys.
 */
export type ArchitectureFile = { readonly space: string; readonly [key: string]: Json };

/**
 * The content of an architecture's file. Its keys have the order in which the program returns them, so equal
 * architectures make equal text.
 *
 * @throws InputError for an architecture that is not of this space
 */
export function toArchitectureFile(space: Space, architecture: unknown): ArchitectureFile {
  const canonical = space.validate(architecture);
  const plain = typeof canonical === 'object' && canonical !== null && !Array.isArray(canonical);
  const taken = plain
    ? ['space', 'spaceChecksum', 'options'].find((key) => Object.hasOwn(canonical, key))
    : undefined;
  if (!plain || taken !== undefined) {
    const what = plain ? `one with the key '${taken}', which the file needs` : JSON.stringify(canonical);
    throw new InputError(`space ${space.name}: an architecture must be an object to be saved, not ${what}`);
  }
  const hasOptions = Object.keys(space.options).length > 0;
  return { space: space.name, ...(hasOptions ? { options: space.options } : {}), ...canonical };
}

/**
 * The space and the architecture in a file's content. Options that the file leaves out have the values that the genotype
 * implies, or their defaults.
 *
 * @param findSpace the definition of a space by its name; throws InputError for an unknown one
 * @throws InputError for content that is not an architecture of its space
 */
export function fromArchitectureFile(
  content: unknown,
  findSpace: (name: string) => AnySpaceDefinition,
): { space: Space; architecture: unknown } {
  if (typeof content !== 'object' || content === null || !('space' in content)) {
    throw new InputError(`an architecture is an object with the key 'space', not ${excerpt(content)}`);
  }
  const { space: name, spaceChecksum: _, options = {}, ...architecture } = content as Record<string, unknown>;
  if (typeof name !== 'string') {
    throw new InputError(`an architecture's 'space' is ${excerpt(name)}; allowed: the name of a space`);
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InputError(`an architecture's 'options' is ${excerpt(options)}; allowed: an object`);
  }
  const definition = findSpace(name);
  const published = definition.genotype?.published?.(architecture);
  const space = Space.configure(definition, { ...published?.options, ...options });
  return { space, architecture: space.validate(published?.architecture ?? architecture) };
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
