import { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { lineOfUser } from '../modules/user-module.js';
import type { Space } from '../space/space.js';
import { layerOfError } from './operator-trace.js';

/** A layer may be made by parts of the library that the user's file calls. */
const DEEPEST = 50;

/** Longer architectures are cut in messages. */
const MOST_CHARACTERS = 500;

/**
 * What is wrong with a network, in one line: the error, the layer in which it was thrown, and the line of the user's file
 * where it was thrown or where that layer is made.
 *
 * @param build builds the network once more, to see where its layers are made
 */
export function networkFault(error: unknown, build: () => nn.Module): string {
  const layer = layerOfError(error);
  const inLayer = layer === undefined || layer === '' ? '' : `, in its layer '${layer}'`;
  const line =
    lineOfUser(error instanceof Error ? error.stack : undefined) ??
    (layer === undefined ? undefined : lineOfLayer(layer, build));
  return `${firstLine(error)}${inLayer}${line === undefined ? '' : ` (${line})`}`;
}

/**
 * The same as an error that names the architecture.
 *
 * @param doing `cannot be trained`
 */
export function networkError(
  error: unknown,
  doing: string,
  { space, architecture, build }: { space: Space; architecture: unknown; build: () => nn.Module },
): InputError {
  const text = JSON.stringify(architecture);
  const shown = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
  return new InputError(
    `space ${space.name}: the network of ${shown} ${doing}: ${networkFault(error, build)}`,
  );
}

/**
 * Does something with a network.
 *
 * @param explained makes an error one that a person understands; an InputError is one already, and stays as it is
 */
export function attempt<T>(body: () => T, explained: (error: unknown) => InputError): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof InputError ? error : explained(error);
  }
}

/** libtorch's messages go on for many lines of C++. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.split('\n')[0] as string;
}

/** The line of the user's file in which a layer is made; undefined where it is made elsewhere. */
function lineOfLayer(layer: string, build: () => nn.Module): string | undefined {
  const stacks = new Map<nn.Module, string | undefined>();
  let network: nn.Module | undefined;
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = DEEPEST;
    network = nn.observeModules((module) => stacks.set(module, new Error('made here').stack), build);
    const found = layerOf(network, layer);
    return found && lineOfUser(stacks.get(found));
  } catch {
    // What cannot be built has no line but that of the error.
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    network?.free();
  }
}

function layerOf(module: nn.Module, name: string): nn.Module | undefined {
  if (name === '') return module;
  for (const [child, part] of module.children()) {
    if (name === child) return part;
    if (name.startsWith(`${child}.`)) return layerOf(part, name.slice(child.length + 1));
  }
  return undefined;
}
